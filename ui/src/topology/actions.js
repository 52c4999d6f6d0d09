// What can be done to a pod, a node, or many pods: the menu, the bar of a selection, their dialogs.
import { html, nothing } from "lit";

import { openPanel } from "../dock/open.js";
import { visit } from "../router.js";
import { t } from "../texts.js";
import { pickOnly, select } from "./selection.js";

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
  select(host, pod.uid, true);
}

/** The entries of a pod's menu: [text, what it does]. Who may only look gets those that look. */
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
    [...look.slice(0, 2), ...(host.hasPanel("terminal") ? [[words.shell, () => openPanel("terminal", { kind: "pod", ...at })]] : []), ...look.slice(2)],
    [
      [words.label, () => act(host, "label", [pod])],
      [words.evict, () => act(host, "evict", [pod])],
      [words.delete, () => act(host, "delete", [pod])],
    ],
    [
      [words.kill, () => host.breakSomething("kill-container", { pod: `${pod.ns}/${pod.name}` })],
      [words.cut, () => host.breakSomething("cut-link", { from: `pod/${pod.ns}/${pod.name}` })],
    ],
  ];
}

/** The entries of a node's menu. */
export function nodeEntries(host, node) {
  const words = t.topology.menu;
  const look = [[words.page, () => visit(new URL(nodePage(host, node), location.href))]];
  if (host.readonly) return [look];
  return [
    look,
    [
      node.cordoned ? [words.uncordon, () => act(host, "uncordon", [node], NODE)] : [words.cordon, () => act(host, "cordon", [node], NODE)],
      [words.drain, () => act(host, "drain", [node], NODE)],
      [words.label, () => act(host, "label", [node], NODE)],
    ],
    [
      [words.stop, () => host.breakSomething("stop-node", { node: node.name })],
      [words.disk, () => host.breakSomething("disk-full", { node: node.name })],
      [words.unheard, () => host.breakSomething("cut-link", { from: `node/${node.name}`, to: "node/control-plane" })],
    ],
  ];
}

/** Opens the menu for what is under the pointer, or for the selection. */
export function openMenu(host, { x, y, pod, node }) {
  const object = pod ?? node;
  if (!object) return;
  host.menu = { x, y, name: object.name, groups: pod ? podEntries(host, pod) : nodeEntries(host, node) };
  host.updateComplete.then(() => {
    const menu = host.querySelector(".kp-context");
    const room = host.stage.getBoundingClientRect();
    menu.style.left = `${Math.max(4, Math.min(x, room.width - menu.offsetWidth - 4))}px`;
    menu.style.top = `${Math.max(4, Math.min(y, room.height - menu.offsetHeight - 4))}px`;
    menu.querySelector("button")?.focus();
  });
}

/** Opens the menu of the selection, where one does so by a key. */
export function menuOfSelection(host) {
  const pod = host.selected && host.store.pods.get(host.selected);
  const at = pod && host.scene.whereIs(pod.uid);
  if (at) openMenu(host, { x: at.x + 8, y: at.y + 8, pod });
}

function close(host, back = true) {
  host.menu = null;
  if (back) host.stage.focus();
}

function move(event, by) {
  const items = [...event.currentTarget.querySelectorAll("button")];
  const at = items.indexOf(document.activeElement);
  const to = by === Infinity ? items.length - 1 : by === -Infinity ? 0 : (at + by + items.length) % items.length;
  items[to]?.focus();
}

const MOVES = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity };

function pressed(host, event) {
  // What is pressed here is meant for the menu, not for the picture below it.
  event.stopPropagation();
  if (event.key in MOVES) move(event, MOVES[event.key]);
  else if (event.key === "Escape" || event.key === "Tab") close(host);
  else return;
  event.preventDefault();
}

export function renderMenu(host) {
  const { menu } = host;
  if (!menu) return nothing;
  const run = (work) => {
    close(host, false);
    work();
  };
  return html`<div class="kp-context" role="menu" aria-label=${t.topology.menu.of(menu.name)} @keydown=${(event) => pressed(host, event)} @focusout=${(event) => event.currentTarget.contains(event.relatedTarget) || close(host, false)}>
    <p class="kp-context-title" role="presentation">${menu.name}</p>
    ${menu.groups.map(
      (entries) => html`<div role="group">${entries.map(([text, work]) => html`<button type="button" role="menuitem" tabindex="-1" @click=${() => run(work)}>${text}</button>`)}</div>`,
    )}
  </div>`;
}

/** The bar of many pods: how many, and what can be done to them together. */
export function renderBar(host) {
  const pods = [...host.picked].map((uid) => host.store.pods.get(uid)).filter(Boolean);
  if (!pods.length) return nothing;
  const words = t.topology.many;
  const nodes = [...new Set(pods.map((pod) => pod.node).filter(Boolean))].map((name) => host.store.nodeNamed(name)).filter((node) => node && !node.cordoned);
  const button = (text, work) => html`<button type="button" class="kp-button" @click=${work}>${text}</button>`;
  return html`<div class="kp-many" role="toolbar" aria-label=${words.label}>
    <strong role="status">${words.selected(pods.length)}</strong>
    ${host.readonly
      ? nothing
      : html`${button(words.delete, () => act(host, "delete", pods))} ${button(words.evict, () => act(host, "evict", pods))} ${button(words.labels, () => act(host, "label", pods))}
          ${nodes.length ? button(words.cordon(nodes.length), () => act(host, "cordon", nodes, NODE)) : nothing}`}
    ${button(words.clear, () => pickOnly(host, []))}
  </div>`;
}
