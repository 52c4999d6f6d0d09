// The lines of logs: of several sources, in the order of their times, the oldest let go.

const STAMP = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)) (.*)$/s;
/** So many lines are about 10 MB of a tab's memory. */
export const KEPT = 20_000;
/** Of a longer line this much is searched. */
const SEARCHED = 4000;

/** Takes a line apart: when it was written, and its text. */
export function read(source, line) {
  const match = STAMP.exec(line);
  return { source, at: match ? match[1] : "", text: match ? match[2] : line };
}

export class Lines {
  constructor(kept = KEPT) {
    this.kept = kept;
    this.all = [];
    this.sources = new Map(); // name -> {rest, last, same, skip}
    this.dropped = 0;
  }

  source(name) {
    if (!this.sources.has(name)) this.sources.set(name, { rest: "", last: "", same: 0, skip: null });
    return this.sources.get(name);
  }

  /** Adds what a stream sent; a line counts when it is complete. */
  add(name, text) {
    const source = this.source(name);
    const parts = (source.rest + text).split("\n");
    source.rest = parts.pop();
    let sorted = true;
    for (const part of parts) {
      const line = read(name, part);
      if (this.had(source, line)) continue;
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

  /** Tells whether a line came before the connection was lost, and remembers where the source is. */
  had(source, { at }) {
    if (!at) return false;
    const { skip } = source;
    if (skip && at < skip.at) return true;
    if (skip && at === skip.at && skip.left > 0) {
      skip.left -= 1;
      return true;
    }
    if (at === source.last) source.same += 1;
    else if (at > source.last) Object.assign(source, { last: at, same: 1 });
    return false;
  }

  /**
   * Gets ready for a stream that begins anew: what it repeats is left out. Returns from when on the
   * lines of these sources are missing, "" if there are none yet.
   */
  resume(names) {
    let from = null;
    for (const name of names) {
      const source = this.source(name);
      source.rest = "";
      source.skip = source.last ? { at: source.last, left: source.same } : null;
      if (from === null || source.last < from) from = source.last;
    }
    return from ?? "";
  }

  /** Counts the lines of a source. */
  of(name) {
    return this.all.reduce((sum, line) => sum + Number(line.source === name), 0);
  }
}

/** A repetition of a group that repeats something itself, as (a+)+: it may take for ever. */
const FOREVER = /\((?:[^()\\]|\\.)*[*+}](?:[^()\\]|\\.)*\)(?:[*+]|\{\d*,)/;

/** Reads what to search for: a text, or a pattern between slashes. Returns {find, bad, forever}. */
export function search(text) {
  if (!text) return { find: null };
  const pattern = /^\/(.+)\/(i?)$/.exec(text);
  if (pattern && FOREVER.test(pattern[1])) return { find: null, bad: text, forever: true };
  try {
    const source = pattern ? pattern[1] : text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    return { find: new RegExp(source, pattern ? `g${pattern[2]}` : "gi") };
  } catch {
    return { find: null, bad: text };
  }
}

/** Tells whether a line has what is searched for. */
export const matches = (text, find) => (text.length > SEARCHED ? text.slice(0, SEARCHED) : text).search(find) >= 0;

/** Cuts a text into what matches and what does not: [[text, matches]...]. */
export function pieces(text, find) {
  if (!find) return [[text, false]];
  const found = [];
  let from = 0;
  for (const match of text.slice(0, SEARCHED).matchAll(find)) {
    if (!match[0]) continue;
    if (match.index > from) found.push([text.slice(from, match.index), false]);
    found.push([match[0], true]);
    from = match.index + match[0].length;
  }
  if (from < text.length || !found.length) found.push([text.slice(from), false]);
  return found;
}
