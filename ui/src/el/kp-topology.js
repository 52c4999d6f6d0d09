// The topology: holds the store, the stream and the picture together. What it does with them stands
// in topology/: what the stream says, what changed, what is selected, keys, pointer, notices, toolbar.
import { html, LitElement, nothing } from "lit";

import { Announcer } from "../announcer.js";
import { panelNamed } from "../dock/panels.js";
import { parse } from "../filter.js";
import { readPalette } from "../palette.js";
import { calm } from "../preferences.js";
import { LENSES } from "../scene/lenses.js";
import { Scene } from "../scene/scene.js";
import { Tally } from "../scene/tally.js";
import { Store } from "../store.js";
import { t } from "../texts.js";
import { panelEntries } from "../topology/actions.js";
import { apply } from "../topology/changes.js";
import { Connection } from "../topology/connection.js";
import { bindKeys } from "../topology/keys.js";
import { chooseLens, fit, restore, settle } from "../topology/looking.js";
import { openMenu, renderBar, renderMenu } from "../topology/menu.js";
import * as notices from "../topology/notices.js";
import { bindPointer } from "../topology/pointer.js";
import { Rights } from "../topology/rights.js";
import { noteRemoved, pickAlso, pickOnly, select } from "../topology/selection.js";
import { legend, ripple, strip, toolbar } from "../topology/toolbar.js";
import { readState, writeState } from "../url.js";
import "./kp-break.js";
import "./kp-clock.js";
import "./kp-panel.js";
import "./kp-plane.js";
import "./kp-table.js";
import "./kp-tree.js";

const FOLLOW_UP = 250; // ms between two updates of what is text: counters, outline, table

class Topology extends LitElement {
  static properties = {
    cluster: {},
    src: {},
    readonly: { type: Boolean },
    // As whom one looks, where that is somebody else.
    viewing: {},
    rev: { type: Number },
    lens: { state: true },
    view: { state: true },
    ns: { state: true },
    query: { state: true },
    selected: { state: true },
    gone: { state: true },
    notice: { state: true },
    ready: { state: true },
    progress: { state: true },
    said: { state: true },
    outline: { state: true },
    tick: { state: true },
    calm: { state: true },
    menu: { state: true },
    picked: { state: true },
    why: { state: true },
  };

  constructor() {
    super();
    const state = readState();
    this.store = new Store();
    this.lens = LENSES[state.lens] ? state.lens : "nodes";
    this.view = state.view === "table" ? "table" : "picture";
    this.ns = state.ns ?? "";
    this.query = state.q ?? "";
    this.tab = state.tab ?? "summary";
    this.wanted = state.sel ?? "";
    this.wantedCamera = state.at ?? "";
    this.selected = this.lastPod = this.notice = this.progress = this.menu = null;
    this.gone = this.said = "";
    this.ready = this.calm = this.why = false;
    this.wantedWhy = state.why === "1";
    this.wide = window.innerWidth > 1000;
    this.outline = state.outline ? state.outline === "1" : this.wide;
    this.tick = this.matching = 0;
    this.picked = new Set();
    this.rights = new Rights(this);
    this.tally = new Tally();
    this.announcer = new Announcer((text) => (this.said = text));
    this.setFilter();
  }

  createRenderRoot() {
    return this;
  }

  firstUpdated() {
    this.stage = this.querySelector(".kp-stage");
    this.canvas = this.querySelector("canvas");
    this.scene = new Scene(this.canvas, this.store);
    this.scene.test = this.test;
    this.readColours();
    this.scene.anim.enabled = !calm();
    this.sizes = new ResizeObserver(() => this.resized());
    this.sizes.observe(this.stage);
    this.listen();
    bindPointer(this);
    this.unbindKeys = bindKeys(this);
    this.connection = new Connection(this);
    this.connection.start();
    window.kp = { ...window.kp, topology: this };
  }

