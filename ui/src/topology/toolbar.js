// What stands above and on the picture: lens, filter, zoom, the strip, the legend.
import { html, nothing } from "lit";

import { t } from "../texts.js";
import { chooseLens, fit, zoom } from "./looking.js";
import { save } from "./saving.js";

const LENS_NAMES = { nodes: () => t.lensNodes, owners: () => t.lensOwners, traffic: () => t.topology.lens.traffic, storage: () => t.topology.lens.storage };

export function toolbar(host) {
  const { view, outline, store } = host;
  const lens = ([name, text]) => html`<button type="button" aria-pressed=${host.lens === name} @click=${() => chooseLens(host, name)}>${text()}</button>`;
  return html`<div class="kp-toolbar kp-topology-bar" role="toolbar" aria-label=${t.picture}>
    <div class="kp-segments" role="group" aria-label=${t.lens}>${Object.entries(LENS_NAMES).map(lens)}</div>
    ${filter(host)}
    <div class="kp-grow"></div>
    <div class="kp-segments" role="group" aria-label=${t.fit}>
      <button type="button" aria-label=${t.zoomOut} title=${t.zoomOut} @click=${() => zoom(host, 1 / 1.4)}>−</button>
      <button type="button" @click=${() => fit(host)}>${t.fit}</button>
      <button type="button" aria-label=${t.zoomIn} title=${t.zoomIn} @click=${() => zoom(host, 1.4)}>+</button>
    </div>
    <div class="kp-segments kp-save" role="group" aria-label=${t.topology.save.label}>
      <button type="button" aria-label=${t.topology.save.svg} title=${t.topology.save.svg} @click=${() => save(host, "svg")}>SVG</button>
      <button type="button" aria-label=${t.topology.save.png} title=${t.topology.save.png} @click=${() => save(host, "png")}>PNG</button>
    </div>
    ${host.past ? nothing : html`<button type="button" class="kp-button" aria-pressed=${store.paused} @click=${() => host.pause()}>${store.paused ? t.resume : t.pause}</button>`}
    <button type="button" class="kp-button kp-outline-toggle" aria-pressed=${outline} @click=${() => host.showOutline(!outline)}>${t.outline}</button>
    <button type="button" class="kp-button" aria-pressed=${view === "table"} @click=${() => host.show(view === "table" ? "picture" : "table")}>${t.table}</button>
  </div>`;
}

function filter(host) {
  const all = host.store.pods.size;
  return html`<label class="kp-sr" for="topology-filter">${t.filter}</label>
    <input id="topology-filter" class="kp-filter" type="search" data-filter placeholder=${t.filterHint} autocomplete="off" spellcheck="false" aria-describedby="topology-count" .value=${host.query} @input=${(event) => host.filterBy(event.target.value)} @keydown=${(event) => event.key === "Escape" && leave(host, event)}>
    <output id="topology-count" class="kp-muted kp-count" for="topology-filter">${host.test ? t.matches(host.matching, all) : t.pods(all)}</output>`;
}

/** Escape empties the filter, and then leaves it. */
function leave(host, event) {
  event.preventDefault();
  event.stopPropagation();
  if (host.query) host.filterBy("");
  else event.target.blur();
}

/** The control plane in miniature, its clock, and the way to break something of it. */
export function strip(host) {
  if (host.past) return nothing;
  const refused = host.rights.breaking;
  return html`<div class="kp-strip">
    <kp-plane cluster=${host.cluster}></kp-plane>
    <kp-clock cluster=${host.cluster} ?readonly=${host.readonly || Boolean(host.viewing)}></kp-clock>
    ${host.readonly ? nothing : html`<button type="button" class="kp-button" aria-haspopup="dialog" aria-disabled=${Boolean(refused)} title=${refused || nothing} @click=${() => refused || host.breakSomething()}>${t.topology.break.open}</button>`}
  </div>`;
}

export function legend(host) {
  const present = new Set();
  for (const pod of host.store.pods.values()) present.add(pod.cls);
  return html`<ul class="kp-legend" aria-label=${t.legend}>
    ${[...present].map((cls) => html`<li><span class="kp-mark" data-cls=${cls} aria-hidden="true"></span>${t.status[cls]}</li>`)}
  </ul>`;
}

/** Many pods at once, counted: "+180 pods on 12 nodes". What it says is said aloud by the announcer. */
export function ripple(host) {
  const said = host.tally.said(performance.now());
  if (!said) return nothing;
  return html`<p class="kp-ripple" aria-hidden="true">${t.topology.ripple[host.lens](said.sign, said.count, said.boxes)}</p>`;
}
