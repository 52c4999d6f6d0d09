// The topology: holds the store, the stream and the picture together, and draws what is around them.
import { html, LitElement, nothing } from "lit";

import { Announcer } from "../announcer.js";
import { parse } from "../filter.js";
import { readPalette } from "../palette.js";
import { Layout } from "../scene/layout.js";
import { LENSES } from "../scene/lenses.js";
import { Scene } from "../scene/scene.js";
import { Store } from "../store.js";
import { CLOSE, Stream } from "../stream.js";
import { span, t } from "../texts.js";
import { readState, writeState } from "../url.js";
import { calm } from "../preferences.js";
import { MARGIN } from "../scene/camera.js";
import { bindKeys } from "../topology-keys.js";
import { bindPointer } from "../topology-pointer.js";
import { openMenu, renderBar, renderMenu } from "../topology-actions.js";
import { panelNamed } from "../dock/panels.js";
import * as notices from "../topology-notices.js";
import { freshness } from "./kp-freshness.js";
import "./kp-break.js";
import "./kp-clock.js";
import "./kp-panel.js";
import "./kp-table.js";
import "./kp-tree.js";

const FOLLOW_UP = 250; // ms between two updates of what is text: counters, outline, table
const SLOW_FRAMES = 40;
const PANEL = 440;

