// What the control plane does: charts, each with its numbers as text and as a table, watches, queues.
import { html, nothing } from "lit";

import { t } from "../texts.js";
import "./kp-chart.js";
import { busyQueues, highest, mean, perSecond, rate, rateText, requestSeries, rowsOf, timesOf } from "./model.js";

const QUANTILES = ["p50", "p95", "p99"];
const LATELY = 10;

/** @param {{control: object}} view */
export function controlPlane({ control }) {
  const { pace } = control;
  return html`<div class="kp-ov-charts">${requests(control)}${latency(pace)}${revisions(pace)}</div>
    <div class="kp-ov-columns">${watches(control.watches)}${queues(control.queues)}</div>`;
}

function chart({ title, now, x, series, unit, rows, note }) {
  return html`<figure class="kp-card kp-ov-chart">
    <figcaption><h3>${title}</h3><p class="kp-ov-now">${now}</p></figcaption>
    <kp-chart .x=${x} .series=${series} .unit=${unit}></kp-chart>
    ${twin({ title, note, series, rows, unit })}
  </figure>`;
}

/** The chart as a table, for who does not see it. */
function twin({ title, note, series, rows, unit }) {
  return html`<div class="kp-sr"><table>
    <caption>${title}. ${note}</caption>
    <thead><tr><th scope="col">${t.overview.when}</th>${series.map((one) => html`<th scope="col">${one.label}</th>`)}</tr></thead>
    <tbody>
      ${rows.map((row) => html`<tr><th scope="row">${t.overview.between(row.from, row.to)}</th>${row.values.map((value) => html`<td>${value === null ? t.overview.noRequests : unit(value)}</td>`)}</tr>`)}
    </tbody>
  </table></div>`;
}

function requests({ pace, inflight }) {
  const names = requestSeries(pace);
  const columns = Object.fromEntries(names.map((name) => [name, perSecond(pace[name], pace.width)]));
  const total = ["people", "workers", "pages"].reduce((sum, name) => sum + rate(pace[name], pace.width, LATELY), 0);
  return chart({
    title: t.overview.requests,
    now: html`<b>${t.overview.perSecond(rateText(total))}</b> ${t.overview.inflight(inflight)}`,
    x: timesOf(pace),
    series: names.map((name) => ({ label: t.overview.who[name], colour: name, values: columns[name] })),
    unit: (value) => t.overview.perSecond(rateText(value)),
    rows: rowsOf(pace, columns, mean),
    note: t.overview.meanOfMinute,
  });
}

function latency(pace) {
  const { quantiles, whole } = pace;
  return chart({
    title: t.overview.latency,
    now: whole.p50 === null ? t.overview.noRequestsLately : html`${QUANTILES.map((name) => html`<span>${name} <b>${t.overview.seconds(whole[name])}</b></span> `)}`,
    x: timesOf(pace),
    series: QUANTILES.map((name) => ({ label: name, colour: name, values: quantiles[name] })),
    unit: (value) => t.overview.seconds(value),
    rows: rowsOf(pace, quantiles, highest),
    note: t.overview.highestOfMinute,
  });
}

function revisions(pace) {
  const values = perSecond(pace.writes, pace.width);
  const minute = rate(pace.writes, pace.width, 60) * 60;
  return chart({
    title: t.overview.revisions,
    now: html`<b>${t.overview.perSecond(rateText(rate(pace.writes, pace.width, LATELY)))}</b> ${t.overview.lastMinute(Math.round(minute))}`,
    x: timesOf(pace),
    series: [{ label: t.overview.revisions, colour: "writes", values }],
    unit: (value) => t.overview.perSecond(rateText(value)),
    rows: rowsOf(pace, { writes: values }, mean),
    note: t.overview.meanOfMinute,
  });
}

function watches({ total, http, clients }) {
  return html`<section class="kp-card" aria-labelledby="ov-watches">
    <h3 id="ov-watches">${t.overview.watches} <b>${t.number(total)}</b></h3>
    <p class="kp-muted">${t.overview.overHttp(http)}</p>
    <table class="kp-table kp-ov-table">
      <thead><tr><th scope="col">${t.overview.client}</th><th scope="col" class="kp-number">${t.overview.openWatches}</th></tr></thead>
      <tbody>${clients.map((one) => html`<tr><th scope="row">${one.name}</th><td class="kp-number">${t.number(one.count)}</td></tr>`)}</tbody>
    </table>
  </section>`;
}

function queues(all) {
  const { busy, later } = busyQueues(all);
  const said = (depths) => Object.entries(depths).filter(([, n]) => n).map(([name, n]) => t.overview.depth(n, t.overview.depths[name] ?? name)).join(", ");
  const table = (rows) => html`<table class="kp-table kp-ov-table">
    <thead><tr><th scope="col">${t.overview.queue}</th><th scope="col">${t.overview.inIt}</th></tr></thead>
    <tbody>${rows.map((one) => html`<tr><th scope="row">${one.name}</th><td class="kp-wrap">${said(one.depths) || t.overview.empty}</td></tr>`)}</tbody>
  </table>`;
  return html`<section class="kp-card" aria-labelledby="ov-queues">
    <h3 id="ov-queues">${t.overview.queues}</h3>
    ${busy.length ? table(busy) : html`<p>${t.overview.allEmpty(all.length)}</p>`}
    ${later ? html`<p class="kp-muted">${t.overview.later(later)}</p>` : nothing}
    <details><summary>${t.overview.allQueues(all.length)}</summary>${table(all)}</details>
  </section>`;
}
