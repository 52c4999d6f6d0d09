// Which part of the world is seen, and how large. Pure: every function returns a new camera.

export const MIN_SCALE = 0.02;
export const MAX_SCALE = 20;
// Fitting a small cluster does not blow its pods up beyond this.
export const FIT_MAX = 8.5;
export const MARGIN = 22;
// At the bottom, where the legend is.
export const FOOT = 52;

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

/** Returns the camera that shows the whole world in the middle of a view. */
export function fit(world, view) {
  const k = clamp(
    Math.min((view.w - 2 * MARGIN) / world.width, (view.h - MARGIN - FOOT) / world.height),
    MIN_SCALE,
    FIT_MAX,
  );
  // A world that is smaller than the view hangs at the top: it grows downwards.
  const spare = view.h / k - world.height;
  const y = spare >= (MARGIN + FOOT) / k - 1e-9 ? -MARGIN / k : -spare / 2;
  return { k, x: -(view.w / k - world.width) / 2, y };
}

export function pan(camera, dx, dy) {
  return { ...camera, x: camera.x - dx / camera.k, y: camera.y - dy / camera.k };
}

/** Zooms by a factor around a point of the screen, which stays where it is. */
export function zoom(camera, factor, sx, sy) {
  const k = clamp(camera.k * factor, MIN_SCALE, MAX_SCALE);
  return { k, x: camera.x + sx / camera.k - sx / k, y: camera.y + sy / camera.k - sy / k };
}

export const toWorld = (camera, sx, sy) => ({ x: camera.x + sx / camera.k, y: camera.y + sy / camera.k });
export const toScreen = (camera, x, y) => ({ x: (x - camera.x) * camera.k, y: (y - camera.y) * camera.k });

/** Keeps some of the world in view, however far one drags. */
export function keepInSight(camera, world, view) {
  const keep = 60 / camera.k;
  return {
    ...camera,
    x: clamp(camera.x, keep - view.w / camera.k, world.width - keep),
    y: clamp(camera.y, keep - view.h / camera.k, world.height - keep),
  };
}
