// Where links of a page lead: within a cluster they keep the namespace and the revision that one looks at.

const CLUSTER = /^\/clusters\/([^/]+)(?:\/|$)/;
const KEPT = ["ns", "rev"];

const clusterOf = (url) => CLUSTER.exec(url.pathname)?.[1] ?? null;

/** Returns an address with what it keeps of a page at `here`, unless it says so itself. */
export function stay(address, here, kept = KEPT) {
  const url = new URL(address, here);
  const now = new URL(here);
  const cluster = clusterOf(now);
  if (!cluster || url.origin !== now.origin || clusterOf(url) !== cluster) return url;
  for (const name of kept) {
    const value = now.searchParams.get(name);
    if (value && !url.searchParams.has(name)) url.searchParams.set(name, value);
  }
  return url;
}

/** Returns an address with the namespace and the revision of now, and with no others. */
export function carry(address, here) {
  const url = new URL(address, here);
  const now = new URL(here).searchParams;
  for (const name of KEPT) {
    if (now.get(name)) url.searchParams.set(name, now.get(name));
    else url.searchParams.delete(name);
  }
  return url;
}
