// Four ways to place the same pods: by node, by owner, by what leads to them, by what they store.
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
  tables: ["nodes"],
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
  tables: ["owners"],
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

const NONE = "none:";

/** A lens whose boxes are lanes: cards of what leads to the pods, from left to right, then the pods. */
function lanes(lens) {
  return {
    uniform: false,
    tray: false,
    columns: true,
    bandTitle: (band) => band || null,
    bandOf: (key) => (key.startsWith(NONE) ? key.slice(NONE.length) : key.slice(0, key.indexOf("/"))),
    order: (a, b) => Number(a.startsWith(NONE)) - Number(b.startsWith(NONE)) || natural(a, b),
    title: (key) => (key.startsWith(NONE) ? lens.none() : key.slice(key.indexOf("/") + 1).trim()),
    note: () => "",
    state: () => "plain",
    room: () => 0,
    ...lens,
  };
}

const named = (table, ns, name) => {
  for (const one of table.values()) if (one.name === name && (ns === null || one.ns === ns)) return one;
  return null;
};
const split = (key) => [key.slice(0, key.indexOf("/")), key.slice(key.indexOf("/") + 1)];

// A Gateway that no route names has a lane of its own; no Service's name begins with a space.
const idleKey = (gateway) => `${gateway.ns}/ ${gateway.name}`;

const gatewayCard = (one) => ({ kind: "Gateway", name: one.name, note: one.why || [one.class, one.listeners.join(" "), ...one.addresses].filter(Boolean).join(" "), state: one.why ? "warn" : "plain" });

/** What leads to a Service from outside: the Gateways, and the rules of Ingresses and routes. */
function entrances(ns, name, store) {
  const rules = [];
  const gateways = new Set();
  for (const one of store.ingresses.values()) {
    for (const [host, path, to] of one.ns === ns ? one.routes : []) {
      if (to === name) rules.push({ kind: "Ingress", name: one.name, note: `${host || "*"}${path}`, state: "plain" });
    }
  }
  for (const one of store.routes.values()) {
    for (const [host, path, to] of one.routes) {
      if (to !== `${ns}/${name}`) continue;
      rules.push({ kind: "HTTPRoute", name: one.name, note: one.why || `${host || "*"}${path}`, state: one.why ? "warn" : "plain" });
      for (const gateway of one.gateways) gateways.add(gateway);
    }
  }
  return { rules, gateways: [...gateways].map((key) => gatewayOf(key, store)) };
}

function gatewayOf(key, store) {
  const [ns, name] = split(key);
  const found = named(store.gateways, ns, name);
  return found ? gatewayCard(found) : { kind: "Gateway", name, note: t.topology.lens.missing, state: "bad" };
}

/** The Services that rules lead to, there or not. */
function targets(store) {
  const found = [];
  for (const one of store.ingresses.values()) for (const [, , to] of one.routes) if (to) found.push(`${one.ns}/${to}`);
  for (const one of store.routes.values()) for (const [, , to] of one.routes) found.push(to);
  return found;
}

function idleGateways(store) {
  const used = new Set([...store.routes.values()].flatMap((one) => one.gateways));
  return [...store.gateways.values()].filter((one) => !used.has(`${one.ns}/${one.name}`));
}

const serviceCard = (one) => ({ kind: one.type, name: one.name, note: [one.ip === "None" ? t.topology.lens.headless : one.ip, one.ports?.join(" ")].filter(Boolean).join(" "), state: "plain" });

export const trafficLens = lanes({
  name: "traffic",
  tables: ["services", "slices", "ingresses", "gateways", "routes"],
  none: () => t.topology.lens.noService,
  boxOf: (pod, store) => {
    const [first] = store.servicesOf(pod);
    return first ? `${first.ns}/${first.name}` : NONE + pod.ns;
  },
  standing: (store) => [...[...store.services.values()].map((one) => `${one.ns}/${one.name}`), ...targets(store), ...idleGateways(store).map(idleKey)],
  stages: (key, store) => {
    if (key.startsWith(NONE)) return [];
    const [ns, name] = split(key);
    if (name.startsWith(" ")) return [[gatewayOf(`${ns}/${name.slice(1)}`, store)]];
    const service = named(store.services, ns, name);
    const { rules, gateways } = entrances(ns, name, store);
    const slices = [...store.slices.values()].filter((one) => one.ns === ns && one.service === name);
    return [
      // A cluster without Gateways has no column for them.
      ...(store.gateways.size || store.routes.size ? [gateways] : []),
      rules,
      [service ? serviceCard(service) : { kind: "Service", name, note: t.topology.lens.missing, state: "bad" }],
      slices.map((one) => ({ kind: "EndpointSlice", name: one.name, note: t.topology.lens.endpoints(one.ready, one.endpoints, one.terminating), state: one.ready ? "plain" : "warn" })),
    ];
  },
  state: (key, store) => {
    if (key.startsWith(NONE)) return "plain";
    const [ns, name] = split(key);
    if (name.startsWith(" ")) return gatewayOf(`${ns}/${name.slice(1)}`, store).state;
    const service = named(store.services, ns, name);
    if (!service) return "bad";
    if (!Object.keys(service.selector).length) return "plain";
    return [...store.slices.values()].some((one) => one.ns === ns && one.service === name && one.ready) ? "plain" : "warn";
  },
});

export const storageLens = lanes({
  name: "storage",
  tables: ["claims", "volumes", "classes"],
  none: () => t.topology.lens.noClaim,
  boxOf: (pod) => (pod.claims?.length ? `${pod.ns}/${pod.claims[0]}` : NONE + pod.ns),
  standing: (store) => [...store.claims.values()].map((one) => `${one.ns}/${one.name}`),
  stages: (key, store) => {
    if (key.startsWith(NONE)) return [];
    const [ns, name] = split(key);
    const claim = named(store.claims, ns, name);
    const missing = [{ kind: "PersistentVolumeClaim", name, note: t.topology.lens.missing, state: "bad" }];
    if (!claim) return [[], [], missing];
    const volume = claim.volume && named(store.volumes, null, claim.volume);
    const sort = claim.class && named(store.classes, null, claim.class);
    return [
      claim.class ? [{ kind: "StorageClass", name: claim.class, note: sort ? sort.provisioner : t.topology.lens.missing, state: sort ? "plain" : "warn" }] : [],
      volume ? [{ kind: "PersistentVolume", name: volume.name, note: `${volume.size} ${volume.phase} ${volume.reclaim}`, state: volume.phase === "Failed" ? "bad" : "plain" }] : [],
      [{ kind: "PersistentVolumeClaim", name, note: `${claim.size} ${claim.phase}`, state: claim.phase === "Bound" ? "plain" : "warn" }],
    ];
  },
  state: (key, store) => {
    if (key.startsWith(NONE)) return "plain";
    return named(store.claims, ...split(key))?.phase === "Bound" ? "plain" : "warn";
  },
});

export const LENSES = { nodes: nodesLens, owners: ownersLens, traffic: trafficLens, storage: storageLens };
