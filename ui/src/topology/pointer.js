// Mouse and touch on the picture: drag to pan, wheel or pinch to zoom, click to select.
import { hit } from "../scene/hit.js";
import { cameraMoved } from "./looking.js";
import { openMenu } from "./menu.js";
import { pickAlso, pickOnly, select } from "./selection.js";

const CLICK = 4; // px: a press that moved less is a click

export function bindPointer(host) {
  const { canvas, scene } = host;
  const fingers = new Map();
  let moved = 0;
  let lasso = null; // where a frame around pods began

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
    lasso = event.shiftKey ? local(event) : null;
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
    if (lasso) scene.frameIn(frame(lasso, now));
    else if (fingers.size === 2) pinch(event.pointerId, before, now);
    else if (host.layout) scene.panBy(now.x - before.x, now.y - before.y);
    moved += Math.abs(now.x - before.x) + Math.abs(now.y - before.y);
    fingers.set(event.pointerId, now);
  });
  const end = (event) => {
    if (!fingers.delete(event.pointerId) || !host.layout) return;
    if (lasso) return endLasso(event);
    if (moved > CLICK) return cameraMoved(host);
    if (event.type !== "pointerup" || event.button !== 0) return;
    const found = podAt(event);
    if (host.picked.size) pickOnly(host, []);
    select(host, found?.uid ?? null);
  };
  /** A frame selects what is in it; without one, Shift adds the pod that was clicked. */
  function endLasso(event) {
    const area = frame(lasso, local(event));
    lasso = null;
    scene.frameIn(null);
    if (moved > CLICK) return pickOnly(host, scene.within(area));
    const found = podAt(event);
    if (found?.uid) pickAlso(host, found.uid);
  }
  canvas.addEventListener("contextmenu", (event) => {
    event.preventDefault();
    const found = podAt(event);
    if (!found) return;
    const pod = found.uid && host.store.pods.get(found.uid);
    if (pod && !host.picked.has(pod.uid)) select(host, pod.uid);
    openMenu(host, { x: event.clientX, y: event.clientY, pod: pod || null, node: host.store.nodeNamed(found.box.key) });
  });
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);
  canvas.addEventListener("pointerleave", () => scene.hover(null));
  bindZoom(host, local);

  function pinch(id, before, now) {
    const other = [...fingers].find(([key]) => key !== id)[1];
    const far = (a, b) => Math.hypot(a.x - b.x, a.y - b.y) || 1;
    scene.zoomBy(far(now, other) / far(before, other), (now.x + other.x) / 2, (now.y + other.y) / 2);
  }
}

const frame = (a, b) => ({ x: Math.min(a.x, b.x), y: Math.min(a.y, b.y), w: Math.abs(a.x - b.x), h: Math.abs(a.y - b.y) });

function bindZoom(host, local) {
  const { canvas, scene } = host;
  canvas.addEventListener("dblclick", (event) => {
    const at = local(event);
    scene.zoomBy(2, at.x, at.y);
    cameraMoved(host);
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
      cameraMoved(host);
    },
    { passive: false },
  );
}
