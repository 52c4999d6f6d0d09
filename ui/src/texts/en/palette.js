// The palette and its command line.
import { group, plural } from "../numbers.js";

function where({ kind, namespace }) {
  if (!kind.namespaced) return "";
  return namespace ? ` in ${namespace}` : " in all namespaces";
}

export const palette = {
  label: "Search and commands",
  hint: "Search objects, pages, actions; : for commands",
  results: "Results",
  objects: "Objects",
  objectsOf: (shown, total) => `Objects (${group(shown)} of ${group(total)})`,
  pages: "Pages",
  kinds: "Kinds",
  panels: "Panels of the dock",
  actions: "Actions",
  clusters: "Clusters",
  cluster: "Cluster",
  before: "Commands of before",
  complete: "Complete",
  looking: "Looking…",
  nothing: (query) => `Nothing matches ${query}. Objects are found by name, namespace and kind.`,
  keys: (command) => (command ? "↑↓ choose or go back · Tab completes · Enter goes there · Esc closes" : "↑↓ choose · Enter opens · : for commands · Esc closes"),
  noKind: (word, cluster) => `${cluster || "This page"} has no kind ${word}.`,
  didYouMean: (word) => `Did you mean ${word}?`,
  noCluster: (name) => `There is no cluster ${name}.`,
  noKinds: (why) => `The kinds of the cluster could not be read: ${why}`,
  noSearch: (why) => `The search did not work: ${why}`,
  shows(read) {
    if (read.name) return `Opens ${read.kind.kind} ${read.name}${read.namespace ? ` in ${read.namespace}` : ""}.`;
    const labels = read.selector.length ? ` with ${plural(read.selector.length, "label", "labels")} ${read.selector.join(", ")}` : "";
    const part = read.filter && !labels ? `, names with “${read.filter}”` : "";
    return `Lists ${read.kind.plural}${where(read)}${labels}${part}.`;
  },
};
