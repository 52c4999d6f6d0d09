// The lines of logs: of several sources, in the order of their times, the oldest let go.

const STAMP = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)) (.*)$/s;
/** So many lines are about 10 MB of a tab's memory. */
export const KEPT = 20_000;

/** Takes a line apart: when it was written, and its text. */
export function read(source, line) {
  const match = STAMP.exec(line);
  return { source, at: match ? match[1] : "", text: match ? match[2] : line };
}

export class Lines {
  constructor(kept = KEPT) {
    this.kept = kept;
    this.all = [];
    this.rest = new Map();
    this.dropped = 0;
  }

  /** Adds what a stream sent; a line counts when it is complete. */
  add(source, text) {
    const parts = ((this.rest.get(source) ?? "") + text).split("\n");
    this.rest.set(source, parts.pop());
    let sorted = true;
    for (const part of parts) {
      const line = read(source, part);
      const last = this.all.at(-1);
      if (last && line.at && last.at > line.at) sorted = false;
      this.all.push(line);
    }
    if (!sorted) this.all.sort((a, b) => (a.at < b.at ? -1 : Number(a.at > b.at)));
    const over = this.all.length - this.kept;
    if (over > 0) {
      this.all.splice(0, over);
      this.dropped += over;
    }
  }

  /** Forgets a source, whose tail comes again. */
  forget(source) {
    this.all = this.all.filter((line) => line.source !== source);
    this.rest.delete(source);
  }
}

/** Reads what to search for: a text, or a pattern between slashes. Returns {find, bad}. */
export function search(text) {
  if (!text) return { find: null };
  const pattern = /^\/(.+)\/(i?)$/.exec(text);
  try {
    const source = pattern ? pattern[1] : text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    return { find: new RegExp(source, pattern ? `g${pattern[2]}` : "gi") };
  } catch {
    return { find: null, bad: text };
  }
}

/** Cuts a text into what matches and what does not: [[text, matches]...]. */
export function pieces(text, find) {
  if (!find) return [[text, false]];
  const found = [];
  let from = 0;
  for (const match of text.matchAll(find)) {
    if (!match[0]) continue;
    if (match.index > from) found.push([text.slice(from, match.index), false]);
    found.push([match[0], true]);
    from = match.index + match[0].length;
  }
  if (from < text.length || !found.length) found.push([text.slice(from), false]);
  return found;
}
