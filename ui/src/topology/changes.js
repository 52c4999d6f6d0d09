// Shows what changed: each pod by itself, or everything when boxes had to move.
import { LENSES } from "../scene/lenses.js";
import { t } from "../texts.js";
import { settle } from "./looking.js";
import { markRelated, noteRemoved } from "./selection.js";

export function apply(host, changes) {
  const now = performance.now();
  const { columns, tables } = LENSES[host.lens];
  let pods = false;
  let lanes = false;
  for (const change of changes) {
    if (change.table === "pods") {
      applyPod(host, change, now);
      pods = true;
    } else if (columns) lanes ||= tables.includes(change.table);
    else if (change.table === "nodes" || change.table === "owners") applyPlace(host, change);
  }
  if (lanes) host.layout.follow();
  if (host.layout.stale) settle(host);
  if (pods && host.selected) markRelated(host);
}

function applyPod(host, { type, key, now: pod, was }, at) {
  const { layout, scene, announcer } = host;
  const before = layout.where.get(key);
  const from = layout.corner(key);
  if (type === "D") {
    removePod(host, key, was, { place: before, from }, at);
    return;
  }
  const news = !was || was.status !== pod.status;
  const moved = layout.put(pod);
  const { box } = layout.where.get(key);
  if (moved && before) scene.emptied(before);
  const start = from ? { from } : born(host, box);
  if (moved && start) scene.anim.add("fly", key, { ...start, cls: pod.cls, box }, at);
  else if (news) scene.anim.add("flash", key, { box }, at);
  if (moved) host.tally.note(box.key, 1, at);
  if (news) announcer.note(key, t.status[pod.cls].toLowerCase());
  scene.changed(key);
}

/** A pod that has its node at once leaves the scheduler above the picture. */
function born(host, box) {
  if (host.lens !== "nodes" || host.layout.isTray(box) || !host.scene.anim.enabled) return null;
  const scheduler = host.querySelector("kp-plane")?.whereIs("scheduler");
  if (!scheduler) return null;
  const stage = host.canvas.getBoundingClientRect();
  return { screen: { x: scheduler.left + scheduler.width / 2 - stage.left, y: 0 } };
}

function removePod(host, key, was, { place, from }, at) {
  host.layout.take(key);
  if (place) {
    host.scene.emptied(place);
    host.scene.anim.add("fade", key, { from, cls: was?.cls ?? "unknown", box: place.box }, at);
    host.tally.note(place.box.key, -1, at);
  }
  if (key === host.selected) noteRemoved(host, [was]);
  host.announcer.note(key, t.deleted);
}

function applyPlace(host, { table, type, key, now, was }) {
  const own = table === "nodes" ? host.lens === "nodes" : host.lens === "owners";
  if (!own) return;
  const { layout, scene } = host;
  const boxKey = table === "nodes" ? (now ?? was).name : key;
  if (type === "D") layout.drop(boxKey);
  else if (table === "nodes") layout.box(boxKey);
  const box = layout.boxes.get(boxKey);
  if (box) scene.dirtyBoxes.add(box);
  scene.request();
}
