// What is under a point of the world: a pod, a box, or nothing. Arithmetic, no search in pods.
import { PITCH, POD } from "./layout.js";

/** Returns {box, uid} or null; uid is null between pods. */
export function hit(layout, x, y) {
  for (const box of layout.boxes.values()) {
    if (x < box.x || y < box.y || x > box.x + box.w || y > box.y + box.h) continue;
    return { box, uid: podAt(box, x - box.x - layout.pad - box.lead, y - box.y - layout.head) };
  }
  return null;
}

function podAt(box, x, y) {
  if (x < 0 || y < 0) return null;
  const column = Math.floor(x / PITCH);
  const row = Math.floor(y / PITCH);
  if (column >= box.cols || x - column * PITCH > POD || y - row * PITCH > POD) return null;
  return box.slots[row * box.cols + column] ?? null;
}

/** Returns the nearest pod from one in a direction, for the arrow keys, or null. */
export function neighbour(layout, uid, dx, dy) {
  const from = layout.corner(uid);
  if (!from) return null;
  let best = null;
  for (const box of layout.boxes.values()) {
    for (let slot = 0; slot < box.slots.length; slot += 1) {
      const other = box.slots[slot];
      if (!other || other === uid) continue;
      const to = layout.slotCorner(box, slot);
      const along = (to.x - from.x) * dx + (to.y - from.y) * dy;
      const across = Math.abs((to.x - from.x) * dy) + Math.abs((to.y - from.y) * dx);
      // Off to the side counts more: the right key goes right, not down.
      if (along > 0 && (!best || along + 3 * across < best.cost)) best = { uid: other, cost: along + 3 * across };
    }
  }
  return best?.uid ?? null;
}
