// What the overview makes of what the site tells. Pure functions.

/** The shape and colour of a level, as pods of that kind have it. */
const MARKS = { good: "running", busy: "pending", bad: "failed", over: "succeeded" };
// Kinds whose list has a column “Status” with these words: a word leads to the list filtered by it.
const BY_STATUS = new Set(["pods", "nodes", "jobs.batch", "persistentvolumeclaims", "persistentvolumes", "namespaces"]);
export const SECONDS = 300;

/** Returns how long to wait after an answer that took `ms`: who answers slowly is asked less often. */
export const pauseAfter = (ms) => Math.min(Math.max(2000, 10 * ms), 15_000);

export const markOf = (level) => MARKS[level] ?? "unknown";

/** Returns what a list's filter says for a state; "" where no filter can. */
export function filterOf(resource, { word, level }) {
  if (!BY_STATUS.has(resource) || word === "NotReady" && resource === "pods") return "";
  if (resource === "nodes") return level === "good" ? "" : `status:${word.split(",").at(-1)}`;
  return `status:${word}`;
}

/** Returns the address of a kind's list, with what the page is narrowed to. */
export function listOf(cluster, kind, { ns = "", rev = "", q = "" } = {}) {
  const params = new URLSearchParams();
  if (ns && kind.namespaced) params.set("ns", ns);
  if (q) params.set("q", q);
  if (rev) params.set("rev", rev);
  const path = `/clusters/${encodeURIComponent(cluster)}/objects/${kind.group || "core"}/${kind.version}/${kind.plural}`;
  return params.size ? `${path}?${params}` : path;
}

/** Returns the address of an object, "" where its kind is not served. */
export function objectOf(cluster, kind, { namespace, name }, rev = "") {
  if (!kind?.plural || !name) return "";
  const path = `/clusters/${encodeURIComponent(cluster)}/objects/${kind.group || "core"}/${kind.version}/${kind.plural}/${namespace || "-"}/${encodeURIComponent(name)}`;
  return rev ? `${path}?rev=${rev}` : path;
}

/** Returns the kind of a resource as a fact names it, of those that are known. */
export const kindOf = (kinds, resource) => kinds.find((one) => one.resource === resource);

/** Drops the sentences that are older than five minutes by the cluster's own time. */
export const lately = (changes, at) => changes.filter((fact) => fact.at > at - SECONDS);

// -- the control plane ------------------------------------------------------------------------------

/** Returns the seconds before now at which slots ended, the oldest first, as negative numbers. */
export function timesOf({ width, age, people }) {
  const last = people.length - 1;
  return people.map((_, at) => -(age + (last - at) * width));
}

export const perSecond = (counts, width) => counts.map((count) => count / width);

const sum = (counts) => counts.reduce((a, b) => a + b, 0);

/** Returns how many a second, over the last so many seconds. */
export function rate(counts, width, seconds) {
  const last = counts.slice(-Math.max(1, Math.round(seconds / width)));
  return last.length ? sum(last) / (last.length * width) : 0;
}

/** Returns the series of requests: of people and workers always, of others where there are any. */
export function requestSeries(pace) {
  const always = ["people", "workers"];
  return ["people", "workers", "pages", "refused"].filter((name) => always.includes(name) || pace[name].some(Boolean));
}

/**
 * Returns rows for readers of a table: each says what came to pass in `seconds` seconds.
 * @param {{width: number}} pace
 * @param {Record<string, (number | null)[]>} columns
 * @param {(values: (number | null)[]) => number | null} fold
 */
export function rowsOf(pace, columns, fold, seconds = 60) {
  const names = Object.keys(columns);
  const length = columns[names[0]].length;
  const each = Math.max(1, Math.round(seconds / pace.width));
  const rows = [];
  for (let end = length; end > 0; end -= each) {
    const from = Math.max(0, end - each);
    const values = names.map((name) => fold(columns[name].slice(from, end)));
    rows.push({ from: (length - end) * pace.width, to: (length - from) * pace.width, values });
  }
  return rows;
}

export const mean = (values) => (values.length ? sum(values) / values.length : 0);

/** Returns the highest of what there is, null where there is nothing. */
export function highest(values) {
  const known = values.filter((value) => value !== null);
  return known.length ? Math.max(...known) : null;
}

/** Prints a rate: 0, 0.2, 3.4, 120. */
export function rateText(value) {
  if (!value) return "0";
  return value < 0.095 ? value.toFixed(2) : value < 9.95 ? value.toFixed(1) : String(Math.round(value));
}

/** Returns the queues in which something is, the fullest first, and how many keys come again later. */
export function busyQueues(queues) {
  const now = ({ depths }) => sum(Object.entries(depths).map(([name, n]) => (name === "later" ? 0 : n)));
  const busy = queues.filter(now).sort((a, b) => now(b) - now(a) || a.name.localeCompare(b.name));
  return { busy, later: sum(queues.map(({ depths }) => depths.later ?? 0)) };
}
