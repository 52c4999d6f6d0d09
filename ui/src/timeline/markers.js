// What is marked below the density: warnings, what was broken on purpose, what was mended. Pure functions.
import { place } from "./model.js";

const APART = 0.012; // of the range: nearer ones of a kind are one marker

/** Returns the marks of an overview in the order of revisions: {revision, kind, text}. */
export function marksOf(overview, words) {
  const warnings = overview.warnings.map((one) => ({ revision: one.revision, kind: "warning", text: words.warningOf(one) }));
  const broken = overview.failures.map(({ revision, state, what }) => ({ revision, kind: state, text: state === "began" ? words.broken(what) : words.mended(what) }));
  return [...warnings, ...broken].sort((a, b) => a.revision - b.revision);
}

/** Gathers the marks of a range that would lie upon each other: {revision, kind, count, x, texts}. */
export function markersOf(marks, range) {
  const found = [];
  const last = new Map();
  for (const mark of marks) {
    if (mark.revision <= range.after || mark.revision > range.upto) continue;
    const x = place(mark.revision, range);
    const near = last.get(mark.kind);
    if (near && x - near.x < APART) {
      near.count += 1;
      if (near.texts.at(-1) !== mark.text) near.texts.push(mark.text);
    } else {
      const fresh = { revision: mark.revision, kind: mark.kind, count: 1, x, texts: [mark.text] };
      last.set(mark.kind, fresh);
      found.push(fresh);
    }
  }
  return found;
}

/** Returns the next mark after (1) or before (-1) a revision, null where there is none. */
export function nextMark(marks, rev, direction) {
  if (direction > 0) return marks.find((one) => one.revision > rev) ?? null;
  return marks.findLast((one) => one.revision < rev) ?? null;
}
