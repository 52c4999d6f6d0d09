// What has changed lately, in sentences, and what was warned of, by reason.
import { html, nothing } from "lit";

import { age } from "../age.js";
import { timeOfDay } from "../clock.js";
import { ended, within } from "../sentence.js";
import { t } from "../texts.js";
import { kindOf, objectOf } from "./model.js";

const FIRST = 14;

/** @param {{changes: object[], kinds: object[], cluster: string, at: number, ns: string, all: boolean, more: () => void}} view */
export function sentences({ changes, kinds, cluster, at, ns, rev, all, more }) {
  if (!changes.length) return html`<p class="kp-muted">${rev ? t.overview.nothingBefore(rev) : t.overview.nothingChanged}</p>`;
  const shown = all ? changes : changes.slice(0, FIRST);
  return html`<ol class="kp-ov-facts">
      ${shown.map(
        (fact) => html`<li ?data-bad=${fact.bad}>
          <a class="kp-ov-when" href="/clusters/${cluster}/timeline?rev=${fact.revision}" title=${t.overview.toRevision(fact.revision)}><time datetime=${new Date(fact.at * 1000).toISOString()}>${timeOfDay(fact.at * 1000)}</time></a>
          <span class="kp-ov-said">${ended(fact.text)}</span>
          <span class="kp-ov-links">${within(fact.namespace, ns)}${toObject({ fact, kinds, cluster, rev })}${fact.trace && !rev ? html`<a href="/clusters/${cluster}/trace/${fact.trace}">${t.overview.trace}<span class="kp-sr">: ${fact.text}</span></a>` : nothing}</span>
        </li>`,
      )}
    </ol>
    ${changes.length > shown.length ? html`<button type="button" class="kp-button" @click=${more}>${t.overview.showMore(changes.length - shown.length)}</button>` : nothing}
    <p class="kp-sr">${t.overview.asOf(timeOfDay(at * 1000))}</p>`;
}

function toObject({ fact, kinds, cluster, rev }) {
  // One sentence may be about several objects: then there is no one page to lead to.
  if (fact.count > 1 || fact.code === "deleted" || fact.resource === "events") return nothing;
  const href = objectOf(cluster, kindOf(kinds, fact.resource), fact, rev);
  return href ? html`<a href=${href}>${t.overview.open}<span class="kp-sr">: ${fact.kind} ${fact.name}</span></a>` : nothing;
}

/** @param {{warnings: object, cluster: string, at: number, rev: string}} view */
export function warned({ warnings, cluster, at, rev }) {
  if (!warnings.allowed) return html`<p class="kp-muted">${t.forbidden("events")}</p>`;
  if (!warnings.items.length) return html`<p class="kp-muted">${t.overview.noWarnings}</p>`;
  return html`<ul class="kp-ov-warnings">
      ${warnings.items.map(
        (one) => html`<li>
          <p class="kp-ov-reason"><strong>${one.reason}</strong> <span class="kp-muted">${t.overview.times(one.count)}${ago(one.last, at)}</span></p>
          <p class="kp-ov-message"><code>${one.message}</code></p>
          <p class="kp-ov-about">${one.objects.map((about) => link(about, cluster, rev))}${one.more ? html`<span class="kp-muted">${t.overview.moreObjects(one.more)}</span>` : nothing}</p>
        </li>`,
      )}
    </ul>
    ${warnings.more ? html`<p class="kp-muted">${t.overview.moreReasons(warnings.more)}</p>` : nothing}`;
}

function ago(last, at) {
  if (!last) return nothing;
  return html` · <time datetime=${last}>${t.overview.ago(age(Math.max(0, at - Date.parse(last) / 1000)))}</time>`;
}

function link(about, cluster, rev) {
  const name = html`<span class="kp-muted">${about.kind}</span> ${about.namespace ? `${about.namespace}/` : ""}${about.name}`;
  const href = objectOf(cluster, about, about, rev);
  return href ? html`<a href="${href}${rev ? "&" : "?"}tab=events">${name}</a>` : html`<span>${name}</span>`;
}
