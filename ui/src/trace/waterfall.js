// What came of a request, row by row on one scale of time: each bar leads to the object at that revision.
import { html, nothing, svg } from "lit";

import { t } from "../texts.js";
import { failed, placeOf, reads, stopOf } from "./hops.js";
import { rowsOf, ticks, took } from "./times.js";

const MOST = 150;

export function waterfall({ story, all, toggle, link }) {
  const { rows, end, hidden } = rowsOf(story, all);
  if (!rows.length && !hidden) return html`<p class="kp-muted">${nothingOf(story.root)}</p>`;
  const scale = (seconds) => (end > 0 ? Math.max(0, Math.min(100, (seconds / end) * 100)) : 0);
  const left = Math.max(rows.length - MOST, 0) + story.more;
  return html`<div class="kp-fall" role="table" aria-label=${t.trace.waterfall}>
      <div class="kp-fall-row kp-fall-head" role="row">
        <span role="columnheader" class="kp-sr">${t.trace.stage}</span>
        <span role="columnheader" class="kp-fall-ticks"><span class="kp-sr">${t.trace.total}</span>${axis(end, scale)}</span>
      </div>
      ${row(rootRow(story), scale, link)} ${rows.slice(0, MOST).map((one) => row(one, scale, link))}
    </div>
    ${left ? html`<p class="kp-muted">${t.trace.more(left)}</p>` : nothing}
    ${hidden || all ? html`<button type="button" class="kp-button" aria-pressed=${all ? "true" : "false"} @click=${toggle}>${all ? t.trace.showFew : t.trace.showAll(hidden)}</button>` : nothing}`;
}

function nothingOf(record) {
  if (stopOf(record)) return t.trace.nothingStored;
  return reads(record) ? t.trace.nothingRead : t.trace.nothingCame;
}

function rootRow(story) {
  const { root } = story;
  const step = { ...root, kind: "request", id: root.auditID, who: root.user, place: "", revisions: root.wrote.map((one) => one.revision) };
  if (!step.name && root.wrote.length) step.name = root.wrote.at(-1).name;
  return { step, depth: 0, from: 0, to: root.seconds };
}

function axis(end, scale) {
  return html`<svg class="kp-fall-axis" aria-hidden="true" width="100%" height="16">
    ${ticks(end).map((at, i, all) => {
      const x = scale(at);
      // Of many, every second has room for its time.
      const shown = all.length < 4 || i % 2 === 0;
      return svg`<line x1="${x}%" x2="${x}%" y1="12" y2="16"></line>${shown ? svg`<text x="${x}%" y="10" text-anchor=${x > 92 ? "end" : x < 8 ? "start" : "middle"}>${at === 0 ? "0" : took(at * 1e6)}</text>` : nothing}`;
    })}
  </svg>`;
}

function row({ step, depth, from, to }, scale, link) {
  const where = link(step);
  const name = html`<span class="kp-fall-who">${step.who}</span> ${saidOf(step)}`;
  const time = `${step.who} ${saidOf(step)} · ${took(from * 1e6)} + ${took((to - from) * 1e6)}`;
  const bar = html`<svg aria-hidden="true" width="100%" height="16">
    <rect x="${scale(from)}%" y="3" height="10" rx="2" width="${Math.max(scale(to) - scale(from), 0.4)}%"></rect>
  </svg>`;
  return html`<div class="kp-fall-row" role="row" data-place=${step.place ? placeOf(step) : "root"} ?data-failed=${failed(step)}>
    <span role="cell" class="kp-fall-name" data-depth=${depth}>${where ? html`<a href=${where} title=${time}>${name}</a>` : html`<span title=${time}>${name}</span>`}</span>
    <span role="cell" class="kp-fall-bar">
      ${where ? html`<a href=${where} tabindex="-1" aria-hidden="true">${bar}</a>` : bar}
      <span class="kp-fall-time">${from > 0 ? `+${took(from * 1e6)}` : "0"}<span class="kp-sr"> + ${took((to - from) * 1e6)}</span></span>
    </span>
  </div>`;
}

/** Says in a few words what was done. */
export function saidOf(step) {
  if (step.kind === "decision") return step.node ? t.trace.decided(short(step.pod), step.node) : t.trace.undecided(short(step.pod), step.message);
  if (step.kind === "step") {
    const parts = [t.trace.what[step.what] ?? step.what, step.container, step.outcome, short(step.pod)];
    return parts.filter(Boolean).join(" · ");
  }
  const about = [step.resource, step.subresource].filter(Boolean).join("/");
  const revisions = step.revisions.length ? ` · ${t.trace.rev(step.revisions[0])}` : "";
  const code = step.code >= 400 ? ` · ${step.code}` : "";
  return `${step.verb} ${about} ${step.name}${revisions}${code}`;
}

const short = (pod) => pod.split("/").at(-1);
