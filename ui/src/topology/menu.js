// The menu of an object or of many, and the bar of many: what actions.js says can be done.
import { html, nothing } from "lit";

import { t } from "../texts.js";
import { manyEntries, nodeEntries, podEntries, subjects } from "./actions.js";

/** Opens the menu for what is under the pointer, at a point of the window. */
export function openMenu(host, { x, y, pod, node }) {
  const pods = subjects(host);
  if (pod && host.picked.size > 1 && host.picked.has(pod.uid)) show(host, { x, y, name: t.topology.many.selected(pods.length), groups: () => manyEntries(host, pods) });
  else if (pod) show(host, { x, y, name: pod.name, groups: () => podEntries(host, pod) });
  else if (node) show(host, { x, y, name: node.name, groups: () => nodeEntries(host, node) });
}

/** Shows a menu: `groups` are asked with each rendering, as what one may do is known a moment later. */
async function show(host, menu) {
  const before = document.activeElement;
  host.menu = { ...menu, before: host.contains(before) ? before : null };
  await host.updateComplete;
  const element = host.querySelector(".kp-context");
  const room = element.parentElement.getBoundingClientRect();
  element.style.left = `${Math.max(4, Math.min(menu.x - room.left, room.width - element.offsetWidth - 4))}px`;
  element.style.top = `${Math.max(4, Math.min(menu.y - room.top, room.height - element.offsetHeight - 4))}px`;
  element.querySelector("button")?.focus();
}

/** Opens the menu of the many that are picked, or of the selection, where one does so by a key. */
export function menuOfSelection(host) {
  const [pod] = subjects(host);
  if (pod) openMenu(host, { ...placeOf(host, pod), pod });
}

/** Where a pod is in the window: in the picture, or its row. */
function placeOf(host, pod) {
  const row = host.querySelector(`kp-table [data-uid="${pod.uid}"]`)?.getBoundingClientRect();
  if (row) return { x: row.left + 120, y: row.bottom };
  const at = host.scene.whereIs(pod.uid);
  const frame = host.canvas.getBoundingClientRect();
  return { x: frame.left + at.x + 8, y: frame.top + at.y + 8 };
}

function close(host, back = true) {
  const before = host.menu?.before ?? host.stage;
  host.menu = null;
  if (back) before.focus();
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
  const item = ([text, work, refused = ""]) => html`<button type="button" role="menuitem" tabindex="-1" aria-disabled=${Boolean(refused)} @click=${() => refused || run(work)}>${text}${refused ? html`<small>${refused}</small>` : nothing}</button>`;
  return html`<div class="kp-context" role="menu" aria-label=${t.topology.menu.of(menu.name)} @keydown=${(event) => pressed(host, event)} @focusout=${(event) => event.currentTarget.contains(event.relatedTarget) || close(host, false)}>
    <p class="kp-context-title" role="presentation">${menu.name}</p>
    ${menu.groups().map((entries) => html`<div role="group">${entries.map(item)}</div>`)}
  </div>`;
}

/** The bar of many pods: how many, and what can be done to them together. */
export function renderBar(host) {
  if (!host.picked.size) return nothing;
  const pods = subjects(host);
  if (!pods.length) return nothing;
  const words = t.topology.many;
  return html`<div class="kp-many" role="toolbar" aria-label=${words.label}>
    <strong role="status">${words.selected(pods.length)}</strong>
    ${manyEntries(host, pods).flat().map(([text, work]) => html`<button type="button" class="kp-button" @click=${work}>${text}</button>`)}
  </div>`;
}