class Topology extends LitElement {
  static properties = {
    cluster: {},
    src: {},
    readonly: { type: Boolean },
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
    this.selected = null;
    this.lastPod = null;
    this.gone = "";
    this.notice = null;
    this.ready = false;
    this.progress = null;
    this.said = "";
    this.outline = window.innerWidth > 1000;
    this.tick = 0;
    this.calm = false;
    this.menu = null;
    this.picked = new Set();
    this.upstream = "ok";
    this.matching = 0;
    this.state = { name: "connecting" };
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
    this.readColours();
    this.scene.anim.enabled = !calm();
    this.sizes = new ResizeObserver(() => this.resized());
    this.sizes.observe(this.stage);
    this.colours = () => this.readColours();
    window.addEventListener("kp-theme", this.colours);
    for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)"]) {
      matchMedia(query).addEventListener("change", this.colours);
    }
    this.visibility = () => this.scene.setHidden(document.visibilityState === "hidden");
    document.addEventListener("visibilitychange", this.visibility);
    bindPointer(this);
    this.unbindKeys = bindKeys(this);
    this.stream = new Stream(this.getAttribute("src"), {
      hello: () => ({ cursor: this.store.cursor, rev: this.store.rev || null, scope: { ns: this.ns || null }, ...(this.past ? { at: this.rev } : {}) }),
      frame: (frame) => this.receive(frame),
      state: (state) => this.streamState(state),
    });
    this.stream.start();
    window.kp = { ...window.kp, topology: this };
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.stream?.stop();
    this.scene?.destroy();
    this.sizes?.disconnect();
    this.unbindKeys?.();
    window.removeEventListener("kp-theme", this.colours);
    document.removeEventListener("visibilitychange", this.visibility);
  }

  readColours() {
    this.scene.palette = readPalette(this.stage);
    this.scene.redraw();
  }

  resized() {
    const { clientWidth: w, clientHeight: h } = this.stage;
    if (!w || !h) return;
    this.scene.resize(w, h, window.devicePixelRatio || 1);
    if (this.ready && !this.moved) this.fit();
  }

  // --- the stream -------------------------------------------------------------------------

  receive(frame) {
    if (frame.op === "batch") this.receiveBatch(frame);
    else if (frame.op === "snapshot") this.receiveSnapshot(frame);
    else if (frame.op === "progress") this.progress = frame;
    else if (frame.op === "gap") this.receiveGap(frame);
    else if (frame.op === "beat") this.receiveBeat(frame);
    else if (frame.op === "status") this.upstream = frame.upstream;
    else if (frame.op === "error") this.notice = frame.code === "past" ? notices.noPast(this.rev, frame.text) : notices.forbidden(frame);
    this.tellFreshness();
  }

  receiveSnapshot(frame) {
    const first = !this.ready;
    this.state = { name: "live" };
    const { removed } = this.store.snapshot(frame);
    this.ready = true;
    this.progress = null;
    if (this.notice?.kind === "out-of-step" && this.resyncs > 1) this.notice = null;
    if (first) this.chooseLens(this.lens, true);
    else {
      this.layout.sync();
      this.settle();
      this.scene.redraw();
      this.noteRemoved(removed);
    }
    this.restore();
    this.followUp();
  }

  receiveBatch(frame) {
    this.state = { name: "live" };
    const changes = this.store.batch(frame);
    if (changes === false) {
      this.notice = notices.outOfStep();
      this.stream.send({ op: "resync" });
    } else if (changes) this.apply(changes);
    this.followUp();
  }

  /** A beat ends the catching up: whatever was missed came before it. */
  receiveBeat(frame) {
    this.store.rev = Math.max(this.store.rev, frame.rev);
    if (this.ready) this.state = { name: "live" };
  }

  receiveGap(frame) {
    const away = this.stream.lostAt ? (Date.now() - this.stream.lostAt) / 1000 : 0;
    this.notice = notices.gap(t.gap(span(away), frame.skipped, frame.to));
  }

  streamState(state) {
    if (state.name === "lost" || state.name === "ended") this.state = state;
    else if (state.name === "connecting") this.state = { name: state.lostAt ? "retrying" : "connecting" };
    else if (state.name === "open") this.state = { name: "connecting" };
    if (state.name === "ended") this.notice = state.code === CLOSE.clusterGone ? notices.gone(this) : notices.signedOut(this);
    this.tellFreshness();
  }

  /** Whether a revision is shown instead of the present. */
  get past() {
    return Number.isInteger(this.rev);
  }

  tellFreshness() {
    const { rev } = this.store;
    if (this.past) return freshness("past", t.timeline.past(this.rev));
    if (this.state.name === "ended") freshness("ended", t.ended);
    else if (this.state.name === "lost") {
      const seconds = Math.round(this.state.wait / 1000);
      freshness("lost", seconds > 1 ? t.reconnecting(seconds, rev) : t.reconnectingNow(rev));
    } else if (this.state.name === "retrying") freshness("lost", t.reconnectingNow(rev));
    else if (this.state.name === "connecting") freshness("waiting", rev ? t.catchingUp : t.connecting);
    else if (this.upstream === "down") freshness("lost", t.upstreamDown(rev));
    else if (this.store.paused) freshness("paused", t.paused(this.store.waitingCount));
    else freshness("live", t.live(rev, this.stream?.rtt ?? null));
    return undefined;
  }

  /** Shows what changed: each pod by itself, or everything when boxes had to move. */
  apply(changes) {
    const now = performance.now();
    let filterChanged = false;
    let lanes = false;
    for (const change of changes) {
      if (change.table === "pods") {
        this.applyPod(change, now);
        filterChanged = true;
      } else if (LENSES[this.lens].columns) lanes ||= LENSES[this.lens].tables.includes(change.table);
      else if (change.table === "nodes" || change.table === "owners") this.applyPlace(change);
    }
    if (lanes) this.layout.follow();
    if (this.layout.stale) this.settle();
    if (filterChanged && this.selected) this.markRelated();
  }

  applyPod({ type, key, now: pod, was }, at) {
    const { layout, scene } = this;
    const before = layout.where.get(key);
    const from = layout.corner(key);
    if (type === "D") {
      this.removePod(key, was, before, from, at);
      return;
    }
    const news = !was || was.status !== pod.status;
    const moved = layout.put(pod);
    if (moved && before) scene.emptied(before);
    if (moved && from) scene.anim.add("fly", key, { from, cls: pod.cls, box: layout.where.get(key).box }, at);
    else if (news) scene.anim.add("flash", key, { box: layout.where.get(key).box }, at);
    if (news) this.announcer.note(key, t.status[pod.cls].toLowerCase());
    scene.changed(key);
  }

  removePod(key, was, place, from, at) {
    this.layout.take(key);
    if (place) {
      this.scene.emptied(place);
      this.scene.anim.add("fade", key, { from, cls: was?.cls ?? "unknown", box: place.box }, at);
    }
    if (key === this.selected) this.noteRemoved([was]);
    this.announcer.note(key, t.deleted);
  }

  applyPlace({ table, type, key, now, was }) {
    const own = table === "nodes" ? this.lens === "nodes" : this.lens === "owners";
    if (!own) return;
    const boxKey = table === "nodes" ? (now ?? was).name : key;
    if (type === "D") this.layout.drop(boxKey);
    else if (table === "nodes") this.layout.box(boxKey);
    const box = this.layout.boxes.get(boxKey);
    if (box) this.scene.dirtyBoxes.add(box);
    this.scene.request();
  }

  /** Gives boxes their places after one came or grew, without moving what need not move. */
  settle() {
    const empty = this.layout.width;
    this.layout.arrange(this.moved ? null : this.room());
    if (!this.moved || !empty) this.scene.fit();
    this.scene.redraw();
  }

  noteRemoved(pods) {
    for (const pod of pods) {
      if (pod && pod.uid === this.selected) this.gone = new Date().toLocaleTimeString("en-GB");
    }
  }

  // --- what is shown ----------------------------------------------------------------------

  /** The part of the screen that the picture may fill. */
  room() {
    const { w, h } = this.scene.view;
    return { w: Math.max(200, w - 2 * MARGIN), h: Math.max(150, h - 2 * MARGIN) };
  }

  chooseLens(name, keepCamera = false) {
    this.lens = name;
    writeState({ lens: name === "nodes" ? "" : name });
    this.layout = new Layout(LENSES[name], this.store);
    this.layout.arrange(this.room());
    this.scene.setLayout(this.layout);
    if (!keepCamera || !this.wantedCamera) this.fit();
    this.markRelated();
    this.tick += 1;
  }

  fit() {
    if (!this.layout) return;
    this.moved = false;
    this.layout.arrange(this.room());
    this.scene.fit();
    writeState({ at: "" });
  }

  /** The user chose where to look: from now on the picture stays there. */
  cameraMoved() {
    this.moved = true;
    const { x, y, k } = this.scene.camera;
    writeState({ at: `${x.toFixed(0)},${y.toFixed(0)},${k.toFixed(2)}` });
    if (this.scene.stats.slow > SLOW_FRAMES && this.scene.anim.enabled) {
      this.scene.anim.enabled = false;
      this.calm = true;
    }
  }

  /** Takes selection and camera from the address, once. */
  restore() {
    if (this.wantedCamera) {
      const [x, y, k] = this.wantedCamera.split(",").map(Number);
      this.wantedCamera = "";
      if (k > 0) {
        this.moved = true;
        this.scene.moveTo({ x, y, k });
      }
    }
    if (this.wanted) {
      const [kind, ns, name] = this.wanted.split("/");
      this.wanted = "";
      const found = this.store.find(kind, ns, name);
      if (found) this.select(found.uid);
      else this.notice = notices.missing(ns, name);
    }
  }

  select(uid, focusPanel = false) {
    const pod = uid && this.store.pods.get(uid);
    this.selected = pod ? uid : null;
    this.lastPod = pod || null;
    this.gone = "";
    writeState({ sel: pod ? `pods/${pod.ns}/${pod.name}` : "" });
    this.markRelated();
    if (!pod) return;
    this.scene.reveal(uid, Math.min(PANEL, this.scene.view.w / 2));
    // The outline and the panel learn of the layout and of the pod with the next rendering.
    this.updateComplete.then(() => {
      this.querySelector("kp-tree")?.show(uid);
      if (focusPanel) this.querySelector("kp-panel")?.focusHead();
    });
  }

  /** Selects many: what an action of the bar will be about. */
  pickOnly(uids) {
    this.picked = new Set(uids);
    this.scene.pick(this.picked);
  }

  /** Adds a pod to the many, or takes it out; the first one is the selection. */
  pickAlso(uid) {
    const picked = new Set(this.picked);
    if (!picked.size && this.selected && this.selected !== uid) picked.add(this.selected);
    if (!picked.delete(uid)) picked.add(uid);
    this.pickOnly(picked);
  }

  /** The menu of the selection, where one opens it by a key. */
  menuOfSelection() {
    const pod = this.selected && this.store.pods.get(this.selected);
    const at = pod && this.scene.whereIs(pod.uid);
    if (at) openMenu(this, { x: at.x + 8, y: at.y + 8, pod });
  }

  hasPanel(name) {
    return panelNamed(name) !== undefined;
  }

  /** Rings around the pods of the same owner, and lines to them. */
  markRelated() {
    const pod = this.selected && this.store.pods.get(this.selected);
    const related = [];
    if (pod?.owner) {
      for (const other of this.store.pods.values()) {
        if (other.owner === pod.owner && other.uid !== pod.uid) related.push(other.uid);
      }
    }
    this.scene?.mark(pod ? this.selected : null, related);
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

  /** Brings texts after the picture: counters, outline, table. Never more often than one can read. */
  followUp() {
    if (this.following) return;
    this.following = setTimeout(() => {
      this.following = 0;
      this.scene.test = this.test;
      this.count();
      if (this.selected && this.store.pods.has(this.selected)) this.lastPod = this.store.pods.get(this.selected);
      this.tick += 1;
    }, FOLLOW_UP);
  }

  pause() {
    if (this.store.paused) {
      const changes = this.store.resume();
      if (changes === false) this.stream.send({ op: "resync" });
      else this.apply(changes);
      this.followUp();
    } else this.store.pause();
    this.tellFreshness();
    this.requestUpdate();
  }

  show(view) {
    this.view = view;
    writeState({ view: view === "table" ? "table" : "" });
  }

  namespaces() {
    const found = new Set();
    for (const pod of this.store.pods.values()) found.add(pod.ns);
    for (const owner of this.store.owners.values()) found.add(owner.ns);
    if (this.ns) found.add(this.ns);
    return [...found].sort();
  }

  // --- for tests and for the curious ------------------------------------------------------

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
    return html`${this.toolbar()} ${this.strip()}
      <div class="kp-notices">${this.past ? nothing : html`<kp-break cluster=${this.cluster} ?readonly=${this.readonly} .store=${this.store} .pod=${this.lastPod} @kp-said=${(event) => (this.said = event.detail)}></kp-break>`}${notices.render(this)}</div>
      <div class="kp-body" data-outline=${this.outline} data-panel=${Boolean(this.lastPod)}>
        <aside class="kp-outline" aria-label=${t.outline}><kp-tree .model=${model} .selected=${this.selected} .tick=${this.tick} @kp-select=${this.onSelect}></kp-tree></aside>
        <div class="kp-stage" ?hidden=${this.view === "table"} tabindex="-1">
          <canvas aria-hidden="true" ?hidden=${!this.ready}></canvas>
          ${this.legend()} ${notices.emptyState(this)} ${renderBar(this)} ${renderMenu(this)}
        </div>
        ${this.view === "table" ? html`<kp-table .model=${model} .selected=${this.selected} .tick=${this.tick} @kp-select=${this.onSelect}></kp-table>` : nothing}
        ${this.lastPod
          ? html`<aside class="kp-panel" aria-label=${this.lastPod.name}>
              <kp-panel cluster=${this.cluster} .pod=${this.lastPod} .store=${this.store} .gone=${this.gone} .tick=${this.tick} .tab=${this.tab} @kp-select=${this.onSelect} @kp-tab=${this.onTab}></kp-panel>
            </aside>`
          : nothing}
      </div>
      <kp-action cluster=${this.cluster} @kp-acted=${() => this.pickOnly([])}></kp-action>
      <p class="kp-sr" aria-live="polite">${this.said}</p>`;
  }

  toolbar() {
    const all = this.store.pods.size;
    const lens = (name, text) => html`<button type="button" aria-pressed=${this.lens === name} @click=${() => this.chooseLens(name)}>${text}</button>`;
    return html`<div class="kp-toolbar kp-topology-bar" role="toolbar" aria-label=${t.picture}>
      <div class="kp-segments" role="group" aria-label=${t.lens}>${lens("nodes", t.lensNodes)}${lens("owners", t.lensOwners)}${lens("traffic", t.topology.lens.traffic)}${lens("storage", t.topology.lens.storage)}</div>
      <label class="kp-sr" for="topology-ns">${t.namespace}</label>
      <select id="topology-ns" @change=${(event) => this.scopeTo(event.target.value)}>
        <option value="" ?selected=${!this.ns}>${t.allNamespaces}</option>
        ${this.namespaces().map((ns) => html`<option value=${ns} ?selected=${ns === this.ns}>${ns}</option>`)}
      </select>
      <label class="kp-sr" for="topology-filter">${t.filter}</label>
      <input id="topology-filter" class="kp-filter" type="search" data-filter placeholder=${t.filterHint} autocomplete="off" spellcheck="false" aria-describedby="topology-count" .value=${this.query} @input=${(event) => this.filterBy(event.target.value)}>
      <output id="topology-count" class="kp-muted kp-count" for="topology-filter">${this.test ? t.matches(this.matching, all) : t.pods(all)}</output>
      <div class="kp-grow"></div>
      <div class="kp-segments" role="group" aria-label=${t.fit}>
        <button type="button" aria-label=${t.zoomOut} title=${t.zoomOut} @click=${() => this.zoom(1 / 1.4)}>−</button>
        <button type="button" @click=${() => this.fit()}>${t.fit}</button>
        <button type="button" aria-label=${t.zoomIn} title=${t.zoomIn} @click=${() => this.zoom(1.4)}>+</button>
      </div>
      <div class="kp-segments" role="group" aria-label=${t.topology.save.label}>
        <button type="button" aria-label=${t.topology.save.svg} title=${t.topology.save.svg} @click=${() => this.save("svg")}>SVG</button>
        <button type="button" aria-label=${t.topology.save.png} title=${t.topology.save.png} @click=${() => this.save("png")}>PNG</button>
      </div>
      <button type="button" class="kp-button" aria-pressed=${this.store.paused} @click=${() => this.pause()}>${this.store.paused ? t.resume : t.pause}</button>
      <button type="button" class="kp-button" aria-pressed=${this.outline} @click=${() => (this.outline = !this.outline)}>${t.outline}</button>
      <button type="button" class="kp-button" aria-pressed=${this.view === "table"} @click=${() => this.show(this.view === "table" ? "picture" : "table")}>${t.table}</button>
    </div>`;
  }

  /** The control plane in miniature, its clock, and the way to break something of it. */
  strip() {
    if (this.past) return nothing;
    return html`<div class="kp-strip">
      <kp-clock cluster=${this.cluster} ?readonly=${this.readonly}></kp-clock>
      <div class="kp-grow"></div>
      ${this.readonly ? nothing : html`<button type="button" class="kp-button" aria-haspopup="dialog" @click=${() => this.breakSomething()}>${t.topology.break.open}</button>`}
    </div>`;
  }

  /** Saves the picture: all of it as SVG, or what is on the screen as PNG. */
  async save(type) {
    const { download, toSvg } = await import("../scene/save.js");
    const name = `${this.cluster}-${this.lens}-${this.store.rev}.${type}`;
    if (type === "svg") download(name, new Blob([toSvg({ ...this.scene, layout: this.layout, store: this.store, test: this.test })], { type: "image/svg+xml" }));
    else this.canvas.toBlob((blob) => download(name, blob));
  }

  breakSomething(kind, given) {
    this.querySelector("kp-break").open(kind, given);
  }

  legend() {
    const present = new Set();
    for (const pod of this.store.pods.values()) present.add(pod.cls);
    return html`<ul class="kp-legend" aria-label=${t.legend}>
      ${[...present].map((cls) => html`<li><span class="kp-mark" data-cls=${cls} aria-hidden="true"></span>${t.status[cls]}</li>`)}
    </ul>`;
  }

  zoom(factor) {
    if (!this.layout) return;
    this.scene.zoomBy(factor);
    this.cameraMoved();
  }

  onSelect(event) {
    event.stopPropagation();
    this.select(event.detail.uid, event.detail.focusPanel);
  }

  onTab(event) {
    this.tab = event.detail;
    writeState({ tab: this.tab === "summary" ? "" : this.tab });
  }
}

customElements.define("kp-topology", Topology);
