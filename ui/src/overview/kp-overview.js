// The overview: asked anew every two seconds or less often while somebody sees it.
//
// Counts, warnings and sentences come when there is a new revision; otherwise the control plane alone.
import { html, LitElement, nothing } from "lit";

import { ApiError, get, post } from "../api.js";
import { freshness } from "../el/kp-freshness.js";
import { t } from "../texts.js";
import { flushState, readState, writeState } from "../url.js";
import { controlPlane } from "./control.js";
import { sentences, warned } from "./happened.js";
import { kindCards, lookAt } from "./kinds.js";
import { lately, pauseAfter } from "./model.js";

// A site that does not answer is asked less often.
const AFTER_TROUBLE = 5000;
const COMMAND = "kubectl create deployment web --image=nginx --replicas=3";

class Overview extends LitElement {
  static properties = {
    cluster: {},
    rev: {},
    // Where to ask for something to see; absent for who may not change the cluster.
    start: {},
    found: { state: true },
    problem: { state: true },
    all: { state: true },
    starting: { state: true },
    refused: { state: true },
  };

  constructor() {
    super();
    this.found = null;
    this.problem = null;
    this.all = readState().all === "1";
    this.starting = false;
    this.refused = "";
  }

  createRenderRoot() {
    return this;
  }

  connectedCallback() {
    super.connectedCallback();
    this.look = () => document.visibilityState === "visible" && this.ask();
    this.moved = () => this.ns !== (readState().ns ?? "") && this.renew();
    this.narrow = (event) => {
      event.preventDefault();
      writeState({ ns: event.detail.ns });
      flushState();
    };
    document.addEventListener("visibilitychange", this.look);
    window.addEventListener("kp-address", this.moved);
    window.addEventListener("kp-namespace", this.narrow);
    this.renew();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    document.removeEventListener("visibilitychange", this.look);
    window.removeEventListener("kp-address", this.moved);
    window.removeEventListener("kp-namespace", this.narrow);
    clearTimeout(this.timer);
    this.asking?.abort();
  }

  /** Forgets what is known, and asks for all of it. */
  renew() {
    this.ns = readState().ns ?? "";
    this.found = null;
    this.asking?.abort();
    this.asking = null;
    this.ask();
  }

  async ask() {
    clearTimeout(this.timer);
    if (this.asking) return;
    const asking = (this.asking = new AbortController());
    const began = performance.now();
    let wait;
    try {
      const found = await get(this.address, { signal: asking.signal });
      if (this.asking !== asking) return;
      const ms = Math.max(1, Math.round(performance.now() - began));
      this.take(found, ms);
      // The past does not change.
      wait = this.rev ? 0 : pauseAfter(ms);
    } catch (error) {
      if (asking.signal.aborted) return;
      this.problem = error;
      wait = this.lost(error);
    }
    this.asking = null;
    if (wait && this.isConnected) this.timer = setTimeout(this.look, wait);
  }

  get address() {
    const params = new URLSearchParams();
    if (this.ns) params.set("namespace", this.ns);
    if (this.rev) params.set("rev", this.rev);
    else if (this.found) params.set("seen", this.found.revision);
    return `/api/clusters/${encodeURIComponent(this.cluster)}/overview?${params}`;
  }

  take(found, ms) {
    this.problem = null;
    this.found = { ...this.found, ...found };
    if (this.rev) return;
    this.found.changes = lately(this.found.changes, this.found.at);
    freshness("live", t.live(found.revision, ms));
  }

  /** Says that nothing new comes; returns when to ask again, 0 for never. */
  lost(error) {
    const status = error instanceof ApiError ? error.status : 0;
    if (status === 401 || status === 403 || status === 404 || status === 410 || this.rev) {
      freshness("ended", t.ended);
      return 0;
    }
    freshness("lost", t.upstreamDown(this.found?.revision));
    return AFTER_TROUBLE;
  }

  async run() {
    this.starting = true;
    this.refused = "";
    try {
      const made = await post(this.start);
      document.getElementById("voice").textContent = t.overview.started(made.name);
      this.ask();
    } catch (error) {
      this.refused = error.message;
    }
    this.starting = false;
  }

  // -- drawing --------------------------------------------------------------------------------------

  render() {
    const { found, problem } = this;
    if (!found) return problem ? this.trouble() : html`<p class="kp-muted" role="status">${t.overview.reading}</p>`;
    const view = { ...found, cluster: this.cluster, ns: this.ns, rev: this.rev ?? "", all: this.all, more: () => this.showAll() };
    return html`${problem ? this.trouble() : nothing} ${this.narrowed()} ${found.idle && !this.rev ? this.idle() : nothing}
      <section aria-labelledby="ov-objects">
        <h2 id="ov-objects">${t.overview.objects}</h2>
        ${kindCards(view)} ${this.unseen()}
      </section>
      <div class="kp-ov-columns">
        <section class="kp-card" aria-labelledby="ov-changes">
          <h2 id="ov-changes">${this.rev ? t.overview.changedBefore(Number(this.rev)) : t.overview.changed}</h2>
          ${sentences(view)}
        </section>
        <div class="kp-ov-side">
          <section class="kp-card" aria-labelledby="ov-trouble">
            <h2 id="ov-trouble">${t.overview.toLookAt}</h2>
            ${lookAt(view)}
          </section>
          <section class="kp-card" aria-labelledby="ov-warnings">
            <h2 id="ov-warnings">${t.overview.warnings}</h2>
            ${warned(view)}
          </section>
        </div>
      </div>
      <section aria-labelledby="ov-control">
        <h2 id="ov-control">${t.overview.control}</h2>
        ${this.control(view)}
      </section>`;
  }

  showAll() {
    this.all = true;
    writeState({ all: "1" });
  }

  control(view) {
    if (this.rev) return html`<p class="kp-note">${t.overview.presentOnly}</p>`;
    if (!view.control) return html`<p class="kp-note">${t.overview.noMetrics}</p>`;
    return controlPlane(view);
  }

  trouble() {
    return html`<div class="kp-note kp-bad" role="alert">
      <p>${this.found ? t.overview.lost : t.overview.notRead} <code>${this.problem.message}</code></p>
      <p><button type="button" class="kp-button" @click=${() => this.ask()}>${t.overview.again}</button></p>
    </div>`;
  }

  narrowed() {
    if (!this.ns) return nothing;
    return html`<p class="kp-ov-narrowed">${t.overview.onlyIn} <code>${this.ns}</code>. <a href=${this.rev ? `?rev=${this.rev}` : "?"}>${t.showAllNamespaces}</a></p>`;
  }

  unseen() {
    const { unseen } = this.found;
    return unseen.length ? html`<p class="kp-muted">${t.overview.unseen(unseen.join(", "))}</p>` : nothing;
  }

  idle() {
    return html`<section class="kp-card kp-ov-idle" aria-label=${t.overview.idle}>
      <p><strong>${t.overview.idle}</strong> ${t.tryThis} <code>${COMMAND}</code>
        ${this.start ? html`<button type="button" class="kp-button kp-primary" ?disabled=${this.starting} @click=${() => this.run()}>${this.starting ? t.overview.running : t.overview.runIt}</button>` : nothing}
      </p>
      ${this.refused ? html`<p class="kp-wrong" role="alert">${t.overview.notStarted} <code>${this.refused}</code></p>` : nothing}
    </section>`;
  }
}

customElements.define("kp-overview", Overview);
