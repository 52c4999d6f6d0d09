// Where one looks: the lens, the camera, and what the address says of them.
import { FOOT, MARGIN } from "../scene/camera.js";
import { Layout } from "../scene/layout.js";
import { LENSES } from "../scene/lenses.js";
import { writeState } from "../url.js";
import * as notices from "./notices.js";
import { markRelated, select } from "./selection.js";

const SLOW_FRAMES = 40; // after so many, animation is turned off

/** Gives boxes their places after one came or grew, without moving what need not move. */
export function settle(host) {
  const { layout, scene } = host;
  const empty = layout.width;
  layout.arrange(host.moved ? null : room(scene));
  if (!host.moved || !empty) scene.fit();
  scene.redraw();
}

/** The part of the screen that the picture may fill. */
function room(scene) {
  const { w, h } = scene.view;
  return { w: Math.max(200, w - 2 * MARGIN), h: Math.max(150, h - MARGIN - FOOT) };
}

export function chooseLens(host, name, keepCamera = false) {
  host.lens = name;
  writeState({ lens: name === "nodes" ? "" : name });
  host.layout = new Layout(LENSES[name], host.store);
  host.layout.arrange(room(host.scene));
  host.scene.setLayout(host.layout);
  if (!keepCamera || !host.wantedCamera) fit(host);
  markRelated(host);
  host.tick += 1;
}

export function fit(host) {
  if (!host.layout) return;
  host.moved = false;
  host.layout.arrange(room(host.scene));
  host.scene.fit();
  writeState({ at: "" });
}

export function zoom(host, factor) {
  if (!host.layout) return;
  host.scene.zoomBy(factor);
  cameraMoved(host);
}

/** The user chose where to look: from now on the picture stays there. */
export function cameraMoved(host) {
  const { scene } = host;
  host.moved = true;
  const { x, y, k } = scene.camera;
  writeState({ at: `${x.toFixed(0)},${y.toFixed(0)},${k.toFixed(2)}` });
  if (scene.stats.slow > SLOW_FRAMES && scene.anim.enabled) {
    scene.anim.enabled = false;
    host.calm = true;
  }
}

/** Takes selection and camera from the address, once. */
export function restore(host) {
  if (host.wantedCamera) {
    const [x, y, k] = host.wantedCamera.split(",").map(Number);
    host.wantedCamera = "";
    if (k > 0) {
      host.moved = true;
      host.scene.moveTo({ x, y, k });
    }
  }
  if (host.wanted) {
    const [kind, ns, name] = host.wanted.split("/");
    host.wanted = "";
    const found = host.store.find(kind, ns, name);
    if (found) {
      select(host, found.uid);
      if (host.wantedWhy && !host.past) host.explain(true);
    } else host.notice = notices.missing(ns, name);
  }
}
