// What stands on the timeline's board: the transport, the picture with its slider, the legend, the export.
import { html, nothing } from "lit";

import { kindsNamed, ruleText } from "../rbac.js";
import { t } from "../texts.js";
import { chart } from "./chart.js";
import { coded } from "./coded.js";
import { clock, minute, momentOf } from "./moments.js";
import { kindsOf, SPANS } from "./model.js";
import { SPEEDS } from "./player.js";

const SIGNS = {
  first: "M3 3h2v10H3zM13 3v10L6 8z",
  back: "M11 3v10L4 8z",
  forward: "M5 3v10l7-5z",
  last: "M11 3h2v10h-2zM3 3v10l7-5z",
};

const icon = (label, path, act, off = false) =>
  html`<button type="button" class="kp-icon" aria-label=${label} title=${label} ?disabled=${off} @click=${act}><svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true"><path d=${path}></path></svg></button>`;

/** Where one is: the present, or a revision with ways to look at it. */
export function now(host) {
  const { overview, at, newest } = host;
  const moment = momentOf(overview.moments, at);
  const time = moment === null ? "" : clock(moment, overview.now);
  if (host.rev === null) return html`<p class="kp-tl-now">${t.timeline.isLive(newest)}</p>`;
  const query = `?rev=${host.rev}`;
  return html`<div class="kp-tl-now kp-past">
    <p>${t.timeline.lookingAt(host.rev, time, newest)}</p>
    <span class="kp-tl-look">${t.timeline.lookHere}
      <a class="kp-button" href="${host.overviewPage}${query}">${t.timeline.overview}</a>
      <a class="kp-button" href="${host.topology}${query}">${t.timeline.topology}</a>
      <a class="kp-button" href="${host.objects}${query}">${t.timeline.objects}</a></span>
    <button type="button" class="kp-button" @click=${() => host.goLive()}>${t.timeline.backToLive}</button>
  </div>`;
}

/** What one may not see of the past, in the API's words, and what to ask for. */
export function unseen({ unseen: found }) {
  if (!found) return nothing;
  const { kinds, all, text } = found;
  const named = kindsNamed(kinds);
  return html`<div class="kp-note ${all ? "kp-bad" : "kp-info"}" role="status" data-notice="unseen">
    <p>${all ? t.timeline.unseenAll : t.timeline.unseen(named)} ${t.objects.askFor(named)} <span id="unseen-rule" hidden>${ruleText({ resources: kinds.map((kind) => kind.split(".")[0]) })}</span><button type="button" class="kp-button" data-copy="#unseen-rule">${t.copyRule}</button></p>
    <pre class="kp-verbatim">${text}</pre>
  </div>`;
}

export function controls(host) {
  const words = t.timeline;
  const { at, newest } = host;
  const { oldest } = host.overview;
  return html`<div class="kp-toolbar kp-tl-controls">
    <div class="kp-tl-transport">
      ${icon(words.first, SIGNS.first, () => host.go(oldest), at <= oldest)}
      ${icon(words.back, SIGNS.back, () => host.go(at - 1), at <= oldest)}
      <button type="button" class="kp-button kp-tl-play" aria-pressed=${host.playing ? "true" : "false"} @click=${() => host.play()}>${host.playing ? words.pause : words.play}</button>
      ${icon(words.forward, SIGNS.forward, () => host.go(at + 1), at >= newest)}
      ${icon(words.last, SIGNS.last, () => host.goLive(), host.rev === null)}
    </div>
    <label class="kp-inline">${words.speed}
      <select @change=${(event) => (host.player.speed = Number(event.target.value))}>${SPEEDS.map((n) => html`<option value=${n}>${words.times(n)}</option>`)}</select></label>
    <form class="kp-inline" @submit=${(event) => host.jump(event)}><label for="kp-tl-jump">${words.jump}</label>
      <input id="kp-tl-jump" name="rev" type="text" inputmode="numeric" class="kp-tl-number" .value=${String(at)} autocomplete="off">
      <span class="kp-muted">${words.of(newest)}</span></form>
    <span class="kp-grow"></span>
    <button type="button" class="kp-button" @click=${() => host.mark({ A: at })}>${words.setA}</button>
    <button type="button" class="kp-button" @click=${() => host.mark({ B: at })}>${words.setB}</button>
    <kp-bookmarks .cluster=${host.cluster} .rev=${at} @kp-bookmarks=${(event) => (host.bookmarks = event.detail)} @kp-go=${(event) => host.go(event.detail)}></kp-bookmarks>
  </div>`;
}

