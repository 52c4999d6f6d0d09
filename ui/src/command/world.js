// What the palette knows of where it is: pages, clusters, and the cluster's kinds and namespaces.
import { request } from "../request.js";
import { readState } from "../url.js";

const KEPT = 10_000; // ms; a new kind of a cluster is known after this
const known = new Map(); // cluster -> {at, kinds, namespaces}

export const clusterHere = () => document.querySelector("kp-dock")?.getAttribute("cluster") ?? "";

export function pagesHere() {
  const links = [...document.querySelectorAll(".kp-rail a[data-page]")];
  return links.map((link) => ({ name: link.dataset.page, title: link.querySelector("span").textContent, address: link.getAttribute("href"), link }));
}

/** The clusters of the switcher, each with the address of this page there. */
export function clustersHere() {
  const switcher = document.getElementById("switcher");
  if (!switcher) return [...document.querySelectorAll("[data-cluster-link]")].map((link) => ({ name: link.dataset.clusterLink, address: link.getAttribute("href") }));
  const { pattern } = switcher.form.dataset;
  return [...switcher.options].map((option) => ({
    name: option.value,
    address: pattern.replace("-cluster-", encodeURIComponent(option.value)),
    here: option.selected,
  }));
}

export function worldNow() {
  const cluster = clusterHere();
  const { kinds = [], namespaces = [] } = known.get(cluster) ?? {};
  return { cluster, kinds, namespaces, pages: pagesHere(), clusters: clustersHere() };
}

/** The namespaces that are known so far. */
export const namespacesNow = () => known.get(clusterHere())?.namespaces ?? [];

/** Reads kinds and namespaces of the cluster, unless they are fresh. Raises what the site refused. */
export async function readWorld() {
  const cluster = clusterHere();
  const old = known.get(cluster);
  if (!cluster || (old && performance.now() - old.at < KEPT)) return;
  const answer = await request("GET", `/api/clusters/${encodeURIComponent(cluster)}/kinds`);
  known.set(cluster, { at: performance.now(), kinds: answer.items, namespaces: answer.namespaces });
}

/** Looks for objects by name, at the revision that one looks at. */
export async function findObjects(words, signal) {
  const cluster = clusterHere();
  if (!cluster) return { items: [], total: 0 };
  const { rev } = readState();
  const query = new URLSearchParams({ q: words, ...(rev && { rev }) });
  return request("GET", `/api/clusters/${encodeURIComponent(cluster)}/search?${query}`, undefined, { signal });
}
