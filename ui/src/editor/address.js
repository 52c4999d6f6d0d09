// Where the editor of an object is. Pure.

/** Returns the address: `resource` has group and plural, `rev` is a revision to look at, `from` one to begin with. */
export function editorOf(cluster, { group, plural }, { ns, name }, { rev = null, from = null } = {}) {
  const query = new URLSearchParams({ kind: group && group !== "core" ? `${plural}.${group}` : plural });
  if (ns) query.set("namespace", ns);
  query.set("name", name);
  if (rev) query.set("rev", rev);
  if (from) query.set("from", from);
  return `/clusters/${encodeURIComponent(cluster)}/editor?${query}`;
}
