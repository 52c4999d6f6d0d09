// Objects by kind and health: a card for each kind of which something can be said, the others in a line.
import { html, nothing, svg } from "lit";

import { t } from "../texts.js";
import { filterOf, listOf, markOf, objectOf } from "./model.js";

// They have a card only while something about them is not as it should be.
const QUIET = new Set(["namespaces", "persistentvolumes", "customresourcedefinitions", "apiservices"]);

const titleOf = (kind) => t.overview.kinds[kind.plural] ?? kind.kind;
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
  const worst = kind.states[0]?.level ?? "over";
  return html`<section class="kp-card kp-ov-kind" data-worst=${worst} data-resource=${kind.resource}>
    <h3><a href=${listOf(cluster, kind, { ns, rev })}>${titleOf(kind)}</a> <b>${t.number(kind.total)}</b></h3>
    ${kind.total ? bar(kind) : html`<p class="kp-muted">${t.overview.none}</p>`}
    <ul class="kp-ov-states">
      ${kind.states.map(
        (state) => html`<li>
          <span class="kp-mark" data-cls=${markOf(state.level)} aria-hidden="true"></span>
          <a href=${listOf(cluster, kind, { ns, rev, q: filterOf(kind.resource, state) })}>${t.overview.counted(state.count, wordOf(state.word))}</a>
        </li>`,
      )}
    </ul>
    ${trouble(kind, { cluster, rev })}
  </section>`;
}

function trouble(kind, { cluster, rev }) {
  if (!kind.trouble.length) return nothing;
  return html`<ul class="kp-ov-trouble" aria-label=${t.overview.inTrouble(titleOf(kind))}>
    ${kind.trouble.map(
      (one) => html`<li data-level=${one.level}>
        <a href=${objectOf(cluster, kind, one, rev)} title=${one.namespace ? `${one.namespace}/${one.name}` : one.name}>${one.name}</a>
        <span>${[wordOf(one.word), one.note].filter(Boolean).join(" ")}</span>
      </li>`,
    )}
    ${kind.more ? html`<li class="kp-muted">${t.overview.moreTrouble(kind.more)}</li>` : nothing}
  </ul>`;
}

/** A bar whose parts are the states; what it shows stands in words below it. */
function bar(kind) {
  let left = 0;
  const part = ({ count, level }) => {
    const from = (left / kind.total) * 100;
    left += count;
    return svg`<rect x="${from}%" y="0" height="6" width="${(count / kind.total) * 100}%" data-level=${level}></rect>`;
  };
  return html`<svg class="kp-ov-bar" width="100%" height="6" aria-hidden="true">${[...kind.states].reverse().map(part)}</svg>`;
}
