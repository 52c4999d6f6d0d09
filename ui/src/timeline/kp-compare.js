// Two revisions side by side, or two clusters: which objects differ, and then both texts of one.
import { html, LitElement, nothing } from "lit";

import { clustersHere } from "../command/world.js";
import { t } from "../texts.js";
import { ask, Latest } from "./ask.js";
import { byResource, QUIET, refText } from "./model.js";

class Compare extends LitElement {
  static properties = {
    cluster: {},
    a: { type: Number },
    b: { type: Number },
    namespace: {},
    other: {}, // the cluster that B is a revision of; "" for this one
    newest: { type: Number },
    partly: { type: Boolean }, // whether one may not list all kinds
    loud: { state: true }, // whether what machines write all the time is listed, too
    found: { state: true },
    chosen: { state: true },
    problem: { state: true },
  };

  constructor() {
    super();
    this.namespace = "";
    this.other = "";
    this.loud = false;
    this.latest = new Latest();
    this.texts = new Latest();
    this.namespaces = new Set();
  }

  createRenderRoot() {
    return this;
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.latest.stop();
    this.texts.stop();
  }

  get ready() {
    return this.other !== "" || (Number.isInteger(this.a) && Number.isInteger(this.b));
  }

  updated(changed) {
    if (["a", "b", "namespace", "cluster", "other"].some((name) => changed.has(name))) this.load();
  }

  async load() {
    this.chosen = null;
    if (!this.ready) return;
    // Of this cluster, the revision until which it was read: what comes meanwhile does not move the page.
    const a = this.a ?? (this.other ? this.newest : null);
    const params = { a, b: this.b, namespace: this.namespace, other: this.other || null };
    try {
      const found = await this.latest.run((signal) => ask(this.cluster, "/history/difference", params, signal));
      if (!found) return;
      for (const item of found.items) if (item.namespace) this.namespaces.add(item.namespace);
      this.found = found;
      this.problem = null;
    } catch (error) {
      this.problem = error.message;
    }
  }

  /** The places of both texts: [cluster, revision], the earlier one first. */
  sides() {
    const { a, b } = this.found;
    if (this.other) return [[this.cluster, a], [this.other, b]];
    return [[this.cluster, Math.min(a, b)], [this.cluster, Math.max(a, b)]];
  }

  async choose(item) {
    const { resource, namespace, name } = item;
    const sides = this.sides();
    const lines = ([cluster, rev], signal) => ask(cluster, "/history/lines", { resource, namespace, name, rev }, signal);
    try {
      const found = await this.texts.run((signal) => Promise.all([...sides.map((side) => lines(side, signal)), import("./merge.js")]));
      if (!found) return;
      const [before, after] = found.slice(0, 2).map((one) => one.lines.map((line) => line.text).join("\n"));
      this.chosen = { item, before, after, sides };
      await this.updateComplete;
      found[2].show(this.querySelector(".kp-tl-merge"), before, after);
      this.querySelector(".kp-tl-pair").scrollIntoView({ block: "nearest" });
    } catch (error) {
      this.problem = error.message;
    }
  }

  render() {
    return html`${this.head()}
    ${this.problem ? html`<p class="kp-note kp-bad" role="alert">${t.timeline.problem} <code>${this.problem}</code></p>` : nothing}
    ${this.ready && this.found ? this.list() : nothing}
    ${this.chosen ? this.pair() : nothing}`;
  }

  head() {
    const words = t.timeline;
    const letter = (name, value, hint = "") => html`<label class="kp-inline">${name}
      <input type="number" min="0" inputmode="numeric" class="kp-tl-number" placeholder=${hint} .value=${value ?? ""} aria-label="${name}: ${words.slider}"
        @change=${(event) => this.tell("kp-mark", { [name]: event.target.value === "" ? null : Number(event.target.value) })}></label>`;
    const others = clustersHere().map((one) => one.name).filter((name) => name !== this.cluster);
    const hint = this.other ? words.newest : "";
    return html`<div class="kp-toolbar">
      ${letter("A", this.a, hint)} ${letter("B", this.b, hint)}
      ${others.length || this.other
        ? html`<label class="kp-inline">${words.withCluster}
            <select @change=${(event) => this.tell("kp-with", event.target.value)}>
              <option value="" ?selected=${!this.other}>${words.thisCluster}</option>
              ${[...new Set([...others, ...(this.other ? [this.other] : [])])].map((one) => html`<option ?selected=${one === this.other}>${one}</option>`)}
            </select></label>`
        : nothing}
      <label class="kp-inline">${words.namespace}
        <select @change=${(event) => (this.namespace = event.target.value)}>
          <option value="" ?selected=${!this.namespace}>${words.wholeCluster}</option>
          ${[...this.namespaces].sort().map((one) => html`<option ?selected=${one === this.namespace}>${one}</option>`)}
        </select></label>
    </div>
    ${this.other ? html`<p class="kp-muted">${words.besideHint(this.other)}</p>` : this.ready ? nothing : html`<p class="kp-muted">${words.compareHint}</p>`}`;
  }

  list() {
    const words = t.timeline;
    const { a, b, more, other } = this.found;
    const items = this.loud ? this.found.items : this.found.items.filter((item) => !QUIET.has(item.resource));
    const quiet = this.found.items.length - items.length;
    const rest = quiet ? html`<p class="kp-muted">${words.quiet(quiet)} <button type="button" class="kp-link" @click=${() => (this.loud = true)}>${words.showQuiet}</button></p>` : nothing;
    if (!items.length) return html`<p class="kp-muted" role="status">${other ? words.noDifferenceBeside(a, other, b) : this.partly ? words.noDifferenceSeen(a, b) : words.noDifference(a, b)}</p>${rest}`;
    return html`<p role="status"><strong>${other ? words.differBeside(items.length, a, other, b) : words.differ(items.length, a, b)}</strong> ${more ? words.moreDiffer(items.length) : nothing}</p>
      <div class="kp-tl-differences">
        ${byResource(items).map(
          ([resource, group]) => html`<section><h2 class="kp-sub">${resource} <span class="kp-muted">${t.number(group.length)}</span></h2>
            <ul>${group.map((item) => this.item(item))}</ul></section>`,
        )}
      </div>${rest}`;
  }

  item(item) {
    const { marks, kinds } = t.timeline;
    const chosen = this.chosen && refText(this.chosen.item) === refText(item);
    return html`<li><button type="button" class="kp-tl-difference" data-change=${item.change} aria-pressed=${Boolean(chosen)} @click=${() => this.choose(item)}>
      <span class="kp-tl-sign" aria-hidden="true">${marks[item.change]}</span>
      <span>${item.namespace ? `${item.namespace}/` : ""}${item.name}</span>
      <span class="kp-muted">${kinds[item.change]}</span></button></li>`;
  }

  pair() {
    const { item, before, after, sides } = this.chosen;
    const title = (letter, [cluster, rev]) => (this.other ? t.timeline.atRevisionOf(letter, cluster, rev) : t.timeline.atRevision(letter, rev));
    const missing = (text) => (text ? nothing : html` <span class="kp-muted">${t.timeline.notThere}</span>`);
    return html`<section class="kp-tl-pair" aria-label=${refText(item)}>
      <h2 class="kp-sub"><code>${refText(item)}</code></h2>
      <div class="kp-tl-sides"><span>${title("A", sides[0])}${missing(before)}</span><span>${title("B", sides[1])}${missing(after)}</span></div>
      <div class="kp-tl-merge"></div>
    </section>`;
  }

  tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));
  }
}

customElements.define("kp-compare", Compare);
