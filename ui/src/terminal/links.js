// Makes names of objects in the output clickable.
import { t } from "../texts.js";
import { isHeader, namesIn } from "./names.js";

// A table that is longer has its head out of sight for long.
const HIGHEST = 2000;

function headerAbove(terminal, command, line) {
  const first = Math.max(command.output.line, line - HIGHEST);
  for (let at = line - 1; at >= first; at -= 1) {
    const text = terminal.buffer.active.getLine(at)?.translateToString(true) ?? "";
    if (isHeader(text)) return text;
    if (text === "") return null; // kubectl puts an empty line between tables
  }
  return null;
}

/** What xterm asks for the links of a line; lines count from 1 there. */
export function linkProvider(terminal, marks, cluster, go) {
  return {
    provideLinks(y, callback) {
      const line = y - 1;
      const command = marks.at(line);
      const text = terminal.buffer.active.getLine(line)?.translateToString(true) ?? "";
      if (!command || !text) return callback(undefined);
      const names = namesIn(cluster, text, command.requests, headerAbove(terminal, command, line));
      return callback(
        names.map(({ start, end, text: what, href }) => ({
          range: { start: { x: start + 1, y }, end: { x: end, y } },
          text: t.terminal.openObject(what),
          activate: (event) => go(href, event),
        })),
      );
    },
  };
}
