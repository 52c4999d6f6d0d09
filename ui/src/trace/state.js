// What the trace page shows, in its address: /clusters/NAME/trace/AUDIT_ID?who=all&hop=store. Defaults are left out.
//
// `?object=pods/default/web-1` has all requests about an object, or that wrote it, whoever made them.

export const FILTERS = ["who", "user", "verb", "resource", "namespace", "object", "code", "terminal", "session"];
// As in the addresses of other pages, to which it goes along.
const NAMES = { namespace: "ns" };
const TEXTS = [...FILTERS, "hop", "compare"];
const SWITCHES = ["follow", "details", "all", "explain"];
const SPEEDS = ["live", "slow", "step"];
const PATH = /^\/clusters\/([^/]+)\/trace(?:\/([^/]+))?\/?$/;

/** Reads the address of the page, or another one. */
export function readAddress(url = globalThis.location) {
  const [, cluster = "", id = ""] = PATH.exec(url.pathname) ?? [];
  const params = new URLSearchParams(url.search);
  const state = { cluster: decodeURIComponent(cluster), id: decodeURIComponent(id) };
  for (const name of TEXTS) state[name] = params.get(NAMES[name] ?? name) ?? "";
  for (const name of SWITCHES) state[name] = params.get(name) === "1";
  const speed = params.get("speed");
  state.speed = SPEEDS.includes(speed) ? speed : "live";
  return state;
}

/** Whose requests are shown, if nobody says: of an object all, since workers write most of what is there. */
const usual = (state) => (state.object ? "all" : "people");

/** Returns what is asked for: the filters that are set, and whose requests. */
export function filterOf(state) {
  return { who: usual(state), ...Object.fromEntries(FILTERS.map((name) => [name, state[name]]).filter(([, value]) => value)) };
}

/** Tells whether less is shown than all requests of people. */
export const isNarrowed = (state) => FILTERS.some((name) => state[name] && !(name === "who" && state.who === usual(state)));

/** Returns the address of a request, with all that is chosen on the page. */
export function addressOf(cluster, id, state) {
  const params = new URLSearchParams();
  for (const name of TEXTS) if (state[name] && !(name === "who" && state.who === usual(state))) params.set(NAMES[name] ?? name, state[name]);
  for (const name of SWITCHES) if (state[name]) params.set(name, "1");
  if (state.speed && state.speed !== "live") params.set("speed", state.speed);
  const path = `/clusters/${encodeURIComponent(cluster)}/trace${id ? `/${encodeURIComponent(id)}` : ""}`;
  return params.size ? `${path}?${params}` : path;
}

/** Puts it into the address bar; another request is a step that the back button undoes. */
export function writeAddress(cluster, id, state, { replace = false } = {}) {
  const address = addressOf(cluster, id, state);
  const now = readAddress();
  if (address === addressOf(now.cluster, now.id, now)) return;
  history[replace ? "replaceState" : "pushState"](replace ? history.state : { y: 0 }, "", address);
  window.dispatchEvent(new CustomEvent("kp-address"));
}
