// What one chooses of a log, as texts: for the address of a page, or for what a panel remembers.
const USUAL = { container: "", previous: false, since: "", grep: "", only: false, times: false, wrap: true, follow: true };

export const NAMES = Object.keys(USUAL);

/** Reads options from texts by name; what is not named, or has no text, is left out. */
export function optionsOf(texts) {
  const found = {};
  for (const [name, usual] of Object.entries(USUAL)) {
    const text = texts[name];
    if (text) found[name] = typeof usual === "string" ? text : text !== "0";
  }
  return found;
}

/** Returns options as texts; those that are as usual are empty. */
export function textsOf(options) {
  const text = (value) => (typeof value === "string" ? value : value ? "1" : "0");
  return Object.fromEntries(Object.entries(USUAL).map(([name, usual]) => [name, options[name] === usual ? "" : text(options[name] ?? "")]));
}
