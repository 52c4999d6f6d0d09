// Mouse and touch on the picture: drag to pan, wheel or pinch to zoom, click to select.
import { hit } from "./scene/hit.js";

const CLICK = 4; // px: a press that moved less is a click

export function bindPointer(host) {
  const { canvas, scene } = host;
  const fingers = new Map();
  let moved = 0;

  const local = (event) => {
    const frame = canvas.getBoundingClientRect();
    return { x: event.clientX - frame.left, y: event.clientY - frame.top };
  };
  const podAt = (event) => {
    if (!host.layout) return null;
    const at = local(event);
    const world = scene.toWorld(at.x, at.y);
    return hit(host.layout, world.x, world.y);
  };

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, local(event));
    moved = 0;
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) {
      const found = podAt(event);
      canvas.style.cursor = found?.uid ? "pointer" : "grab";
      canvas.title = found?.uid ? host.store.pods.get(found.uid)?.name ?? "" : "";
      scene.hover(found?.uid ?? null);
      return;
    }
    const now = local(event);
    if (fingers.size === 2) pinch(event.pointerId, before, now);
    else if (host.layout) scene.panBy(now.x - before.x, now.y - before.y);
    moved += Math.abs(now.x - before.x) + Math.abs(now.y - before.y);
    fingers.set(event.pointerId, now);
  });
  const end = (event) => {
    if (!fingers.delete(event.pointerId) || !host.layout) return;
    if (moved > CLICK) return host.cameraMoved();
    const found = podAt(event);
    if (event.type === "pointerup") host.select(found?.uid ?? null);
  };
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);
  canvas.addEventListener("pointerleave", () => scene.hover(null));
  canvas.addEventListener("dblclick", (event) => {
    const at = local(event);
    scene.zoomBy(2, at.x, at.y);
    host.cameraMoved();
  });
  canvas.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      if (!host.layout) return;
      const at = local(event);
      // A pinch on a touchpad arrives as a wheel with Ctrl; its steps are smaller.
      const speed = event.ctrlKey ? 0.01 : 0.0016;
      const delta = event.deltaMode === 1 ? event.deltaY * 16 : event.deltaY;
      scene.zoomBy(Math.exp(-delta * speed), at.x, at.y);
      host.cameraMoved();
    },
    { passive: false },
  );

  function pinch(id, before, now) {
    const other = [...fingers].find(([key]) => key !== id)[1];
    const far = (a, b) => Math.hypot(a.x - b.x, a.y - b.y) || 1;
    scene.zoomBy(far(now, other) / far(before, other), (now.x + other.x) / 2, (now.y + other.y) / 2);
  }
}
