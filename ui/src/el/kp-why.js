// Why a pod stands on its node, or on none: the scheduler's own record of its attempts, the latest first.
import { html, LitElement, nothing } from "lit";

import { get } from "../api.js";
import { timeOfDay } from "../clock.js";
import { t } from "../texts.js";

class Why extends LitElement {
  static properties = {
    cluster: {},
    uid: {},
    node: {},
    // What tells that there may be a new attempt: the pod's node, or why it waits.
    stamp: {},
    found: { state: true },
    problem: { state: true },
  };

  constructor() {
    super();
    this.found = null;
    this.problem = "";
  }

  createRenderRoot() {
    return this;
  }

  willUpdate(changed) {
    if (changed.has("uid")) this.found = null;
    if (changed.has("uid") || changed.has("stamp")) this.read();
  }

  async read() {
    const { uid } = this;
    try {
      const found = await get(`/api/clusters/${this.cluster}/decisions/${encodeURIComponent(uid)}`);
      if (uid !== this.uid) return;
      this.found = found;
      this.problem = "";
    } catch (error) {
      this.problem = error.message;
    }
  }

  render() {
    const words = t.topology.why;
    return html`<section class="kp-why" aria-labelledby="why-title">
      <div class="kp-panel-head"><h3 id="why-title" class="kp-grow" tabindex="-1">${words.title(this.node)}</h3><button type="button" class="kp-icon" aria-label=${words.close} @click=${this.close}>×</button></div>
      ${this.problem ? html`<div class="kp-note kp-bad" role="alert"><p>${words.problem}</p><code>${this.problem}</code></div>` : nothing}
      ${this.found ? this.attempts() : this.problem ? nothing : html`<p class="kp-muted" role="status">${t.loading}</p>`}
    </section>`;
  }

  attempts() {
    const { items, text } = this.found;
    if (!items.length) return html`<p>${text}</p>`;
    const [latest, ...earlier] = items;
    return html`${this.attempt(latest)}
      ${earlier.length ? html`<details><summary>${t.topology.why.earlier(earlier.length)}</summary>${earlier.map((one) => this.attempt(one))}</details>` : nothing}`;
  }

  attempt({ number, at, sentences, event }) {
    return html`<p class="kp-muted">${t.topology.why.attempt(number)} · <time datetime=${at}>${timeOfDay(at)}</time></p>
      <ul class="kp-lines">${sentences.map((one) => html`<li>${one}</li>`)}</ul>
      <p><code>${event}</code></p>`;
  }

  focusHead() {
    this.querySelector("h3")?.focus();
  }

  close() {
    this.dispatchEvent(new CustomEvent("kp-why-close", { bubbles: true }));
  }
}

customElements.define("kp-why", Why);
