// Which requests are shown, and how fast a token goes. Everything here stands in the address.
import { html, nothing } from "lit";

import { t } from "../texts.js";

const VERBS = ["create", "update", "patch", "delete", "deletecollection", "get", "list", "watch"];
const CODES = ["2xx", "401", "403", "404", "409", "410", "422", "429", "5xx"];
const WHO = { people: "whoPeople", workers: "whoWorkers", all: "whoAll" };
const SPEEDS = ["live", "slow", "step"];

export function filterBar({ filter, change }) {
  const field = (name, label, { size = 10, hint = "" } = {}) => html`<label class="kp-inline">${label} <input type="text" size=${size} placeholder=${hint} autocomplete="off" spellcheck="false" .value=${filter[name] ?? ""} @change=${(event) => change({ [name]: event.target.value.trim() })} /></label>`;
  return html`<form class="kp-toolbar kp-trace-filters" role="search" aria-label=${t.trace.filters} @submit=${(event) => event.preventDefault()}>
    <label class="kp-inline">${t.trace.who} <select @change=${(event) => change({ who: event.target.value })}>${Object.entries(WHO).map(([who, text]) => html`<option value=${who} ?selected=${(filter.who ?? "people") === who}>${t.trace[text]}</option>`)}</select></label>
    ${field("user", t.trace.user)}
    ${choice("verb", t.trace.verb, t.trace.anyVerb, VERBS, filter, change)}
    ${field("resource", t.trace.kind)} ${field("object", t.trace.object, { size: 18, hint: "pods/default/web-1" })}
    ${choice("code", t.trace.code, t.trace.anyCode, ["refused", ...CODES], filter, change)}
  </form>`;
}

function choice(name, label, any, values, filter, change) {
  const shown = (value) => (value === "refused" ? t.trace.refusedOnly : value);
  return html`<label class="kp-inline">${label} <select @change=${(event) => change({ [name]: event.target.value })}>
    <option value="" ?selected=${!filter[name]}>${any}</option>
    ${values.map((value) => html`<option value=${value} ?selected=${filter[name] === value}>${shown(value)}</option>`)}
  </select></label>`;
}

function pasted(openId) {
  return (event) => {
    event.preventDefault();
    openId(event.target.elements["audit-id"].value.trim());
  };
}

export function playBar({ speed, setSpeed, play, step, ready, follow, setFollow, details, setDetails, sample, openId }) {
  const names = { live: t.trace.live, slow: t.trace.slow, step: t.trace.step };
  return html`<div class="kp-toolbar kp-trace-play">
    <div class="kp-segments" role="group" aria-label=${t.trace.speed}>
      ${SPEEDS.map((name) => html`<button type="button" class="kp-button" aria-pressed=${speed === name ? "true" : "false"} @click=${() => setSpeed(name)}>${names[name]}</button>`)}
    </div>
    <button type="button" class="kp-button" ?disabled=${!ready} @click=${play}>${t.trace.play}</button>
    <button type="button" class="kp-button" ?disabled=${!ready} @click=${step}>${t.trace.next}</button>
    <label class="kp-check"><input type="checkbox" .checked=${follow} @change=${(event) => setFollow(event.target.checked)} /> ${t.trace.followTerminal}</label>
    <label class="kp-check" title=${t.trace.recordHint}><input type="checkbox" .checked=${details} @change=${(event) => setDetails(event.target.checked)} /> ${t.trace.recordDetails}</label>
    <span class="kp-grow"></span>
    <form class="kp-trace-id" @submit=${pasted(openId)}>
      <label class="kp-inline">${t.trace.auditId} <input type="search" size="20" name="audit-id" data-filter placeholder=${t.trace.pasteId} autocomplete="off" spellcheck="false" /></label>
      <button type="submit" class="kp-button">${t.trace.open}</button>
    </form>
    ${sample ? html`<button type="button" class="kp-button" @click=${sample}>${t.trace.sendSampleButton}</button>` : nothing}
  </div>`;
}
