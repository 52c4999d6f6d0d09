// What the topology says when something is not as it should be: what happened, what to do.
import { html, nothing } from "lit";

import { copy } from "../copy.js";
import { suggest } from "../filter.js";
import { kindsNamed, ruleText } from "../rbac.js";
import { t } from "../texts.js";

/** Tells whether the API's words are about following, where reading is allowed. */
export const unwatched = (text) => /cannot watch/.test(text ?? "");

/** What one may not see: `refused` are the API's words by kind. */
export function forbidden(host, refused) {
  const unlisted = [...refused.keys()].filter((kind) => !unwatched(refused.get(kind)));
  const kinds = unlisted.length ? unlisted : [...refused.keys()];
  const named = kindsNamed(kinds);
  return {
    kind: "forbidden",
    bad: true,
    text: unlisted.length ? t.forbidden(named) : t.topology.notWatched(named),
    verbatim: refused.get(kinds[0]),
    copy: ruleText({ resources: kinds }),
    // The picture is of all namespaces; who may list in one has its lists.
    link: unlisted.length ? { href: host.getAttribute("objects"), text: t.topology.listsOfOne } : null,
  };
}
export const outOfStep = () => ({ kind: "out-of-step", text: t.outOfStep });
export const gap = (host, text, from) => ({
  kind: "gap",
  text,
  // A recording of what was skipped is the log itself: the timeline begins where the page was.
  link: from ? { href: `/clusters/${host.cluster}/timeline?rev=${from}`, text: t.topology.playThem } : null,
});
export const gone = (host) => ({ kind: "gone", bad: true, text: t.clusterGone, link: { href: host.getAttribute("home"), text: t.allClusters } });
export const signedOut = (host) => ({
  kind: "signed-out",
  bad: true,
  text: t.signedOut,
  link: { href: `${host.getAttribute("signin")}?next=${encodeURIComponent(location.pathname + location.search)}`, text: t.signIn },
});
export const noPast = (rev, text) => ({ kind: "no-past", bad: true, text: t.topology.noPast(rev), verbatim: text });
export const missing = (ns, name) => ({ kind: "missing", bad: true, text: t.noSuchPod(ns, name) });

/** The notice above the picture. Errors stay until they are dismissed or over. */
export function render(host) {
  const parts = [];
  const { notice } = host;
  if (notice) {
    parts.push(html`<div class="kp-note ${notice.bad ? "kp-bad" : "kp-info"}" role=${notice.bad ? "alert" : "status"} data-notice=${notice.kind}>
      <p>${notice.text} ${notice.link ? html`<a href=${notice.link.href}>${notice.link.text}</a>` : nothing}</p>
      ${notice.verbatim ? html`<code>${notice.verbatim}</code>` : nothing}
      ${notice.copy ? html`<button type="button" class="kp-button" @click=${(event) => copy(notice.copy, event.currentTarget)}>${t.copyRule}</button>` : nothing}
      <button type="button" class="kp-icon" aria-label=${t.dismiss} @click=${() => (host.notice = null)}>×</button>
    </div>`);
  }
  if (host.calm) parts.push(calm(host));
  const filter = filterNote(host);
  if (filter) parts.push(filter);
  return parts;
}

function calm(host) {
  const on = () => {
    host.calm = false;
    host.scene.stats.slow = -Infinity;
    host.scene.anim.enabled = true;
  };
  return html`<div class="kp-note kp-info" role="status"><p>${t.tooSlow} <button type="button" class="kp-link" @click=${on}>${t.turnOn}</button></p></div>`;
}

function filterNote(host) {
  const { bad } = host.parsed;
  if (bad.length) return html`<div class="kp-note kp-warn" role="status"><p>${t.badTerm(bad[0])}</p></div>`;
  if (!host.ready || !host.parsed.test || host.matching) return null;
  const better = suggest(host.query, host.store.pods.values());
  return html`<div class="kp-note kp-warn" role="status" data-notice="no-match">
    <p>${t.nothingMatches(host.query.trim())}
      ${better ? html`<button type="button" class="kp-link" @click=${() => host.filterBy(better.text)}>${t.didYouMean(better.text, better.count)}</button>` : nothing}
      <button type="button" class="kp-link" @click=${() => host.filterBy("")}>${t.clearFilter}</button></p>
  </div>`;
}

/** What stands in the middle while there is nothing to see. */
export function emptyState(host) {
  if (!host.ready) {
    if (host.notice?.kind === "no-past") return nothing;
    const { progress } = host;
    const text = progress?.total ? t.reading(progress.read, progress.total) : t.readingFirst;
    return html`<div class="kp-hint-box" role="status">${text}</div>`;
  }
  const hidden = hiddenKind(host);
  if (hidden) return html`<div class="kp-hint-box">${t.topology.unseen(hidden)}</div>`;
  if (!host.store.nodes.size && !host.connection.refused.has("nodes")) return html`<div class="kp-hint-box">${t.noNodes}</div>`;
  if (host.store.pods.size) {
    const inScope = !host.ns || host.matching || host.parsed.test;
    if (inScope) return nothing;
    return html`<div class="kp-hint-box">${noPods(t.noPodsIn(host.ns), host)} <button type="button" class="kp-link" @click=${() => host.scopeTo("")}>${t.showAllNamespaces}</button></div>`;
  }
  return html`<div class="kp-hint-box">${noPods(t.noPods, host)} ${t.tryThis} <code>kubectl create deployment web --image=nginx --replicas=3</code></div>`;
}

/** Returns the kind without which nothing is drawn here, if one may not list it. */
function hiddenKind({ connection, lens, store }) {
  if (connection.refused.has("pods") && !store.pods.size) return "pods";
  return lens === "nodes" && connection.refused.has("nodes") && !store.nodes.size ? "nodes" : "";
}

function noPods(text, host) {
  const address = `/clusters/${host.cluster}/editor?${new URLSearchParams({ ...(host.ns && { ns: host.ns }), snippet: "Deployment" })}`;
  return html`${text} ${host.readonly ? nothing : html`<a href=${address}>${t.topology.createDeployment}</a>`}`;
}
