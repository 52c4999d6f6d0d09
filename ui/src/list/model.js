// The rows of a list: what the stream says, in the order and the choice that the page asks for.
import { age, seconds } from "../age.js";
import { clusterNow } from "../clock.js";

/** Columns that tell how long ago something was: their text grows old, the moment does not. */
const MOMENTS = new Set(["Last Seen", "First Seen", "Last Schedule"]);

/** Turns a row of the stream into an object that columns read. */
export function read([uid, ns, name, created, labels, cells], now = clusterNow()) {
  return { uid, ns, name, created: Date.parse(created) || now, labels, cells, read: now };
}

/** Returns the columns of a list: the API's, the namespace before them, the labels behind. */
export function columnsOf(served, { across, now = clusterNow }) {
  const columns = served.map((one, position) => column(one, position, now));
  const namespace = { name: "Namespace", type: "string", wide: false, about: "", get: (row) => row.ns };
  const labels = { name: "Labels", type: "string", wide: true, extra: true, about: "", get: (row) => labelText(row) };
  return [...(across ? [namespace] : []), ...columns, labels];
}

const labelText = ({ labels }) => Object.entries(labels).map(([key, value]) => `${key}=${value}`).join(",");

function column({ name, type, wide, about }, position, clock) {
  const base = { name, type, wide, about, first: position === 0 };
  if (name === "Age") return { ...base, age: true, get: (row, now = clock()) => age((now - row.created) / 1000), key: (row) => -row.created };
  const get = (row) => row.cells[position];
  if (!MOMENTS.has(name)) return { ...base, get };
  const moment = (row) => {
    const ago = seconds(String(get(row) ?? ""));
    return ago === null ? null : row.read - ago * 1000;
  };
  const text = (row, now = clock()) => {
    const at = moment(row);
    return at === null ? get(row) : age((now - at) / 1000);
  };
  return { ...base, age: true, get: text, key: (row) => -(moment(row) ?? 0) };
}

/** Returns what a cell sorts by: numbers and spans by value, then words, numbers within them too. */
export function sortKey(cell) {
  if (typeof cell === "number") return cell;
  const text = String(cell ?? "");
  const span = seconds(text);
  if (span !== null) return span;
  const number = /^-?\d+(\.\d+)?(?=$|[/%\s(])/.exec(text);
  if (number) return Number(number[0]);
  return text.toLowerCase().replace(/\d+/g, (digits) => digits.padStart(12, "0"));
}

/** Compares keys; numbers come before words. */
export function compare(a, b) {
  if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
  return a < b ? -1 : Number(a > b);
}

/** Reads "status,-age" as an order; names that are no columns are left out. */
export function parseSort(text, columns) {
  return text
    .split(",")
    .filter(Boolean)
    .map((one) => ({ name: one.replace(/^-/, ""), down: one.startsWith("-") }))
    .filter(({ name }) => columns.some((column) => column.name === name));
}

export const printSort = (order) => order.map(({ name, down }) => (down ? `-${name}` : name)).join(",");

/** Returns the order after a click on a heading: up, down, none; with shift beside the others. */
export function nextSort(order, name, more) {
  const before = order.find((one) => one.name === name);
  const next = !before ? [{ name, down: false }] : before.down ? [] : [{ name, down: true }];
  if (!more) return next;
  return before ? order.flatMap((one) => (one.name === name ? next : [one])) : [...order, ...next];
}

export class ListModel {
  constructor() {
    this.rows = new Map();
    this.now = clusterNow;
    this.served = [];
    this.columns = [];
  }

  reset(served, options) {
    this.rows.clear();
    this.served = served;
    this.now = options.now ?? clusterNow;
    this.columns = columnsOf(served, options);
  }

  add(rows) {
    for (const row of rows) this.put(row);
  }

  put(row) {
    const made = read(row, this.now());
    this.rows.set(made.uid, made);
    return made;
  }

  /** Folds changes; returns the uids of what is new or different, and the rows that went. */
  apply(events) {
    const changed = [];
    const gone = [];
    for (const event of events) {
      if (typeof event === "string") {
        const row = this.rows.get(event);
        if (row) gone.push(row);
        this.rows.delete(event);
      } else {
        const before = this.rows.get(event[0]);
        const row = this.put(event);
        if (!before || String(before.cells) !== String(row.cells)) changed.push(row.uid);
      }
    }
    return { changed, gone };
  }

  /** Returns the rows that a test lets through, in an order. */
  view(test, order) {
    const rows = [];
    for (const row of this.rows.values()) if (!test || test(row)) rows.push(row);
    const steps = order.map(({ name, down }) => {
      const found = this.columns.find((one) => one.name === name);
      return { key: found.key ?? ((row) => sortKey(found.get(row))), sign: down ? -1 : 1 };
    });
    const keyed = rows.map((row) => ({ row, keys: steps.map(({ key }) => key(row)), last: (row.place ??= sortKey(`${row.ns}/${row.name}`)) }));
    keyed.sort((a, b) => {
      for (let i = 0; i < steps.length; i += 1) {
        const found = compare(a.keys[i], b.keys[i]) * steps[i].sign;
        if (found) return found;
      }
      return compare(a.last, b.last);
    });
    return keyed.map(({ row }) => row);
  }
}

/** Tells a status' colour; its word stands beside it always. */
export function stateOf(word) {
  const text = String(word ?? "");
  if (/Error|BackOff|Failed|NotReady|Evicted|Invalid|OOMKilled|Lost|Warning|False/.test(text)) return "bad";
  const first = text.split(/[:,]/)[0];
  if (/^(Running|Ready|Active|Bound|Available|True|Complete|Approved)$/.test(first)) return text.includes("SchedulingDisabled") ? "waiting" : "good";
  if (/^(Pending|ContainerCreating|PodInitializing|Terminating|Waiting|Init|Suspended|SchedulingGated|Unknown|Released)$/.test(first)) return "waiting";
  return "plain";
}

export const STATE_COLUMNS = new Set(["Status", "Phase", "Type", "Condition"]);
