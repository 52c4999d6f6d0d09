// Every sentence that a script shows, in the language of the page.
//
//   t.trace.stopped(name)      a page's own sentences stand in texts/<language>/<page>.js
//
// English comes with every page; another language is a part that is loaded before anything runs.
import { english } from "./texts/en.js";

const LANGUAGES = { "zh-Hans": async () => (await import("./texts/zh-hans.js")).chinese };

const load = LANGUAGES[globalThis.document?.documentElement.lang];

export const t = load ? await load() : english;

/** Says a span of time in words: "45 s", "2 min", "3 h". */
export function span(seconds) {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}
