// Small frames and stores, so that a test reads as a sentence.
import { Store } from "../src/store.js";

export const POD_COLS = ["uid", "ns", "name", "node", "status", "ready", "restarts", "owner", "created", "ip", "cpu", "memory", "labels", "why"];
const NODE_COLS = ["uid", "name", "ready", "cordoned", "zone", "roles", "cpu", "memory", "pods", "version", "taints", "created", "labels", "why"];
const OWNER_COLS = ["uid", "kind", "ns", "name", "owner", "ready", "desired", "created", "labels"];

export function pod(uid, fields = {}) {
  const all = { uid, ns: "default", name: uid, node: "", status: "Running", ready: "1/1", restarts: 0, owner: "", created: "", ip: "", cpu: 100, memory: 0, labels: {}, why: "", ...fields };
  return POD_COLS.map((name) => all[name]);
}

export function node(name, zone = "", fields = {}) {
  const all = { uid: `uid-${name}`, name, ready: "Ready", cordoned: false, zone, roles: [], cpu: 4000, memory: 0, pods: 110, version: "", taints: [], created: "", labels: {}, why: "", ...fields };
  return NODE_COLS.map((column) => all[column]);
}

export function owner(uid, kind, name, up = "", desired = 1) {
  return [uid, kind, "default", name, up, desired, desired, "", {}];
}

export function snapshot({ pods = [], nodes = [], owners = [], services = [], warnings = [] } = {}, number = 0) {
  return {
    op: "snapshot",
    cursor: `e.${number}`,
    rev: 100,
    nodes: { cols: NODE_COLS, rows: nodes },
    pods: { cols: POD_COLS, rows: pods },
    owners: { cols: OWNER_COLS, rows: owners },
    services: { cols: ["uid", "ns", "name", "type", "ip", "selector", "labels"], rows: services },
    warnings: { cols: ["uid", "kind", "ns", "name", "of", "reason", "message", "count", "at"], rows: warnings },
  };
}

export function storeOf(tables, number = 0) {
  const store = new Store();
  store.snapshot(snapshot(tables, number));
  return store;
}

export const batch = (from, to, ...ev) => ({ op: "batch", from, to, cursor: `e.${to}`, rev: 100 + to, ev });
export const added = (row) => ({ t: "A", k: "pods", o: row });
export const changed = (row) => ({ t: "M", k: "pods", o: row });
export const deleted = (uid) => ({ t: "D", k: "pods", o: uid });
