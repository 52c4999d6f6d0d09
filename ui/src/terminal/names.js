// Names of objects in what kubectl prints, and the addresses of their pages. Pure functions.
//
// The requests of a command say what its output is about: kind, version and namespace stand in
// their paths. Where they do not, the site is asked to find the kind.

// Kinds that stand in outputs of commands that did not ask for them, as in a list of events.
const KNOWN = new Set(
  ("pod pods deployment deployments replicaset replicasets statefulset statefulsets daemonset daemonsets job jobs " +
    "cronjob cronjobs service services svc node nodes namespace namespaces configmap configmaps secret secrets " +
    "serviceaccount serviceaccounts persistentvolumeclaim persistentvolume ingress ingresses endpointslice event " +
    "role rolebinding clusterrole clusterrolebinding horizontalpodautoscaler networkpolicy storageclass").split(" "),
);
const TYPED = /(^|[\s"'(])([a-z][a-z0-9]*(?:\.[a-z0-9.-]+)?)\/([a-z0-9](?:[a-z0-9.:-]*[a-z0-9])?)(?=$|[\s"',:)])/g;
const NAME = /^[a-z0-9](?:[a-z0-9.:-]*[a-z0-9])?$/;

/** Reads the path of a request: {group, version, plural, ns, name}; null for one about no kind. */
export function about(path) {
  const plain = path.split("?")[0];
  const found = /^\/(?:api\/(v[a-z0-9]+)|apis\/([^/]+)\/([^/]+))(?:\/namespaces\/([^/]+)(?=\/[^/]))?\/([^/]+)(?:\/([^/]+))?/.exec(plain);
  if (!found) return null;
  const [, core, group, version, ns, plural, name] = found;
  return { group: group ?? "", version: core ?? version, plural, ns: ns ?? "", name: name ?? "" };
}

/** Tells whether a word that kubectl prints before the slash means a kind of a path. */
export function means(word, { group, plural }) {
  const [kind, ...rest] = word.split(".");
  const asked = rest.join(".");
  if (asked && asked !== group) return false;
  return [kind, `${kind}s`, `${kind}es`, kind.replace(/y$/, "ies")].includes(plural);
}

function address(cluster, { group, version, plural }, ns, name) {
  const parts = [cluster, "objects", group || "core", version, plural, ns || "-", name];
  return `/clusters/${parts.map(encodeURIComponent).join("/")}`;
}

/** Returns the names in a line: [{start, end, text, href}], columns counted from 0. */
export function namesIn(cluster, line, requests, header = null) {
  const subjects = requests.map((request) => about(request.path)).filter(Boolean);
  const found = [];
  for (const match of line.matchAll(TYPED)) {
    const [, before, word, name] = match;
    const start = match.index + before.length;
    const subject = subjects.find((one) => means(word, one));
    const ns = subjects.find((one) => one.ns)?.ns ?? "";
    let href = null;
    if (subject) href = address(cluster, subject, subject.ns || (subject.name ? "" : ns), name);
    else if (KNOWN.has(word.split(".")[0])) href = finder(cluster, `${word}/${name}`, ns);
    if (href) found.push({ start, end: start + word.length + 1 + name.length, text: `${word}/${name}`, href });
  }
  const cell = header && rowName(cluster, line, subjects, header);
  if (cell) found.push(cell);
  return found;
}

function finder(cluster, what, ns) {
  const query = new URLSearchParams({ what, ...(ns && { ns }) });
  return `/clusters/${encodeURIComponent(cluster)}/terminal/named?${query}`;
}

/** The name in a row of a table, if all lists that were asked for are one. */
function rowName(cluster, line, subjects, header) {
  const lists = subjects.filter((one) => !one.name);
  const list = lists[0];
  if (!list || lists.some((one) => one.plural !== list.plural || one.group !== list.group)) return null;
  const column = header.search(/\bNAME\b/);
  const across = /^NAMESPACE\s/.test(header);
  const name = line.slice(column).split(/\s/)[0];
  if (!NAME.test(name) || (column > 0 && line[column - 1] !== " ")) return null;
  const ns = across ? line.split(/\s/)[0] : list.ns;
  return { start: column, end: column + name.length, text: `${list.plural}/${name}`, href: address(cluster, list, ns, name) };
}

export const isHeader = (line) => /^(NAMESPACE +)?NAME( |$)/.test(line);
