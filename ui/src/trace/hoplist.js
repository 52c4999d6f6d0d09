// The same way as an ordered list with times, and what is known of each place. For everybody, and
// all that those have who hear the page, or want nothing to move.
import { html, nothing } from "lit";

import { t } from "../texts.js";
import { HOPS, REASON } from "./hops.js";
import { ruleOf } from "./stops.js";
import { took } from "./times.js";

const DETAIL_HOPS = { mutating: ["decode", "defaulting", "field managers", "*"], validation: ["preparation"] };

export function hopList({ hops, selected, choose }) {
  const stop = hops.some((hop) => hop.state === "stopped");
  return html`<ol class="kp-hops">
    ${hops.map(
      (hop) =>
        html`<li data-state=${hop.state}>
          <button type="button" class="kp-hop" data-hop=${hop.name} aria-expanded=${hop.name === selected ? "true" : "false"} aria-controls="hop-detail" @click=${() => choose(hop.name)}>
            <span class="kp-hop-name">${t.trace.hops[hop.name]}</span>
            <span class="kp-hop-said">${saidOf(hop, stop)}</span>
          </button>
        </li>`,
    )}
  </ol>`;
}

function saidOf(hop, stop) {
  if (hop.state === "idle") return stop ? t.trace.notReached : html`<span aria-hidden="true">${t.trace.absent}</span><span class="kp-sr">${t.trace.idle}</span>`;
  if (hop.state === "stopped") return t.trace.stoppedHere;
  if (hop.name === "watch" && hop.heard) return t.trace.watchers(hop.count);
  if (hop.count) return `${t.trace.steps(hop.count)} · ${took(hop.micros)}${hop.state === "warned" ? ` · ${t.trace.warned}` : ""}`;
  return took(hop.micros);
}

/** Returns what is known of one place. */
export function hopDetail({ hop, record, explained, explain }) {
  return html`<section id="hop-detail" class="kp-hop-detail" aria-label=${t.trace.hops[hop.name]}>
    <div class="kp-hop-head">
      <h3>${t.trace.hops[hop.name]}</h3>
      <button type="button" class="kp-button" aria-expanded=${explained ? "true" : "false"} @click=${explain}>${t.trace.explainHop}</button>
    </div>
    ${explained ? html`<p class="kp-note kp-info">${t.trace.explain[hop.name]}</p>` : nothing} ${told(hop, record)}
  </section>`;
}

/** What was noted there; of a place of which nothing else is known, how long it took. */
function told(hop, record) {
  const parts = [facts(hop, record), stages(hop), details(hop, record)];
  if (parts.some((part) => part !== nothing)) return parts;
  return hop.state === "idle" ? html`<p class="kp-muted">${t.trace.idle}</p>` : html`<p class="kp-muted">${t.trace.hopTook(took(hop.micros))}</p>`;
}

function facts(hop, record) {
  const lines = FACTS[hop.name]?.(hop, record).filter(Boolean) ?? [];
  return lines.length ? html`<ul class="kp-hop-facts">${lines.map((line) => html`<li>${line}</li>`)}</ul>` : nothing;
}

const FACTS = {
  client: (hop, record) => [record.userAgent, record.path, html`Audit-ID <code>${record.auditID}</code>`],
  authentication: (hop, record) => [record.user && html`<code>${record.user}</code>`],
  authorization: (hop, record) => [
    hop.state === "stopped" ? record.annotations[REASON] : ruleOf(record),
    record.flow && `${t.trace.flow(...record.flow.split(", "))}, ${waited(hop)}`,
  ],
  mutating: (hop, record) => record.webhooks.map(called),
  store: (hop, record) => record.wrote.slice(0, 20).map((one) => `${t.trace.rev(one.revision)}: ${one.type} ${one.resource} ${[one.namespace, one.name].filter(Boolean).join("/")}`),
  watch: (hop) => heardLines(hop),
};

function waited(hop) {
  const seat = hop.stages.find((stage) => stage.name === "priority and fairness");
  return seat ? t.trace.waited(took(seat.micros)) : t.trace.seatAtOnce;
}

function called(call) {
  const said = call.failure || (call.allowed ? t.trace.webhookOutcome.allowed : t.trace.webhookOutcome.denied);
  return `${t.trace.webhookCalled(call.name, took(call.seconds * 1e6))} · ${said}`;
}

function heardLines(hop) {
  const heard = Object.entries(hop.heard ?? {});
  return heard.length ? heard.map(([name, n]) => (n > 1 ? `${name} × ${n}` : name)) : [t.trace.nobodyHeard];
}

function stages(hop) {
  if (hop.stages.length < 2) return nothing;
  return html`<table class="kp-table kp-stages">
    <tbody>
      ${hop.stages.map(
        (stage) => html`<tr>
          <th scope="row">${t.trace.stageNames[stage.name] ?? stage.name}</th>
          <td>${stage.outcome}</td>
          <td class="kp-number">${took(stage.micros)}</td>
        </tr>`,
      )}
    </tbody>
  </table>`;
}

/** What a stage changed: recorded only while somebody asks for it. */
function details(hop, record) {
  const wanted = DETAIL_HOPS[hop.name];
  if (!wanted || !record.wrote.length || hop.state === "idle") return nothing;
  if (!record.details) return html`<p class="kp-muted">${t.trace.noDetails}</p>`;
  const named = (step) => (wanted.includes("*") ? !Object.values(DETAIL_HOPS).flat().includes(step.name) || wanted.includes(step.name) : wanted.includes(step.name));
  const steps = record.details.steps.filter(named);
  const changed = steps.filter((step) => step.changes.length);
  if (!changed.length) return html`<p class="kp-muted">${t.trace.nothingChanged}</p>`;
  return html`${changed.map(changesOf)} ${record.details.more ? html`<p class="kp-muted">${t.trace.moreChanges(record.details.more)}</p>` : nothing}`;
}

function changesOf(step) {
  return html`<table class="kp-table kp-changes">
    <caption>${t.trace.stageNames[step.name] ?? step.name} <span class="kp-muted">${took(step.micros)}</span></caption>
    <thead><tr><th scope="col">${t.trace.field}</th><th scope="col">${t.trace.before}</th><th scope="col">${t.trace.after}</th></tr></thead>
    <tbody>
      ${step.changes.map(
        (one) => html`<tr data-change=${one.before === null ? "added" : one.after === null ? "removed" : "changed"}>
          <th scope="row"><code>${one.path}</code></th>
          <td>${value(one.before)}</td>
          <td>${value(one.after)}</td>
        </tr>`,
      )}
    </tbody>
  </table>`;
}

const value = (found) => (found === null ? html`<span class="kp-muted">${t.trace.absent}</span>` : html`<code>${typeof found === "string" ? found : JSON.stringify(found)}</code>`);

export const isHop = (name) => HOPS.includes(name);
