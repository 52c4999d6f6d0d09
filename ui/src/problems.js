// What the site refused of what one did on its pages: kept for the dock's Events, beside where it happened.
//
// They last as long as the tab of the browser does, by cluster; the same refusal again is counted.
import { ofTab } from "./storage.js";

const KEPT = 100;
const key = (cluster) => `kp-problems:${cluster}`;

/** @typedef {{id: string, at: number, what: string, text: string, count: number, link?: string}} Problem */

/** Returns a cluster's problems, the latest first. */
export function problems(cluster, storage = ofTab()) {
  try {
    return JSON.parse(storage.getItem(key(cluster))) ?? [];
  } catch {
    return []; // nothing kept, or storage is forbidden
  }
}

function keep(cluster, list, storage) {
  try {
    storage.setItem(key(cluster), JSON.stringify(list));
  } catch {
    // They stand where they happened, at least.
  }
  globalThis.window?.dispatchEvent(new CustomEvent("kp-problems", { detail: { cluster } }));
}

/** Adds a problem; one of the same words moves to the front. */
export function note(cluster, { what, text, link = "" }, { storage = ofTab(), now = Date.now() } = {}) {
  const list = problems(cluster, storage);
  const before = list.find((one) => one.what === what && one.text === text);
  const rest = list.filter((one) => one !== before);
  const made = { id: before?.id ?? `${now}-${rest.length}`, at: now, what, text, link, count: (before?.count ?? 0) + 1 };
  keep(cluster, [made, ...rest].slice(0, KEPT), storage);
}

export function forgetProblems(cluster, storage = ofTab()) {
  keep(cluster, [], storage);
}

/** Says in a word or two what a request was for: "delete pods/web-1", or the last parts of its path. */
export function whatOf(method, path, body) {
  if (body?.action && body.target) {
    const { namespace, name } = body.target;
    return `${body.action} ${body.resource?.plural ?? ""}/${name}${namespace ? ` -n ${namespace}` : ""}`;
  }
  const parts = path.split("?")[0].split("/").slice(4);
  const verb = body?.action ?? { DELETE: "delete", PATCH: "change" }[method] ?? "";
  return [verb, parts.map(decodeURIComponent).join("/")].filter(Boolean).join(" ");
}

/** Takes a refused request of a cluster; reads and rehearsals are told where they are asked for. */
export function heard(method, url, body, error) {
  const cluster = /^\/api\/clusters\/([^/?]+)\/./.exec(url)?.[1];
  if (!cluster || method === "GET" || body?.dry_run || error.name === "AbortError") return;
  note(decodeURIComponent(cluster), { what: whatOf(method, url, body), text: error.message });
}
