// Objects by kind and health: a card for each kind of which something can be said, the others in a line.
import { html, nothing, svg } from "lit";

import { t } from "../texts.js";
import { filterOf, listOf, markOf, objectOf } from "./model.js";

// They have a card only while something about them is not as it should be.
const QUIET = new Set(["namespaces", "persistentvolumes", "customresourcedefinitions", "apiservices"]);

const titleOf = (kind) => t.overview.kinds[kind.plural] ?? t.overview.several(kind);
const wordOf = (word) => t.overview.words[word] ?? word;

/** @param {{kinds: object[], cluster: string, ns: string, rev: string}} view */
export function kindCards({ kinds, cluster, ns, rev }) {
  const judged = kinds.filter((kind) => kind.states && !(QUIET.has(kind.plural) && kind.states.every(({ level }) => level === "good")));
  const others = kinds.filter((kind) => kind.total && !judged.includes(kind));
  return html`<div class="kp-ov-kinds">${judged.map((kind) => card(kind, { cluster, ns, rev }))}</div>
    ${others.length
      ? html`<p class="kp-ov-others"><span class="kp-muted">${t.overview.also}</span>
          ${others.map((kind) => html`<a href=${listOf(cluster, kind, { ns, rev })}>${titleOf(kind)} <b>${t.number(kind.total)}</b></a>`)}</p>`
      : nothing}`;
}

function card(kind, { cluster, ns, rev }) {
  return html`<section class="kp-card kp-ov-kind" data-resource=${kind.resource}>
    <h3><a href=${listOf(cluster, kind, { ns, rev })}>${titleOf(kind)}</a> <b>${t.number(kind.total)}</b></h3>
    ${kind.total ? bar(kind) : html`<p class="kp-muted">${t.overview.none}</p>`}
    <ul class="kp-ov-states">
      ${kind.states.map(
        (state) => html`<li>
          ${mark(state)} <a href=${listOf(cluster, kind, { ns, rev, q: filterOf(kind.resource, state) })}>${t.overview.counted(state.count, wordOf(state.word))}</a>
        </li>`,
      )}
    </ul>
  </section>`;
}

const mark = ({ level }) => html`<span class="kp-mark" data-cls=${markOf(level)} aria-hidden="true"></span>`;

/** A bar whose parts are the states; what it shows stands in words below it. */
function bar(kind) {
  let left = 0;
  const part = ({ count, level }) => {
    const from = (left / kind.total) * 100;
    left += count;
    return svg`<rect x="${from}%" y="0" height="6" width="${(count / kind.total) * 100}%" data-level=${level}></rect>`;
  };
  return html`<svg class="kp-ov-bar" width="100%" height="6" aria-hidden="true">${kind.states.map(part)}</svg>`;
}

/** The objects that are not as they should be, of all kinds: those that are bad first. */
export function lookAt({ kinds, cluster, ns, rev }) {
  const found = kinds.flatMap((kind) => (kind.trouble ?? []).map((one) => ({ ...one, kind })));
  if (!found.length) return html`<p class="kp-muted">${t.overview.allWell}</p>`;
  found.sort((a, b) => Number(b.level === "bad") - Number(a.level === "bad"));
  return html`<ul class="kp-ov-trouble">
    ${found.map(
      (one) => html`<li data-level=${one.level}>
        <span class="kp-ov-which"><span class="kp-muted">${one.kind.kind}</span> <a href=${objectOf(cluster, one.kind, one, rev)}>${one.namespace && !ns ? `${one.namespace}/` : ""}${one.name}</a></span>
        <span class="kp-ov-how">${mark(one)} ${[wordOf(one.word), one.note].filter(Boolean).join(" ")}</span>
      </li>`,
    )}
    ${kinds.filter((kind) => kind.more).map((kind) => html`<li><a href=${listOf(cluster, kind, { ns, rev })}>${t.overview.moreTrouble(kind.more, titleOf(kind))}</a></li>`)}
  </ul>`;
}
