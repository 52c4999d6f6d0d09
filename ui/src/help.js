// What shows keys: the list of those that hold on this page, and the caps beside a button's word.
import { html, render } from "lit";

import { available, keysOf } from "./keys.js";
import { caps } from "./press.js";
import { t } from "./texts.js";

/** A key as people know it: one cap for each key, a gap between presses of a sequence. */
export function keyCaps(keys) {
  return caps(keys).map((press) => html`<kbd>${press.join(" ")}</kbd> `);
}

/** The title of an action; a page of the rail has its own. */
export function titleOf(name) {
  const link = name.startsWith("go.") && document.querySelector(`.kp-rail a[data-page="${name.slice(3)}"] span`);
  return link ? link.textContent : (t.actions[name] ?? name);
}

export const groupOf = (name) => name.split(".")[0];

/** Actions by the group that they stand in, a page's own first. */
export function grouped(names) {
  const groups = new Map();
  for (const name of names) {
    const group = groupOf(name);
    groups.set(group, [...(groups.get(group) ?? []), name]);
  }
  return groups;
}

export function showHelp(dialog) {
  const names = available().map((one) => one.name).filter((name) => keysOf(name).length);
  const part = ([group, members]) => html`<section>
    <h3>${t.actionGroups[group] ?? group}</h3>
    <dl class="kp-keys">${members.map((name) => html`<div><dt>${keysOf(name).map((keys, i) => html`${i ? html`<span class="kp-muted">${t.frame.or}</span> ` : ""}${keyCaps(keys)}`)}</dt><dd>${titleOf(name)}</dd></div>`)}</dl>
  </section>`;
  render(html`<div class="kp-help-groups">${[...grouped(names)].map(part)}</div>`, dialog.querySelector("[data-help-body]"));
  if (!dialog.open) dialog.showModal();
}

/** Fills in the caps beside words: <kbd data-key-of="frame.palette">. */
export function fillCaps(root = document) {
  for (const cap of root.querySelectorAll("[data-key-of]")) {
    const [keys] = keysOf(cap.dataset.keyOf);
    cap.textContent = keys ? caps(keys).map((press) => press.join("+")).join(" ") : "";
    cap.hidden = !keys;
  }
}
