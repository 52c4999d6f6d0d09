// Recordings in the form of asciicast v2. Pure functions.

/** Reads a recording: {width, height, title, events: [{at, code, data}], length}. Throws a SyntaxError. */
export function parse(text) {
  const lines = text.split("\n").filter((line) => line.trim());
  const header = JSON.parse(lines[0] ?? "null");
  if (header?.version !== 2 || !(header.width > 0) || !(header.height > 0)) throw new SyntaxError("no asciicast v2");
  const events = [];
  for (const line of lines.slice(1)) {
    const [at, code, data] = JSON.parse(line);
    if (typeof at === "number" && typeof data === "string" && (code === "o" || code === "r")) events.push({ at, code, data });
  }
  return { width: header.width, height: header.height, title: String(header.title ?? ""), events, length: events.at(-1)?.at ?? 0 };
}

/** Returns the events after one moment, up to another. */
export function between(events, after, until) {
  return events.filter((event) => event.at > after && event.at <= until);
}

/** Reads "80x24" as columns and rows; null for what is none, or too large to be true. */
export function sizeOf(data) {
  const found = /^(\d{1,4})x(\d{1,4})$/.exec(data);
  if (!found) return null;
  const [columns, rows] = [Number(found[1]), Number(found[2])];
  return columns > 0 && rows > 0 && columns <= 1000 && rows <= 500 ? { columns, rows } : null;
}

/** Writes seconds as m:ss. */
export function moment(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
