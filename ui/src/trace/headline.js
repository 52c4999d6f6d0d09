// The sentence over a request, why it was stopped, and because of what a worker made it.
import { html, nothing } from "lit";

import { t } from "../texts.js";
import { aboutOf, levelOf } from "./list.js";
import { codeOf } from "./hops.js";
import { stopped } from "./stops.js";
import { moment, took } from "./times.js";

/** Names the client: "kubectl" of "kubectl/v1.36.0 (linux/amd64)". */
export function clientOf(record) {
  const name = record.userAgent.split(/[/ ]/)[0];
  return t.trace.clientNames[name] ?? (name || record.user);
}

export function headline({ record, story, compare, link, onConflict }) {
  const code = codeOf(record);
  const words = code < 400 ? t.trace.verbs : t.trace.wished;
  const where = record.namespace ? ` ${t.trace.inNamespace(record.namespace)}` : "";
  return html`<header class="kp-story-head">
    <h2>${record.user ? html`<code>${record.user}</code>` : t.trace.somebody} ${words[record.verb] ?? record.verb} ${subject(record, link)}${where}</h2>
    <p class="kp-story-facts">
      <span class="kp-request-code" data-level=${levelOf(code)}>${t.trace.answered(answer(code), took(record.seconds * 1e6))}</span>
      ${totals(record, story)}
      <span class="kp-muted">${moment(record.at)}</span>
      <button type="button" class="kp-button" @click=${compare}>${t.trace.compare}</button>
    </p>
    ${story ? html`${stopNote(record, story, { link, onConflict })} ${reasons(story)} ${rateNote(story)}` : nothing}
  </header>`;
}

// As HTTP names them.
const REASONS = { 200: "OK", 201: "Created", 304: "Not Modified", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 409: "Conflict", 410: "Gone", 422: "Unprocessable Entity", 429: "Too Many Requests", 500: "Internal Server Error", 503: "Service Unavailable", 504: "Gateway Timeout" };
const answer = (code) => [code, REASONS[code]].filter(Boolean).join(" ");

function subject(record, link) {
  const step = { ...record, kind: "request", revisions: record.wrote.map((one) => one.revision) };
  if (!step.name && record.wrote.length) step.name = record.wrote.at(-1).name;
  const where = record.subresource || codeOf(record) >= 400 ? "" : link(step);
  return where ? html`<a href=${where}>${aboutOf(record)}</a>` : aboutOf(record);
}

function totals(record, story) {
  const found = story?.totals;
  if (!found?.pods) return nothing;
  const said =
    found.all !== null
      ? t.trace.toRunning(clientOf(record), took(found.all * 1e6))
      : found.running
        ? t.trace.someRunning(found.running, found.pods, took(found.first * 1e6))
        : t.trace.noneRunning(found.pods);
  return html`<strong class="kp-total" data-all=${found.all !== null}>${said}</strong>`;
}

function stopNote(record, story, links) {
  const stop = stopped(record, story);
  if (!stop) return nothing;
  return html`<div class="kp-note kp-bad kp-stop" role="status">
    <p class="kp-stop-title">${stop.title}</p>
    <p class="kp-muted">${t.trace.apiSays} (${t.trace.hops[stop.hop]}):</p>
    <pre class="kp-verbatim">${stop.verbatim}</pre>
    ${stop.fields.length
      ? html`<p class="kp-muted">${t.trace.fieldsWrong}:</p>
          <ul class="kp-wrong-fields">${stop.fields.map((one) => html`<li><code>${one.field}</code> ${one.message}</li>`)}</ul>`
      : nothing}
    ${stop.revisions ? revisions(record, stop.revisions, links) : nothing}
  </div>`;
}

function revisions(record, { sent, stored }, { link, onConflict }) {
  const at = (revision) => link({ ...record, kind: "request", revisions: [Number(revision)] });
  const { both, again } = onConflict(record, sent, stored);
  return html`<p class="kp-stop-links">
    <a href=${at(sent)}>${t.trace.seeAt(sent)}</a> <a href=${at(stored)}>${t.trace.seeAt(stored)}</a> <a href=${both}>${t.trace.seeBoth}</a>
    ${again ? html`<a href=${again}>${t.trace.retryOnTop}</a>` : nothing}
  </p>`;
}

function reasons(story) {
  if (story.only) return html`<p class="kp-note kp-info">${t.trace.onlyOf(story.only)}</p>`;
  if (!story.because.length) return nothing;
  const said = (one) => (one.id ? html`<a href=${one.id} data-id=${one.id}>${one.who} · ${one.verb} ${one.resource} ${one.name}</a>` : t.trace.becauseUnknown(one.revision));
  return html`<p class="kp-because"><span class="kp-muted">${t.trace.because}</span> ${story.because.map((one, at) => html`${at ? " ← " : ""}${said(one)}`)}</p>`;
}

const rateNote = (story) => (story.clock && story.clock.rate !== 1 ? html`<p class="kp-muted">${t.trace.rateNote(story.clock.rate)}</p>` : nothing);
