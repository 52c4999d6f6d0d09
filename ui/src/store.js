// What the stream told so far, folded into maps: the one source of everything that is shown.
//
// Rules: a batch follows the one before it without a gap, or it is refused and the caller asks for
// everything again. While paused, batches wait and are counted; none is dropped.
import { statusClass } from "./status.js";

const TABLES = ["nodes", "pods", "owners", "services", "warnings", "slices", "ingresses", "gateways", "routes", "claims", "volumes", "classes"];

/** Turns rows of a table into objects, by its column names. */
export function reader(cols) {
  return (row) => {
    const object = {};
    for (let i = 0; i < cols.length; i += 1) object[cols[i]] = row[i];
    return object;
  };
}

export class Store {
  constructor() {
    this.rev = 0;
    this.cursor = null;
    this.number = -1;
    this.paused = false;
    this.waiting = [];
    this.readers = {};
    this.clear();
  }

  clear() {
    for (const table of TABLES) this[table] = new Map();
    this.warningOf = new Map();
    this.byName = new Map();
    this.selectors = null;
  }

  nodeNamed(name) {
    return this.byName.get(name) ?? null;
  }

  /** Takes a whole picture. Returns the changes against the one before, so that slots stay. */
  snapshot(frame) {
    this.waiting = [];
    const before = this.pods;
    this.clear();
    for (const table of TABLES) {
      // What the site does not tell of, as one of an older version, is empty.
      const { cols, rows } = frame[table] ?? { cols: [], rows: [] };
      const read = reader(cols);
      this.readers[table] = read;
      for (const row of rows) this.put(table, read(row));
    }
    this.advance(frame, Number(frame.cursor.split(".")[1]));
    const removed = [];
    for (const [uid, pod] of before) if (!this.pods.has(uid)) removed.push(pod);
    return { whole: true, removed };
  }

  /**
   * Takes a batch. Returns the changes, null while paused, or false when one is missing.
   * A change is {table, type, key, now, was}.
   */
  batch(frame) {
    if (this.paused) {
      this.waiting.push(frame);
      return null;
    }
    if (frame.from !== this.number + 1) return false;
    const changes = [];
    for (const event of frame.ev) changes.push(this.fold(event));
    this.advance(frame, frame.to);
    return changes;
  }

  pause() {
    this.paused = true;
  }

  /** Goes on; returns the changes that waited, or false when one is missing. */
  resume() {
    this.paused = false;
    const frames = this.waiting;
    this.waiting = [];
    const changes = [];
    for (const frame of frames) {
      const some = this.batch(frame);
      if (some === false) return false;
      changes.push(...some);
    }
    return changes;
  }

  get waitingCount() {
    let count = 0;
    for (const frame of this.waiting) for (const event of frame.ev) count += event.n ?? 1;
    return count;
  }

  fold(event) {
    const table = event.k;
    if (table === "services") this.selectors = null;
    if (event.t === "D") {
      const was = this[table].get(event.o);
      this[table].delete(event.o);
      if (table === "nodes" && was && this.byName.get(was.name) === was) this.byName.delete(was.name);
      return { table, type: "D", key: event.o, now: null, was: was ?? null };
    }
    const now = this.readers[table](event.o);
    const was = this[table].get(now.uid) ?? null;
    this.put(table, now);
    return { table, type: was ? "M" : "A", key: now.uid, now, was };
  }

  put(table, object) {
    if (table === "services") this.selectors = null;
    if (table === "pods") object.cls = statusClass(object.status);
    if (table === "warnings") this.noteWarning(object);
    if (table === "nodes") this.byName.set(object.name, object);
    this[table].set(object.uid, object);
  }

  noteWarning(warning) {
    const known = this.warningOf.get(warning.of);
    if (!known || known.at <= warning.at) this.warningOf.set(warning.of, warning);
  }

  advance(frame, number) {
    this.rev = frame.rev;
    this.cursor = frame.cursor;
    this.number = number;
  }

  /** The owners of an object, nearest first. */
  chain(object) {
    const found = [];
    let uid = object.owner;
    while (uid && found.length < 5) {
      const owner = this.owners.get(uid);
      if (!owner) break;
      found.push(owner);
      uid = owner.owner;
    }
    return found;
  }

  /** The owner that nobody owns: a Deployment rather than its ReplicaSet. */
  top(object) {
    return this.chain(object).at(-1) ?? null;
  }

  /** The services whose selector a pod fits, by name. */
  servicesOf(pod) {
    this.selectors ??= this.indexSelectors();
    const found = [];
    for (const [key, value] of Object.entries(pod.labels)) {
      for (const { service, wanted } of this.selectors.get(`${pod.ns}/${key}=${value}`) ?? []) {
        if (wanted.every(([k, v]) => pod.labels[k] === v)) found.push(service);
      }
    }
    return found.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Services by one of the labels that they ask for: 5,000 pods are not compared with each. */
  indexSelectors() {
    const index = new Map();
    for (const service of this.services.values()) {
      const wanted = Object.entries(service.selector);
      if (!wanted.length) continue;
      const key = `${service.ns}/${wanted[0].join("=")}`;
      if (!index.has(key)) index.set(key, []);
      index.get(key).push({ service, wanted });
    }
    return index;
  }

  find(kind, ns, name) {
    const table = kind === "nodes" ? this.nodes : this.pods;
    for (const object of table.values()) {
      if (object.name === name && (kind === "nodes" || object.ns === ns)) return object;
    }
    return null;
  }
}
