// The cluster's events as a panel of the dock, as they happen; among them what the site refused of one's own doings.
//
// Attributes: cluster; ns, object ("pod/web-1"), type, q, grouped: what is shown of them, which is remembered.
import { html, LitElement, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";

import { age } from "../age.js";
import { clusterNow } from "../clock.js";
import { arrange, fromProblem, fromRow, tally } from "../happenings/model.js";
import { ListModel } from "../list/model.js";
import { forgetProblems, problems } from "../problems.js";
import { Stream } from "../stream.js";
import { t } from "../texts.js";

// Older ones are a list, which has virtual rows.
const SHOWN = 300;
const AGES_EVERY = 5000;

class Events extends LitElement {
  static properties = { cluster: {}, ns: {}, object: {}, type: {}, q: {}, grouped: {}, tick: { state: true }, note: { state: true } };

  constructor() {
    super();
    Object.assign(this, { ns: "", object: "", type: "", q: "", grouped: "", tick: 0, note: null, complete: false });
    this.model = new ListModel();
    this.onProblems = () => (this.tick += 1);
  }

  createRenderRoot() {
    return this;
  }

  connectedCallback() {
    super.connectedCallback();
    window.addEventListener("kp-problems", this.onProblems);
    this.ages = setInterval(() => this.requestUpdate(), AGES_EVERY);
    this.open();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    window.removeEventListener("kp-problems", this.onProblems);
    clearInterval(this.ages);
    cancelAnimationFrame(this.frame);
    this.stream?.stop();
  }

  focusPanel() {
    this.querySelector("input[type=search]")?.focus();
  }

  // --- the stream -----------------------------------------------------------------------------

  open() {
    this.stream?.stop();
    this.complete = false;
    this.rev = 0;
    this.model.rows.clear();
    const path = this.ns ? `/api/v1/namespaces/${this.ns}/events` : "/api/v1/events";
    this.stream = new Stream(`/ws/clusters/${this.cluster}/list/?${new URLSearchParams({ path })}`, {
      hello: () => ({ rev: this.complete ? this.rev : null }),
      frame: (frame) => this.receive(frame),
      state: (state) => this.tell(state),
    });
    this.stream.start();
  }

  receive({ op, rev, columns, rows, ev, upstream, text }) {
    if (op === "columns") this.model.reset(columns, { across: true });
    else if (op === "rows") this.model.add(rows);
    else if (op === "batch") this.model.apply(ev);
    else if (op === "error") {
      this.stream.stop();
      this.note = text;
    } else if (op === "status") this.note = upstream === "down" ? `${t.events.down} ${text}` : null;
    if (op === "ready") this.complete = true;
    this.rev = rev || this.rev;
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.tick += 1;
    });
  }

  tell({ name, code }) {
    if (name === "lost") this.note = t.logs.lost;
    else if (name === "ended") this.note = code === 4404 ? t.clusterGone : t.signedOut;
    else if (this.note === t.logs.lost) this.note = null;
  }

  // --- what is shown --------------------------------------------------------------------------

  set(params) {
    Object.assign(this, params);
    this.dispatchEvent(new CustomEvent("kp-panel-params", { bubbles: true, detail: { params } }));
    if ("ns" in params) this.open();
  }

  get events() {
    const now = clusterNow();
    // A problem's time is the machine's; beside events it is told by the cluster's clock.
    const apart = now - Date.now();
    const own = problems(this.cluster).map((one) => fromProblem({ ...one, at: one.at + apart }));
    return [...own, ...[...this.model.rows.values()].map((row) => fromRow(row, this.model.columns, now))];
  }

  get namespaces() {
    const found = new Set([...this.model.rows.values()].map(({ ns }) => ns));
    return [...found, this.ns].filter(Boolean).filter((one, i, all) => all.indexOf(one) === i).sort();
  }

  render() {
    const all = this.events;
    const view = arrange(all, this, { grouped: Boolean(this.grouped) });
    return html`${this.bar(tally(all))}
      ${this.note ? html`<p class="kp-note kp-warn" role="alert">${this.note}</p>` : nothing}
      ${view.length ? this.table(view) : html`<p class="kp-events-none kp-muted" role="status">${this.complete || all.length ? (all.length ? t.events.nothingMatches : t.events.none) : t.loading}</p>`}`;
  }

  bar(counts) {
    const choice = (type, label, n) => html`<button type="button" aria-pressed=${this.type === type} @click=${() => this.set({ type })}>${label}${n ? html` <span class="kp-muted">${n}</span>` : nothing}</button>`;
    return html`<div class="kp-toolbar kp-log-bar" role="search" aria-label=${t.dock.events}>
      <span class="kp-segments">${choice("", t.events.all)}${choice("Warning", t.events.warnings, counts.Warning + counts.Error)}${choice("Error", t.events.problems, counts.Error)}</span>
      <label class="kp-inline">${t.namespace} <select @change=${(event) => this.set({ ns: event.target.value })}>
        <option value="" .selected=${!this.ns}>${t.events.allNamespaces}</option>${this.namespaces.map((one) => html`<option .selected=${one === this.ns}>${one}</option>`)}
      </select></label>
      <label class="kp-inline kp-grow">${t.objects.filter} <input type="search" name="q" autocomplete="off" spellcheck="false" placeholder=${t.events.hint} .value=${this.q} @input=${(event) => this.set({ q: event.target.value })} /></label>
      ${this.object ? html`<span class="kp-tag"><code>${this.object}</code> <button type="button" class="kp-link" aria-label=${t.events.allObjects} title=${t.events.allObjects} @click=${() => this.set({ object: "" })}>×</button></span>` : nothing}
      <label class="kp-check"><input type="checkbox" .checked=${Boolean(this.grouped)} @change=${(event) => this.set({ grouped: event.target.checked ? "1" : "" })} />${t.events.group}</label>
      ${counts.Error ? html`<button type="button" class="kp-button" @click=${() => forgetProblems(this.cluster)}>${t.events.forget}</button>` : nothing}
    </div>`;
  }

  table(view) {
    const rest = view.length - SHOWN;
    return html`<div class="kp-events-rows" tabindex="0" role="region" aria-label=${t.dock.events}><table class="kp-table kp-events-table">
      <thead><tr>${[t.events.last, t.events.type, t.events.reason, t.events.object, t.events.message].map((one) => html`<th scope="col">${one}</th>`)}</tr></thead>
      <tbody>${repeat(view.slice(0, SHOWN), (one) => one.id, (one) => this.row(one))}</tbody>
    </table>${rest > 0 ? html`<p class="kp-muted">${t.events.older(rest)} <a href=${`/clusters/${this.cluster}/objects/core/v1/events?${new URLSearchParams({ ns: this.ns, sort: "Last Seen" })}`}>${t.relations.asList}</a></p>` : nothing}</div>`;
  }

  row(event) {
    const [word, state] = { Warning: [event.type, "bad"], Error: [t.events.problem, "bad"] }[event.type] ?? [event.type, "plain"];
    return html`<tr data-type=${event.type}>
      <td><time>${age((clusterNow() - event.at) / 1000)}</time>${event.count > 1 ? html` <span class="kp-muted">×${event.count}</span>` : nothing}</td>
      <td data-state=${state}>${word}</td>
      <td>${event.reason}</td>
      <td>${this.subject(event)}</td>
      <td class="kp-wrap">${event.message}</td>
    </tr>`;
  }

  subject(event) {
    if (event.objects > 1) return html`<button type="button" class="kp-link" @click=${() => this.set({ grouped: "", q: event.reason })}>${t.events.objects(event.objects)}</button>`;
    if (!event.object) return nothing;
    const query = new URLSearchParams({ what: event.object, ns: event.ns });
    return html`<a href=${`/clusters/${this.cluster}/terminal/named?${query}`}>${event.object}</a>${!this.ns && event.ns ? html` <span class="kp-muted">${event.ns}</span>` : nothing}`;
  }
}

customElements.define("kp-events", Events);
