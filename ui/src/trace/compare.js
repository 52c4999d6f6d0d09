// Two requests beside each other, stage by stage: what one did that the other did not, and how long.
import { html } from "lit";

import { t } from "../texts.js";
import { aboutOf } from "./list.js";
import { codeOf } from "./hops.js";
import { took } from "./times.js";

/** Returns the stages of both, in the order in which they came, with the times of each (or null). */
export function stagesOf(one, other) {
  const times = (record) => {
    const found = new Map();
    for (const stage of record.stages) found.set(stage.name, (found.get(stage.name) ?? 0) + stage.micros);
    for (const call of record.webhooks) found.set(`webhook ${call.name}`, call.seconds * 1e6);
    return found;
  };
  const [a, b] = [times(one), times(other)];
  const names = [...a.keys()];
  for (const [at, name] of [...b.keys()].entries()) if (!a.has(name)) names.splice(Math.min(at, names.length), 0, name);
  return names.map((name) => ({ name, one: a.get(name) ?? null, other: b.get(name) ?? null }));
}

export function comparison({ one, other, stop }) {
  const cell = (micros) => html`<td class="kp-number">${micros === null ? t.trace.absent : took(micros)}</td>`;
  const totals = { name: t.trace.total, one: one.seconds * 1e6, other: other.seconds * 1e6 };
  return html`<section class="kp-compare">
    <div class="kp-hop-head"><h3>${t.trace.comparing}</h3><button type="button" class="kp-button" @click=${stop}>${t.trace.stopComparing}</button></div>
    <div class="kp-scroll" tabindex="0" role="region" aria-label=${t.trace.comparing}>
      <table class="kp-table">
        <thead>
          <tr>
            <th scope="col">${t.trace.stage}</th>
            ${[one, other].map((record) => html`<th scope="col">${record.verb} ${aboutOf(record)}<br /><span class="kp-muted">${codeOf(record)} · ${record.user}</span></th>`)}
            <th scope="col">${t.trace.difference}</th>
          </tr>
        </thead>
        <tbody>
          ${[...stagesOf(one, other), totals].map(
            (stage) => html`<tr>
              <th scope="row">${t.trace.stageNames[stage.name] ?? stage.name}</th>
              ${cell(stage.one)} ${cell(stage.other)}
              <td class="kp-number">${difference(stage)}</td>
            </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`;
}

function difference({ one, other }) {
  if (one === null || other === null) return "";
  return `${other >= one ? "+" : "−"} ${took(Math.abs(other - one))}`;
}
