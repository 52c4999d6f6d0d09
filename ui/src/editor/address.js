// Where the editor of an object is. Pure.

/** Returns the address: `resource` has group and plural, `rev` is a revision to look at. */
export function editorOf(cluster, { group, plural }, { ns, name }, rev = null) {
  const query = new URLSearchParams({ kind: group && group !== "core" ? `${plural}.${group}` : plural });
  if (ns) query.set("namespace", ns);
  query.set("name", name);
  if (rev) query.set("rev", rev);
  return `/clusters/${encodeURIComponent(cluster)}/editor?${query}`;
}
