// Times as people read them, and the rows of a waterfall. Pure functions.
import { reads } from "./hops.js";

/** Says how long something took: "38 µs", "3.2 ms", "1.84 s", "2 min 5 s". */
export function took(micros) {
  if (micros < 0) return took(0);
  if (micros < 999.5) return `${Math.round(micros)} µs`;
  if (micros < 9995) return `${(micros / 1e3).toFixed(1)} ms`;
  if (micros < 999500) return `${Math.round(micros / 1e3)} ms`;
  if (micros < 99.5e6) return `${(micros / 1e6).toFixed(2)} s`;
  const seconds = Math.round(micros / 1e6);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** Says a moment of the day, to the millisecond: "09:41:07.120". */
export function moment(seconds) {
  return new Date(seconds * 1000).toISOString().slice(11, 23);
}

const isEvent = (step) => step.kind === "request" && step.resource === "events";
const isRead = (step) => step.kind === "request" && reads(step);

/**
 * Returns the rows of a waterfall, in the order of time, indented below what caused them.
 * Events and reads are left out unless `all`; `hidden` says how many.
 */
export function rowsOf(story, all = false) {
  const shown = story.steps.filter((step) => all || !(isEvent(step) || isRead(step)));
  const depth = new Map([[story.root.auditID, 0]]);
  const rows = shown.map((step) => {
    const at = (depth.get(step.parent) ?? 0) + 1;
    depth.set(step.id, at);
    return { step, depth: Math.min(at, 6), from: step.at - story.root.at, to: step.at + step.seconds - story.root.at };
  });
  const end = Math.max(story.root.seconds, ...rows.map((row) => row.to));
  return { rows, end, hidden: story.steps.length - shown.length };
}

/** Returns the seconds at which to draw lines: three to six, at round numbers. */
export function ticks(end) {
  if (!(end > 0)) return [0];
  const rough = end / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough);
  const found = [];
  for (let at = 0; at <= end * 1.0001; at += step) found.push(at);
  return found;
}
