// Two revisions side by side: which objects differ, and then both texts of one.
import { html, LitElement, nothing } from "lit";

import { t } from "../texts.js";
import { ask, Latest } from "./ask.js";
import { byResource, refText } from "./model.js";

class Compare extends LitElement {
  static properties = {
    cluster: {},
    a: { type: Number },
    b: { type: Number },
    namespace: {},
    found: { state: true },
    chosen: { state: true },
    problem: { state: true },
  };

  constructor() {
    super();
    this.namespace = "";
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
    return Number.isInteger(this.a) && Number.isInteger(this.b);
  }

  updated(changed) {
    if (["a", "b", "namespace", "cluster"].some((name) => changed.has(name))) this.load();
  }

  async load() {
    this.chosen = null;
    if (!this.ready) return;
    const params = { a: this.a, b: this.b, namespace: this.namespace };
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

  async choose(item) {
    const { resource, namespace, name } = item;
    const [early, late] = [Math.min(this.a, this.b), Math.max(this.a, this.b)];
    const lines = (rev, signal) => ask(this.cluster, "/history/lines", { resource, namespace, name, rev }, signal);
    try {
      const found = await this.texts.run((signal) => Promise.all([lines(early, signal), lines(late, signal), import("./merge.js")]));
      if (!found) return;
      const [before, after] = found.slice(0, 2).map((one) => one.lines.map((line) => line.text).join("\n"));
      this.chosen = { item, before, after, early, late };
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
    const letter = (name, value) => html`<label class="kp-inline">${name}
      <input type="number" min="0" inputmode="numeric" class="kp-tl-number" .value=${value ?? ""} aria-label="${name}: ${t.timeline.slider}"
        @change=${(event) => this.tell("kp-mark", { [name]: event.target.value === "" ? null : Number(event.target.value) })}></label>`;
    return html`<div class="kp-toolbar">
      ${letter("A", this.a)} ${letter("B", this.b)}
      <label class="kp-inline">${t.timeline.namespace}
        <select @change=${(event) => (this.namespace = event.target.value)}>
          <option value="" ?selected=${!this.namespace}>${t.timeline.wholeCluster}</option>
          ${[...this.namespaces].sort().map((one) => html`<option ?selected=${one === this.namespace}>${one}</option>`)}
        </select></label>
    </div>
    ${this.ready ? nothing : html`<p class="kp-muted">${t.timeline.compareHint}</p>`}`;
  }

  list() {
    const { items, a, b, more } = this.found;
    if (!items.length) return html`<p class="kp-muted" role="status">${t.timeline.noDifference(a, b)}</p>`;
    return html`<p role="status"><strong>${t.timeline.differ(items.length, a, b)}</strong> ${more ? t.timeline.moreDiffer(items.length) : nothing}</p>
      <div class="kp-tl-differences">
        ${byResource(items).map(
          ([resource, group]) => html`<section><h2 class="kp-sub">${resource} <span class="kp-muted">${t.number(group.length)}</span></h2>
            <ul>${group.map((item) => this.item(item))}</ul></section>`,
        )}
      </div>`;
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
    const { item, before, after, early, late } = this.chosen;
    const missing = (text) => (text ? nothing : html` <span class="kp-muted">${t.timeline.notThere}</span>`);
    return html`<section class="kp-tl-pair" aria-label=${refText(item)}>
      <h2 class="kp-sub"><code>${refText(item)}</code></h2>
      <div class="kp-tl-sides"><span>${t.timeline.atRevision("A", early)}${missing(before)}</span><span>${t.timeline.atRevision("B", late)}${missing(after)}</span></div>
      <div class="kp-tl-merge"></div>
    </section>`;
  }

  tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));
  }
}

customElements.define("kp-compare", Compare);
