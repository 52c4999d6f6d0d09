// Events as the dock shows them: filtered, the same ones counted together, the latest first. Pure functions.

/** @typedef {{id: string, ns: string, type: string, reason: string, object: string, message: string, count: number, at: number, link: string}} Happening */

/** Makes an event of a row of the API's table of events, by the names of its columns. */
export function fromRow(row, columns, now) {
  const get = (name) => {
    const column = columns.find((one) => one.name === name);
    return column ? column.get(row) : "";
  };
  const seen = columns.find((one) => one.name === "Last Seen");
  return {
    id: row.uid,
    ns: row.ns,
    type: String(get("Type") ?? ""),
    reason: String(get("Reason") ?? ""),
    object: String(get("Object") ?? ""),
    message: String(get("Message") ?? "").trim(),
    count: Number(get("Count")) || 1,
    at: seen ? -seen.key(row) || now : now,
    link: "",
  };
}

/** Makes an event of a problem of the workspace; its time is the machine's own. */
export function fromProblem({ id, at, what, text, count, link }) {
  return { id, ns: "", type: "Error", reason: what, object: "", message: text, count, at, link };
}

/** Tells whether an event is one of those asked for. */
export function shows({ type = "", ns = "", object = "", q = "" }) {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  return (event) => {
    if (type && event.type !== type && !(type === "Warning" && event.type === "Error")) return false;
    if (event.type !== "Error") {
      if (ns && event.ns !== ns) return false;
      if (object && event.object !== object) return false;
    }
    const text = `${event.ns} ${event.type} ${event.reason} ${event.object} ${event.message}`.toLowerCase();
    return words.every((word) => (word.startsWith("-") && word.length > 1 ? !text.includes(word.slice(1)) : text.includes(word)));
  };
}

const latestFirst = (a, b) => b.at - a.at || (a.id < b.id ? 1 : -1);

/** Returns the events in order; with `grouped` those of one type, reason and kind of object are one line. */
export function arrange(events, wanted, { grouped = false } = {}) {
  const shown = events.filter(shows(wanted)).sort(latestFirst);
  if (!grouped) return shown;
  const groups = new Map();
  for (const event of shown) {
    const key = [event.type, event.reason, event.object.split("/")[0]].join("\n");
    const group = groups.get(key);
    if (!group) groups.set(key, { ...event, objects: new Set([`${event.ns}/${event.object}`]) });
    else {
      group.count += event.count;
      group.objects.add(`${event.ns}/${event.object}`);
    }
  }
  return [...groups.values()].map((group) => ({ ...group, objects: group.objects.size }));
}

/** Counts what there is of each type. */
export function tally(events) {
  const found = { Normal: 0, Warning: 0, Error: 0 };
  for (const { type } of events) found[type] = (found[type] ?? 0) + 1;
  return found;
}
