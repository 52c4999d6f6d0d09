// Three texts, line by line: what both changed of the same beginning is brought together. Pure.
import { diff } from "@codemirror/merge";

const linesOf = (text) => text.split("\n");

/** Gives each different line a character of its own, so that texts of lines can be compared as texts. */
function coded(texts) {
  const known = new Map();
  const code = (line) => {
    if (!known.has(line)) known.set(line, String.fromCharCode(known.size < 0xd800 ? known.size : known.size + 0x800));
    return known.get(line);
  };
  return texts.map((lines) => lines.map(code).join(""));
}

/** Returns what one side changed: {from, to} in the lines of the beginning, and the lines now. */
function changes(base, side, lines) {
  return diff(base, side).map(({ fromA, toA, fromB, toB }) => ({ from: fromA, to: toA, lines: lines.slice(fromB, toB) }));
}

/**
 * Puts changes of the same lines, and lines added at the same place, into one region: {from, to, mine: [...],
 * theirs: [...]}. Lines beside each other are fields beside each other: these go together.
 */
function regions(mine, theirs) {
  const all = [...mine.map((one) => ({ ...one, side: "mine" })), ...theirs.map((one) => ({ ...one, side: "theirs" }))].sort((a, b) => a.from - b.from || a.to - b.to);
  const found = [];
  for (const one of all) {
    const last = found.at(-1);
    const added = one.from === one.to;
    const touches = last && (one.from < last.to || (added && one.from === last.from && one.to === last.to));
    if (touches) {
      last.to = Math.max(last.to, one.to);
      last[one.side].push(one);
    } else found.push({ from: one.from, to: one.to, mine: [], theirs: [], [one.side]: [one] });
  }
  return found;
}

/** Returns the lines that a region has on one side. */
function side(base, { from, to }, list) {
  const lines = [];
  let at = from;
  for (const one of list) {
    lines.push(...base.slice(at, one.from), ...one.lines);
    at = one.to;
  }
  return [...lines, ...base.slice(at, to)];
}

/**
 * Merges two texts that began as the same one.
 *
 * Returns {text, conflicts}: where both changed the same lines, the text has mine, and the conflict says where
 * {from, to} in the text, and what theirs is.
 */
export function merge(base, mine, theirs) {
  const [baseLines, myLines, theirLines] = [base, mine, theirs].map(linesOf);
  const [baseCode, myCode, theirCode] = coded([baseLines, myLines, theirLines]);
  const merged = [];
  const conflicts = [];
  let at = 0;
  for (const region of regions(changes(baseCode, myCode, myLines), changes(baseCode, theirCode, theirLines))) {
    merged.push(...baseLines.slice(at, region.from));
    const own = side(baseLines, region, region.mine);
    const other = side(baseLines, region, region.theirs);
    const lines = region.mine.length ? own : other;
    if (region.mine.length && region.theirs.length && own.join("\n") !== other.join("\n")) {
      conflicts.push({ line: merged.length, count: lines.length, mine: own.join("\n"), theirs: other.join("\n") });
    }
    merged.push(...lines);
    at = region.to;
  }
  merged.push(...baseLines.slice(at));
  return { text: merged.join("\n"), conflicts: conflicts.map((one) => ranged(merged, one)) };
}

/** Lines as offsets of the text; a conflict without lines of mine is a place between two. */
function ranged(lines, { line, count, mine, theirs }) {
  const from = lines.slice(0, line).reduce((sum, one) => sum + one.length + 1, 0);
  const length = lines.slice(line, line + count).join("\n").length;
  return { from, to: from + length, mine, theirs, empty: count === 0 };
}
