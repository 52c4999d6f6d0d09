// One pod is the selection: what the panel is about. Beside it many may be picked, for an action on all.
import { timeOfDay } from "../clock.js";
import { writeState } from "../url.js";

const PANEL = 440; // px that the panel covers

export function select(host, uid, focusPanel = false) {
  const pod = uid && host.store.pods.get(uid);
  if (uid !== host.selected) host.explain(false);
  // How logs are looked at goes along to the next pod; which container was chosen does not.
  if (host.lastPod && uid !== host.lastPod.uid) writeState({ container: "" });
  host.selected = pod ? uid : null;
  host.lastPod = pod || null;
  host.gone = "";
  writeState({ sel: pod ? `pods/${pod.ns}/${pod.name}` : "" });
  markRelated(host);
  if (!pod) return;
  host.scene.reveal(uid, Math.min(PANEL, host.scene.view.w / 2));
  // The outline and the panel learn of the layout and of the pod with the next rendering.
  host.updateComplete.then(() => {
    host.querySelector("kp-tree")?.show(uid);
    if (focusPanel) host.querySelector("kp-panel")?.focusHead();
  });
}

/** Rings around the pods of the same owner, and lines to them. */
export function markRelated(host) {
  const pod = host.selected && host.store.pods.get(host.selected);
  const related = [];
  if (pod?.owner) {
    for (const other of host.store.pods.values()) {
      if (other.owner === pod.owner && other.uid !== pod.uid) related.push(other.uid);
    }
  }
  host.scene?.mark(pod ? host.selected : null, related);
}

/** Notes when the selection was deleted: the panel stays, with its last state. */
export function noteRemoved(host, pods) {
  for (const pod of pods) {
    if (pod && pod.uid === host.selected) host.gone = timeOfDay(Date.now());
  }
}

/** Picks many: what an action of the bar will be about. */
export function pickOnly(host, uids) {
  host.picked = new Set(uids);
  host.scene.pick(host.picked);
}

/** Adds a pod to the many, or takes it out; the first one is the selection. */
export function pickAlso(host, uid) {
  const picked = new Set(host.picked);
  if (!picked.size && host.selected && host.selected !== uid) picked.add(host.selected);
  if (!picked.delete(uid)) picked.add(uid);
  pickOnly(host, picked);
}

/** The selected pod as it is now, or null. */
export const podOf = (host) => (host.selected && host.store.pods.get(host.selected)) || null;
