// Two ways to place the same pods: by node and zone, or by owner and namespace.
//
// A lens says which box a pod stands in, which boxes exist although they are empty, and what is
// written on a box. It keeps nothing: the layout holds the slots.
import { t } from "../texts.js";

export const UNSCHEDULED = "";

const byText = (a, b) => (a < b ? -1 : Number(a > b));

/** Compares names so that n2 stands before n10. */
export function natural(a, b) {
  const left = a.match(/\d+|\D+/g) ?? [];
  const right = b.match(/\d+|\D+/g) ?? [];
  for (let i = 0; i < Math.min(left.length, right.length); i += 1) {
    const difference = Number(left[i]) - Number(right[i]);
    const order = Number.isNaN(difference) ? byText(left[i], right[i]) : difference;
    if (order) return order;
  }
  return left.length - right.length;
}

export const nodesLens = {
  name: "nodes",
  uniform: true,
  tray: true,
  boxOf: (pod) => pod.node || UNSCHEDULED,
  bandOf: (key, store) => store.nodeNamed(key)?.zone ?? "",
  standing: (store) => [...store.nodes.values()].map((node) => node.name),
  order: natural,
  bandTitle: (band) => band || null,
  title: (key) => (key === UNSCHEDULED ? t.unscheduled : key),
  note: (key, store) => {
    const node = store.nodeNamed(key);
    if (!node) return "";
    if (node.ready !== "Ready") return node.ready;
    return node.cordoned ? t.cordoned : "";
  },
  state: (key, store) => {
    const node = store.nodeNamed(key);
    if (!node) return "plain";
    if (node.ready !== "Ready") return "bad";
    return node.cordoned ? "warn" : "plain";
  },
  room: (key, store) => store.nodeNamed(key)?.cpu ?? 0,
};

const BARE = "bare:";

export const ownersLens = {
  name: "owners",
  uniform: false,
  tray: false,
  boxOf: (pod) => pod.owner || BARE + pod.ns,
  bandOf: (key, store) => {
    if (key.startsWith(BARE)) return key.slice(BARE.length);
    return store.owners.get(key)?.ns ?? "";
  },
  // A workload that wants pods has a place for them before they are there.
  standing: (store) => {
    const parents = new Set([...store.owners.values()].map((owner) => owner.owner).filter(Boolean));
    return [...store.owners.values()].filter((one) => one.desired > 0 && !parents.has(one.uid)).map((one) => one.uid);
  },
  order: (a, b, store) => natural(ownersLens.title(a, store) + a, ownersLens.title(b, store) + b),
  bandTitle: (band) => band || null,
  title: (key, store) => {
    if (key.startsWith(BARE)) return t.noOwner;
    const owner = store.owners.get(key);
    if (!owner) return "";
    return (store.top(owner) ?? owner).name;
  },
  note: (key, store) => {
    const owner = store.owners.get(key);
    if (!owner) return "";
    const top = store.top(owner);
    const kind = top ? `${top.kind} › ${owner.kind}` : owner.kind;
    return `${kind} ${owner.ready}/${owner.desired}`;
  },
  state: (key, store) => {
    const owner = store.owners.get(key);
    return owner && owner.ready < owner.desired ? "warn" : "plain";
  },
  room: () => 0,
};

export const LENSES = { nodes: nodesLens, owners: ownersLens };
