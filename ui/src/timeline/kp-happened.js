// What happened around a revision: sentences, and the writes they come from.
import { html, LitElement, nothing } from "lit";

import { readWorld, worldNow } from "../command/world.js";
import { ended, within } from "../sentence.js";
import { t } from "../texts.js";
import { ask, Latest } from "./ask.js";
import { clock } from "./moments.js";
import { refText } from "./model.js";

const BACK = 40; // revisions before this one that are told of
const ROWS = 40;

class Happened extends LitElement {
  static properties = { cluster: {}, rev: { type: Number }, oldest: { type: Number }, traces: { type: Boolean }, partly: { type: Boolean }, facts: { state: true }, changes: { state: true }, kinds: { state: true }, problem: { state: true } };

  constructor() {
    super();
    this.latest = new Latest();
  }

  createRenderRoot() {
    return this;
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.latest.stop();
  }

  updated(changed) {
    if (changed.has("rev") || changed.has("cluster")) this.load();
  }

  get after() {
    return Math.max(this.oldest, this.rev - BACK);
  }

  /** Where the pages of kinds are, by their names in the log. */
  async loadKinds() {
    try {
      await readWorld();
      this.kinds = new Map(worldNow().kinds.map((one) => [one.group ? `${one.plural}.${one.group}` : one.plural, one.url]));
    } catch {
      this.kinds = new Map(); // names are no links then
    }
  }

  connectedCallback() {
    super.connectedCallback();
    this.loadKinds();
  }

  async load() {
    const range = { after: this.after, upto: this.rev };
    try {
      const found = await this.latest.run((signal) =>
        Promise.all([ask(this.cluster, "/history/facts", range, signal), ask(this.cluster, "/history/changes", { ...range, limit: ROWS }, signal)]),
      );
      if (!found) return;
      this.facts = found[0].items.reverse();
      this.changes = found[1].items.reverse();
      this.problem = null;
    } catch (error) {
      this.problem = error.message;
    }
  }

  render() {
    if (this.problem) return html`<p class="kp-note kp-bad" role="alert">${t.timeline.problem} <code>${this.problem}</code> <button type="button" class="kp-button" @click=${this.load}>${t.timeline.again}</button></p>`;
    if (!this.facts) return html`<p class="kp-muted">${t.timeline.reading}</p>`;
    return html`<div class="kp-tl-columns">
      <section><h2>${t.timeline.sentences(this.after + 1, this.rev)}</h2>${this.sentences()}</section>
      <section><h2>${t.timeline.changes}</h2>${this.table()}</section>
    </div>`;
  }

  sentences() {
    if (!this.facts.length) return html`<p class="kp-muted">${this.partly ? t.timeline.nothingSeen(this.after + 1, this.rev) : t.timeline.nothingHappened(this.after + 1, this.rev)}</p>`;
    return html`<ul class="kp-tl-facts">
      ${this.facts.map(
        (fact) => html`<li class=${fact.bad ? "kp-tl-bad" : ""} data-here=${fact.revision === this.rev}>
          <span class="kp-tl-when">${this.revision(fact.revision)} <span class="kp-muted">${clock(fact.at)}</span></span>
          <span class="kp-tl-text">${ended(fact.text)} ${within(fact.namespace)}</span>
          ${this.traces && fact.trace ? html`<a class="kp-tl-trace" href=${this.traceOf(fact)} aria-label="${t.timeline.trace}: ${fact.text}">${t.timeline.trace}</a>` : nothing}
        </li>`,
      )}
    </ul>`;
  }

  table() {
    if (!this.changes.length) return html`<p class="kp-muted">${this.partly ? t.timeline.noChangesSeen : t.timeline.noChanges}</p>`;
    const { columns, types } = t.timeline;
    return html`<div class="kp-scroll kp-tl-writes" tabindex="0" role="region" aria-label=${t.timeline.changes}>
      <table class="kp-table">
        <thead><tr><th scope="col">${columns.revision}</th><th scope="col">${columns.object}</th><th scope="col">${columns.change}</th><th scope="col">${columns.who}</th><th scope="col"><span class="kp-sr">${t.timeline.choose}</span></th></tr></thead>
        <tbody>
          ${this.changes.map(
            (one) => html`<tr data-type=${one.type} aria-selected=${one.revision === this.rev}>
              <td>${this.revision(one.revision)}</td>
              <th scope="row"><span class="kp-muted">${one.resource.split(".")[0]}</span> ${this.object(one)}</th>
              <td>${types[one.type]}</td>
              <td class="kp-tl-who" title=${one.actor}>${short(one.actor)}</td>
              <td><button type="button" class="kp-link" @click=${() => this.tell("kp-follow", refText(one))}>${t.timeline.choose}<span class="kp-sr"> ${one.name}</span></button></td>
            </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
  }

  /** The name of an object, which leads to its page at the revision; a deletion's to the one before. */
  object(one) {
    const name = `${one.namespace ? `${one.namespace}/` : ""}${one.name}`;
    const kind = this.kinds?.get(one.resource);
    if (!kind) return name;
    const rev = one.type === "DELETED" ? one.revision - 1 : one.revision;
    return html`<a href="${kind}/${encodeURIComponent(one.namespace || "-")}/${encodeURIComponent(one.name)}?rev=${rev}">${name}</a>`;
  }

  revision(rev) {
    return html`<button type="button" class="kp-link kp-number" title=${t.timeline.goThere(rev)} @click=${() => this.tell("kp-go", rev)}>${t.number(rev)}</button>`;
  }

  traceOf(fact) {
    return `/clusters/${encodeURIComponent(this.cluster)}/trace/${encodeURIComponent(fact.trace)}`;
  }

  tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));
  }
}

/** Shortens the name of a component as the sentences do. */
export function short(user) {
  return user.replace(/^system:serviceaccount:kube-system:/, "").replace(/^system:node:/, "kubelet on ").replace(/^system:/, "");
}

customElements.define("kp-happened", Happened);