  listen() {
    this.ended = new AbortController();
    const { signal } = this.ended;
    const colours = () => this.readColours();
    window.addEventListener("kp-theme", colours, { signal });
    const choose = (event) => {
      event.preventDefault();
      this.scopeTo(event.detail.ns);
    };
    window.addEventListener("kp-namespace", choose, { signal });
    for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)"]) matchMedia(query).addEventListener("change", colours, { signal });
    const seen = () => {
      this.scene.setHidden(document.visibilityState === "hidden");
      this.connection.askActivity();
    };
    document.addEventListener("visibilitychange", seen, { signal });
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.connection?.stop();
    this.scene?.destroy();
    this.sizes?.disconnect();
    this.unbindKeys?.();
    this.ended?.abort();
  }

  readColours() {
    this.scene.palette = readPalette(this.stage);
    this.scene.redraw();
  }

  resized() {
    const { clientWidth: w, clientHeight: h } = this.stage;
    if (!w || !h) return;
    this.scene.resize(w, h, window.devicePixelRatio || 1);
    if (this.ready && !this.moved) fit(this);
  }

  /** Whether a revision is shown instead of the present. */
  get past() {
    return Number.isInteger(this.rev);
  }

  /** Shows a whole picture that came; `removed` are the pods that it lacks against the one before. */
  pictureCame(removed) {
    const first = !this.ready;
    this.ready = true;
    this.progress = null;
    if (first) chooseLens(this, this.lens, true);
    else {
      this.layout.sync();
      settle(this);
      this.scene.redraw();
      noteRemoved(this, removed);
    }
    restore(this);
    this.followUp();
  }

  setFilter() {
    this.parsed = parse(this.query);
    const { test } = this.parsed;
    const { ns } = this;
    if (ns && test) this.test = (pod) => pod.ns === ns && test(pod);
    else this.test = ns ? (pod) => pod.ns === ns : test;
    if (!this.scene) return;
    this.scene.test = this.test;
    this.scene.redraw();
    this.count();
    this.tick += 1;
  }

  filterBy(text) {
    this.query = text;
    writeState({ q: text.trim() });
    this.setFilter();
  }

  scopeTo(ns) {
    this.ns = ns;
    writeState({ ns });
    this.setFilter();
  }

  count() {
    let n = 0;
    if (this.test) for (const pod of this.store.pods.values()) if (this.test(pod)) n += 1;
    this.matching = n;
  }

  /** The pods that the filter leaves bright. */
  shown() {
    const pods = [...this.store.pods.values()];
    return this.test ? pods.filter(this.test) : pods;
  }

  /** Brings texts after the picture: counters, outline, table. Never more often than one can read. */
  followUp() {
    this.following ||= setTimeout(() => {
      this.following = 0;
      this.scene.test = this.test;
      this.count();
      if (this.selected && this.store.pods.has(this.selected)) this.lastPod = this.store.pods.get(this.selected);
      this.tick += 1;
      // What is counted goes away again by itself.
      if (this.tally.said(performance.now())) this.followUp();
    }, FOLLOW_UP);
  }

  pause() {
    if (this.past) return;
    if (this.store.paused) {
      const changes = this.store.resume();
      if (changes === false) this.connection.resync();
      else apply(this, changes);
      this.followUp();
    } else this.store.pause();
    this.connection.tellFreshness();
    this.requestUpdate();
  }

  show(view) {
    this.view = view;
    writeState({ view: view === "table" ? "table" : "" });
  }

  showOutline(shown) {
    this.outline = shown;
    writeState({ outline: shown === this.wide ? "" : String(Number(shown)) });
  }

  /** Shows in the panel why the selection stands where it stands, or does so no longer. */
  explain(shown) {
    this.why = shown;
    writeState({ why: shown ? "1" : "" });
  }

  hasPanel(name) {
    return panelNamed(name) !== undefined;
  }

  breakSomething(kind, given) {
    this.querySelector("kp-break").open(kind, given);
  }

  // --- for tests and for the curious ------------------------------------------------------

  get stream() {
    return this.connection.stream;
  }

  whereIs(path) {
    const [kind, ns, name] = path.split("/");
    const found = this.store.find(kind, ns, name);
    const at = found && this.scene.whereIs(found.uid);
    if (!at) return null;
    const frame = this.canvas.getBoundingClientRect();
    return { x: frame.left + at.x, y: frame.top + at.y };
  }

  stats() {
    const { drawn, full, frames } = this.scene.stats;
    return { drawn, full, frames, rev: this.store.rev, pods: this.store.pods.size, hidden: this.scene.hidden, anim: this.scene.anim.size };
  }

  // --- markup -----------------------------------------------------------------------------

  render() {
    const model = { layout: this.layout, store: this.store, test: this.test };
    return html`${toolbar(this)} ${strip(this)}
      <div class="kp-notices">${this.past ? nothing : html`<kp-break cluster=${this.cluster} ?readonly=${this.readonly || Boolean(this.viewing)} .store=${this.store} .pod=${this.lastPod} @kp-said=${(event) => (this.said = event.detail)}></kp-break>`}${notices.render(this)}</div>
      <div class="kp-body" data-outline=${this.outline} data-panel=${Boolean(this.lastPod)}>
        <aside class="kp-outline" aria-label=${t.outline}><kp-tree .model=${model} .selected=${this.selected} .picked=${this.picked} .tick=${this.tick} @kp-select=${this.onSelect} @kp-pick=${this.onPick} @kp-menu=${({ detail }) => openMenu(this, detail)}></kp-tree></aside>
        <div class="kp-stage" ?hidden=${this.view === "table"} tabindex="-1">
          <canvas aria-hidden="true" ?hidden=${!this.ready}></canvas>
          ${legend(this)} ${notices.emptyState(this)} ${ripple(this)}
        </div>
        ${this.view === "table" ? html`<kp-table .model=${model} .selected=${this.selected} .picked=${this.picked} .tick=${this.tick} @kp-select=${this.onSelect} @kp-pick=${this.onPick} @kp-menu=${({ detail }) => openMenu(this, detail)}></kp-table>` : nothing}
        ${this.panel()} ${renderBar(this)} ${renderMenu(this)}
      </div>
      <kp-action cluster=${this.cluster} @kp-acted=${() => pickOnly(this, [])}></kp-action>
      <p class="kp-sr" aria-live="polite">${this.said}</p>`;
  }

  panel() {
    if (!this.lastPod) return nothing;
    return html`<aside class="kp-panel" aria-label=${this.lastPod.name}>
      <kp-panel cluster=${this.cluster} .rev=${this.rev} .pod=${this.lastPod} .store=${this.store} .gone=${this.gone} .tick=${this.tick} .tab=${this.tab} .actions=${panelEntries(this, this.lastPod)} ?why=${this.why} @kp-why-close=${() => this.explain(false)} @kp-select=${this.onSelect} @kp-tab=${this.onTab}></kp-panel>
    </aside>`;
  }

  onSelect(event) {
    event.stopPropagation();
    select(this, event.detail.uid, event.detail.focusPanel);
  }

  /** A row of the outline or the table was picked: some alone, or one more. */
  onPick({ detail }) {
    if (detail.also) pickAlso(this, detail.also);
    else pickOnly(this, detail.uids);
  }

  onTab(event) {
    this.tab = event.detail;
    writeState({ tab: this.tab === "summary" ? "" : this.tab });
  }
}

customElements.define("kp-topology", Topology);
