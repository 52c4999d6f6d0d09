// The panel of the selected pod: what the stream knows at once, and the site's tabs below it.
import { html, LitElement, nothing } from "lit";

import { t } from "../texts.js";
import "./kp-why.js";

const PLURALS = { Deployment: "deployments", ReplicaSet: "replicasets", StatefulSet: "statefulsets", DaemonSet: "daemonsets", Job: "jobs", CronJob: "cronjobs" };

class Panel extends LitElement {
  static properties = {
    cluster: {},
    pod: { attribute: false },
    store: { attribute: false },
    gone: { type: String },
    tick: { type: Number },
    tab: {},
    rev: { type: Number },
    // Buttons: [name, text, what it does, or where it leads, why one may not].
    actions: { attribute: false },
    why: { type: Boolean },
  };

  constructor() {
    super();
    this.tab = "summary";
    this.shown = "";
    this.actions = [];
  }

  createRenderRoot() {
    return this;
  }

  get url() {
    const { ns, name } = this.pod;
    return `/clusters/${this.cluster}/objects/core/v1/pods/${encodeURIComponent(ns)}/${encodeURIComponent(name)}`;
  }

  objectUrl(owner) {
    const group = owner.kind.endsWith("Job") ? "batch" : "apps";
    return `/clusters/${this.cluster}/objects/${group}/v1/${PLURALS[owner.kind]}/${owner.ns}/${owner.name}`;
  }

  render() {
    const { pod, store } = this;
    if (!pod) return nothing;
    const chain = store.chain(pod);
    const services = store.servicesOf(pod);
    const latest = store.warningOf.get(pod.uid);
    // The scheduler says the same in the condition and in the event: once is enough.
    const warning = latest && latest.message !== pod.why ? latest : null;
    return html`<div class="kp-panel-head">
        <span class="kp-mark" data-cls=${pod.cls} aria-hidden="true"></span>
        <div class="kp-grow"><h2 tabindex="-1">${pod.name}</h2><p class="kp-muted">${pod.ns} · ${pod.status} · ${pod.ready}</p></div>
        <a class="kp-button" href=${this.url}>${t.openPage}</a>
        <button type="button" class="kp-icon" aria-label=${t.close} @click=${this.close}>×</button>
      </div>
      ${this.gone ? this.goodbye() : nothing}
      ${this.buttons()}
      ${this.why ? html`<kp-why cluster=${this.cluster} uid=${pod.uid} node=${pod.node} stamp=${`${pod.node} ${pod.why}`}></kp-why>` : nothing}
      ${pod.why && !this.gone && this.tab !== "summary" ? html`<div class="kp-note kp-warn"><code>${pod.why}</code></div>` : nothing}
      <dl class="kp-facts kp-chain">
        ${chain.length
          ? html`<div><dt>${t.chain}</dt><dd>${[...chain].reverse().map((one) => html`<a href=${this.objectUrl(one)}>${one.kind} ${one.name}</a> › `)}<span>Pod</span></dd></div>`
          : nothing}
        ${services.length
          ? html`<div><dt>${t.services}</dt><dd>${services.map((one) => html`<a href=${`/clusters/${this.cluster}/objects/core/v1/services/${one.ns}/${one.name}`}>Service ${one.name}</a> `)}</dd></div>`
          : nothing}
        ${warning ? html`<div><dt>${t.warning}</dt><dd><strong>${warning.reason}</strong> ${warning.message}</dd></div>` : nothing}
      </dl>
      <div class="kp-panel-tab" id="panel-tab"></div>`;
  }

  buttons() {
    const one = ([name, text, work, refused = ""]) => {
      if (typeof work === "string") return html`<a class="kp-button" href=${work}>${text}</a>`;
      const shown = { yaml: this.tab === "yaml", describe: this.tab === "summary", why: this.why }[name];
      return html`<button type="button" class="kp-button" aria-pressed=${shown ?? nothing} aria-disabled=${refused ? "true" : nothing} title=${refused || nothing} @click=${() => refused || work()}>${text}</button>`;
    };
    return html`<div class="kp-panel-actions" role="group" aria-label=${t.topology.menu.views}>${this.actions.map(one)}</div>`;
  }

  goodbye() {
    const { pod, store } = this;
    const heirs = [];
    for (const other of store.pods.values()) {
      if (pod.owner && other.owner === pod.owner && other.created > pod.created && heirs.length < 3) heirs.push(other);
    }
    return html`<div class="kp-note kp-bad" role="alert">
      <p>${t.deletedAt(`Pod ${pod.name}`, this.gone)}</p>
      ${heirs.length
        ? html`<p>${t.findReplacement} ${heirs.map((one) => html`<button type="button" class="kp-link" @click=${() => this.choose(one.uid)}>${one.name}</button> `)}</p>`
        : nothing}
    </div>`;
  }

  updated() {
    const host = this.querySelector(".kp-panel-tab");
    if (!host || this.gone) return;
    // What the tab shows is asked for again when the pod changes, except logs, which stream.
    const stamp = this.tab === "logs" ? "" : `${this.pod.status} ${this.pod.ready} ${this.pod.restarts} ${this.pod.node}`;
    const wanted = `${this.pod.uid} ${this.tab} ${stamp}`;
    if (wanted === this.shown) return;
    const same = this.shown.startsWith(`${this.pod.uid} `);
    this.shown = wanted;
    if (!same) host.replaceChildren();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.load(host), same ? 400 : 0);
  }

  load(host) {
    const url = `${this.url}?tab=${this.tab}&compact${Number.isInteger(this.rev) ? `&rev=${this.rev}` : ""}`;
    window.htmx?.ajax("GET", url, { target: host, swap: "innerHTML" });
    if (!this.listening) {
      this.listening = true;
      host.addEventListener("click", (event) => {
        const tab = event.target.closest("[data-tab]");
        if (tab) {
          this.tab = tab.dataset.tab;
          this.shown = `${this.pod.uid} ${this.tab} `;
          this.dispatchEvent(new CustomEvent("kp-tab", { detail: this.tab, bubbles: true }));
        }
      });
    }
  }

  focusHead() {
    this.querySelector("h2")?.focus();
  }

  choose(uid) {
    this.dispatchEvent(new CustomEvent("kp-select", { detail: { uid, focusPanel: true }, bubbles: true }));
  }

  close() {
    this.dispatchEvent(new CustomEvent("kp-select", { detail: { uid: null }, bubbles: true }));
  }
}

customElements.define("kp-panel", Panel);