export function picture(host) {
  const { overview, range, hidden, marks, bookmarks, markers } = host;
  const at = momentOf(overview.moments, host.at);
  const go = (rev) => host.go(rev);
  return html`<div class="kp-tl-picture">
    ${chart({ overview, range, kinds: kindsOf(overview.density), hidden, rev: host.at, marks, bookmarks, markers, go })}
    <input type="range" class="kp-tl-slider" aria-label=${t.timeline.slider} aria-valuetext=${t.timeline.position(host.at, at === null ? "" : clock(at, overview.now))}
      min=${range.after} max=${range.upto} step="1" .value=${String(host.at)} @input=${(event) => host.go(Number(event.target.value))}>
  </div>`;
}

export function legend(host) {
  const words = t.timeline;
  const { overview } = host;
  const broken = overview.failures.filter((one) => one.state === "began").length;
  return html`<div class="kp-tl-legend">
    <div class="kp-segments" role="group" aria-label=${words.span}>
      ${SPANS.map((span) => html`<button type="button" aria-pressed=${host.span === span ? "true" : "false"} @click=${() => host.zoom(span)}>${span ? words.spanLast(span) : words.spanAll}</button>`)}
    </div>
    ${kindsOf(overview.density).map(({ resource, count, colour }) => {
      const name = resource ? resource.split(".")[0] : words.otherKinds;
      return html`<label class="kp-tl-kind"><input type="checkbox" .checked=${!host.hidden.has(resource)} @change=${() => host.toggleKind(resource)} aria-label=${words.showKind(name)}>
        <span class="kp-tl-swatch kp-kind-${colour}" aria-hidden="true"></span>${name} <span class="kp-muted">${t.number(count)}</span></label>`;
    })}
    ${overview.warnings.length ? html`<span class="kp-tl-kind"><span class="kp-tl-warning-sign" aria-hidden="true"></span>${words.warnings(overview.warnings.length)}</span>` : nothing}
    ${broken ? html`<span class="kp-tl-kind"><span class="kp-tl-broken-sign" aria-hidden="true"></span>${words.failures(broken)}</span>` : nothing}
  </div>`;
}

/** Where the slider begins, and why there. */
export function floor({ overview }) {
  const { compacted, compacted_at: at, oldest } = overview;
  if (!compacted) return nothing;
  return html`<p class="kp-muted kp-tl-floor">${at === null ? t.timeline.begins(oldest) : t.timeline.compacted(oldest, minute(at, overview.now))}</p>`;
}

/** What takes the history elsewhere: a fork, and the whole log as a file with or without the values of Secrets. */
export function takeaway(host) {
  const words = t.timeline;
  const address = `/api/clusters/${encodeURIComponent(host.cluster)}/recording${host.secrets ? "?secrets=1" : ""}`;
  return html`<div class="kp-tl-takeaway">
    ${host.fork ? html`<kp-fork .cluster=${host.cluster} .rev=${host.at}></kp-fork>` : nothing}
    <a class="kp-button" href=${address} download>${words.exportTitle}</a>
    ${host.fork ? html`<label class="kp-check"><input type="checkbox" .checked=${host.secrets} @change=${(event) => (host.secrets = event.target.checked)}> ${words.exportSecrets}</label>` : nothing}
    <span class="kp-muted">${host.secrets ? words.exportOpen : words.exportHint}</span>
  </div>`;
}

export const said = (text) => html`<p class="kp-tl-said" role="status">${text ? coded(text) : ""}</p>`;
