// What can be done to a pod, a node, or many pods.
import { openPanel, openShell } from "../dock/open.js";
import { visit } from "../router.js";
import { t } from "../texts.js";
import { pickOnly, podOf, select } from "./selection.js";

const POD = { group: "", version: "v1", plural: "pods", kind: "Pod", namespaced: true };
const NODE = { group: "", version: "v1", plural: "nodes", kind: "Node", namespaced: false };

const target = ({ uid, ns = "", name }) => ({ uid, namespace: ns, name });
const pageOf = (host, pod) => `/clusters/${host.cluster}/objects/core/v1/pods/${encodeURIComponent(pod.ns)}/${encodeURIComponent(pod.name)}`;
const nodePage = (host, node) => `/clusters/${host.cluster}/objects/core/v1/nodes/-/${encodeURIComponent(node.name)}`;

/** Opens the dialog of an action; its code comes with its first use. */
export async function act(host, name, objects, resource = POD) {
  await import("../el/kp-action.js");
  await host.updateComplete;
  host.querySelector("kp-action").start({ name }, resource, objects.map(target));
}

/** Shows a tab of the pod's panel. */
function tab(host, pod, name) {
  host.tab = name;
  host.requestUpdate();
  select(host, pod.uid, true);
}

/** The buttons of a pod's panel: [name, text, what it does, or the address that it leads to, why one may not]. */
export function panelEntries(host, pod) {
  const words = t.topology.menu;
  const at = { ns: pod.ns, pod: pod.name };
  const cluster = `/clusters/${host.cluster}`;
  const object = new URLSearchParams({ kind: "pods", namespace: pod.ns, name: pod.name });
  const now = (...entries) => (host.past || host.gone ? [] : entries);
  return [
    ...now(["logs", words.logs, () => openPanel("logs", at)]),
    ...(host.readonly || !host.hasPanel("terminal") ? [] : now(["shell", words.shell, () => openShell("pods", pod), host.rights.shell("pods", pod.ns)])),
    ["yaml", words.yaml, () => tab(host, pod, "yaml")],
    ["describe", words.describe, () => tab(host, pod, "summary")],
    ["trace", words.trace, `${cluster}/trace?object=pods/${pod.ns}/${pod.name}`],
    ...(host.past ? [] : [["why", words.why, () => why(host)]]),
    ...(host.readonly ? [] : now(["edit", words.edit, `${cluster}/editor?${object}`])),
  ];
}

/** Shows in the panel why the selection stands where it stands. */
export async function why(host) {
  host.explain(true);
  await host.updateComplete;
  await host.querySelector("kp-panel").updateComplete;
  host.querySelector("kp-why")?.focusHead();
}

/** The entries of a pod's menu: [text, what it does, why one may not]. Who may only look gets those that look. */
export function podEntries(host, pod) {
  const words = t.topology.menu;
  const at = { ns: pod.ns, pod: pod.name };
  const look = [
    [words.page, () => visit(new URL(pageOf(host, pod), location.href))],
    // Logs are of what runs now.
    ...(host.past ? [] : [[words.logs, () => openPanel("logs", at)]]),
    [words.yaml, () => tab(host, pod, "yaml")],
    [words.describe, () => tab(host, pod, "summary")],
  ];
  if (host.readonly) return [look];
  return [
    [...look.slice(0, 2), ...(host.hasPanel("terminal") ? [[words.shell, () => openShell("pods", pod), host.rights.shell("pods", pod.ns)]] : []), ...look.slice(2)],
    [
      [words.label, () => act(host, "label", [pod])],
      [words.evict, () => act(host, "evict", [pod])],
      [words.delete, () => act(host, "delete", [pod])],
    ],
    [
      [words.kill, () => host.breakSomething("kill-container", { pod: `${pod.ns}/${pod.name}` }), host.rights.breaking],
      [words.cut, () => host.breakSomething("cut-link", { from: `pod/${pod.ns}/${pod.name}` }), host.rights.breaking],
    ],
  ];
}

/** The entries of a node's menu. */
export function nodeEntries(host, node) {
  const words = t.topology.menu;
  const look = [[words.page, () => visit(new URL(nodePage(host, node), location.href))]];
  if (host.readonly) return [look];
  const shell = [words.shell, () => openShell("nodes", node), host.rights.shell("nodes")];
  return [
    host.hasPanel("terminal") ? [...look, shell] : look,
    [
      node.cordoned ? [words.uncordon, () => act(host, "uncordon", [node], NODE)] : [words.cordon, () => act(host, "cordon", [node], NODE)],
      [words.drain, () => act(host, "drain", [node], NODE)],
      [words.label, () => act(host, "label", [node], NODE)],
    ],
    [
      [words.stop, () => host.breakSomething("stop-node", { node: node.name }), host.rights.breaking],
      [words.disk, () => host.breakSomething("disk-full", { node: node.name }), host.rights.breaking],
      [words.unheard, () => host.breakSomething("cut-link", { from: `node/${node.name}`, to: "node/control-plane" }), host.rights.breaking],
    ],
  ];
}

/** The pods that an action is about: the many that are picked, or else the selection. */
export function subjects(host) {
  if (host.picked.size) return [...host.picked].map((uid) => host.store.pods.get(uid)).filter(Boolean);
  const pod = podOf(host);
  return pod ? [pod] : [];
}

/** The nodes of pods that can be cordoned. */
export function openNodesOf(host, pods) {
  const names = new Set(pods.map((pod) => pod.node).filter(Boolean));
  return [...names].map((name) => host.store.nodeNamed(name)).filter((node) => node && !node.cordoned);
}

/** Opens the dialog of an action on the nodes of pods. */
export function actOnNodes(host, name, pods) {
  const nodes = openNodesOf(host, pods);
  if (nodes.length) act(host, name, nodes, NODE);
}

/** The entries for many pods at once: of the menu, and of the bar below the picture. */
export function manyEntries(host, pods) {
  const words = t.topology.many;
  const nodes = openNodesOf(host, pods).length;
  const clear = [words.clear, () => pickOnly(host, [])];
  if (host.readonly) return [[clear]];
  return [
    [
      [words.delete, () => act(host, "delete", pods)],
      [words.evict, () => act(host, "evict", pods)],
      [words.labels, () => act(host, "label", pods)],
      ...(nodes ? [[words.cordon(nodes), () => actOnNodes(host, "cordon", pods)]] : []),
    ],
    [clear],
  ];
}
