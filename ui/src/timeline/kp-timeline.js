// The timeline: a slider over the revisions of the log, and below it what the chosen one shows.
import { html, LitElement, nothing } from "lit";

import { freshness } from "../el/kp-freshness.js";
import { bind } from "../keys.js";
import { t } from "../texts.js";
import { readState, writeState } from "../url.js";
import { ask, Latest, send } from "./ask.js";
import { chart } from "./chart.js";
import { clock, momentOf } from "./moments.js";
import { kindsOf, parseRef, rangeOf, SPANS } from "./model.js";
import { Player, SPEEDS } from "./player.js";
import { Steps } from "./steps.js";
import "./kp-compare.js";
import "./kp-fork.js";
import "./kp-happened.js";
import "./kp-object-past.js";

const REFRESH = 4000; // ms between looks at a log that grows
const SETTLE = 120; // ms without a move until the panels follow
const PARTS = 160;
const SIGNS = {
  first: "M3 3h2v10H3zM13 3v10L6 8z",
  back: "M11 3v10L4 8z",
  forward: "M5 3v10l7-5z",
  last: "M11 3h2v10h-2zM3 3v10l7-5z",
};
const TABS = ["happened", "compare", "object"];

const number = (text) => (/^\d{1,15}$/.test(text ?? "") ? Number(text) : null);

class Timeline extends LitElement {
  static properties = {
    cluster: {},
    topology: {},
    objects: {},
    fork: { type: Boolean },
    traces: { type: Boolean },
    overview: { state: true },
    rev: { state: true }, // null: the newest
    shown: { state: true }, // the revision that the panels show
    span: { state: true },
    hidden: { state: true },
    marks: { state: true },
    object: { state: true },
    tab: { state: true },
    bookmarks: { state: true },
    playing: { state: true },
    problem: { state: true },
    said: { state: true },
  };

  constructor() {
    super();
    this.latest = new Latest();
    this.bookmarks = [];
    this.player = new Player(
      () => this.at,
      (rev) => this.go(rev),
      () => (this.playing = this.player.playing),
    );
  }

  createRenderRoot() {
    return this;
  }

  connectedCallback() {
    super.connectedCallback();
    const state = readState();
    this.rev = number(state.rev);
    this.span = SPANS.includes(Number(state.span)) ? Number(state.span) : 0;
    this.hidden = new Set(state.off ? state.off.split(",") : []);
    this.marks = { A: number(state.a), B: number(state.b) };
    this.object = parseRef(state.object) ? state.object : "";
    this.tab = TABS.includes(state.tab) ? state.tab : TABS[0];
    this.steps = new Steps(this.cluster);
    this.unbind = bind(this.actions());
    this.timer = setInterval(() => document.visibilityState === "visible" && this.load(), REFRESH);
    this.load();
    this.loadBookmarks();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.unbind();
    this.player.stop();
    this.latest.stop();
    clearInterval(this.timer);
    clearTimeout(this.settling);
  }

  actions() {
    return {
      "timeline.back": () => this.go(this.at - 1),
      "timeline.forward": () => this.go(this.at + 1),
      "timeline.play": () => this.play(),
      "timeline.objectBack": { when: () => Boolean(this.object), run: () => this.step(-1) },
      "timeline.objectForward": { when: () => Boolean(this.object), run: () => this.step(1) },
      "timeline.first": () => this.go(this.overview?.oldest ?? 0),
      "timeline.last": () => this.goLive(),
      "timeline.jump": () => this.querySelector("#kp-tl-jump").select(),
      "timeline.bookmark": () => this.toggleBookmark(),
      "timeline.setA": () => this.mark({ A: this.at }),
      "timeline.setB": () => this.mark({ B: this.at }),
    };
  }

  get newest() {
    return this.overview?.newest ?? 0;
  }

  get at() {
    return this.rev ?? this.newest;
  }

  get range() {
    return this.overview ?? { after: 0, upto: 1 };
  }

  async load() {
    const known = this.overview;
    const range = known && this.span ? rangeOf(this.span, known.oldest, known.newest, this.at) : {};
    try {
      const found = await this.latest.run((signal) => ask(this.cluster, "/history", { ...range, parts: PARTS }, signal));
      if (!found) return;
      this.overview = found;
      this.problem = null;
      if (this.rev !== null && this.rev >= found.newest && !this.player.playing) this.rev = Math.min(this.rev, found.newest);
      if (this.rev !== null && this.rev < found.oldest) this.rev = found.oldest;
      if (this.span && !known) this.load();
      this.settle(0);
    } catch (error) {
      this.problem = error.message;
      freshness("lost", t.reconnectingNow(this.newest));
    }
  }

  async loadBookmarks() {
    try {
      this.bookmarks = (await ask(this.cluster, "/bookmarks")).items;
    } catch {
      this.bookmarks = []; // the log's own problem is told already
    }
  }

  /** Goes to a revision; tells whether there is more to come. */
  go(rev) {
    if (!this.overview) return false;
    const { oldest, newest } = this.overview;
    const wanted = Math.max(oldest, Math.min(newest, rev));
    if (wanted !== this.at || this.rev === null) this.rev = wanted;
    this.said = null;
    writeState({ rev: this.rev });
    if (this.span && (wanted < this.range.after || wanted > this.range.upto)) this.load();
    this.settle(this.player.playing ? 4 * SETTLE : SETTLE);
    return wanted < newest;
  }

  goLive() {
    this.player.stop();
    this.rev = null;
    this.said = null;
    writeState({ rev: null });
    this.load();
  }

  play() {
    if (this.rev === null || this.rev >= this.newest) this.go(this.range.after);
    this.player.toggle();
  }

  /** Lets the panels follow once one has come to rest; while playing, now and then. */
  settle(wait) {
    this.tellFreshness();
    if (this.settling && this.player.playing) return;
    clearTimeout(this.settling);
    this.settling = setTimeout(() => {
      this.settling = null;
      this.shown = this.at;
    }, wait);
  }

  tellFreshness() {
    if (this.rev === null) freshness("live", t.timeline.live(this.newest));
    else freshness("past", t.timeline.past(this.rev));
  }

  /** Goes to the next change of the chosen object, or says that there is none. */
  async step(direction) {
    const found = await this.steps.from(this.object, this.at, direction, this.newest);
    if (found !== null) return this.go(found);
    const [from, to] = direction > 0 ? [this.at, this.newest] : [this.overview.oldest, this.at];
    this.said = t.timeline.noWrites(this.object, from, to);
    return undefined;
  }

  mark(changes) {
    this.marks = { ...this.marks, ...changes };
    writeState({ a: this.marks.A, b: this.marks.B });
    if (this.marks.A !== null && this.marks.B !== null) this.show("compare");
  }

  show(tab) {
    this.tab = tab;
    writeState({ tab: tab === TABS[0] ? null : tab });
  }

  follow(object) {
    this.object = object;
    writeState({ object });
    if (object) this.show("object");
  }

  toggleKind(resource) {
    const hidden = new Set(this.hidden);
    if (!hidden.delete(resource)) hidden.add(resource);
    this.hidden = hidden;
    writeState({ off: [...hidden].join(",") });
  }

  get bookmarked() {
    return this.bookmarks.some((one) => one.revision === this.at);
  }

  async toggleBookmark(note = "") {
    const { at } = this;
    const url = `/api/clusters/${encodeURIComponent(this.cluster)}/bookmarks`;
    try {
      if (this.bookmarked) await send("DELETE", `${url}/${at}`);
      else await send("POST", url, { revision: at, note });
    } catch (error) {
      this.said = error.message;
    }
    await this.loadBookmarks();
  }

  // -- what is seen ------------------------------------------------------------------------------

  render() {
    if (!this.overview) {
      return this.problem
        ? html`<p class="kp-note kp-bad" role="alert">${t.timeline.problem} <code>${this.problem}</code> <button type="button" class="kp-button" @click=${this.load}>${t.timeline.again}</button></p>`
        : html`<p class="kp-muted">${t.timeline.reading}</p>`;
    }
    return html`${this.now()} ${this.problem ? html`<p class="kp-note kp-bad" role="alert">${t.timeline.problem} <code>${this.problem}</code></p>` : nothing}
      <section class="kp-card kp-tl-board" aria-label=${t.timeline.density}>
        ${this.controls()} ${this.picture()} ${this.legend()}
        ${this.overview.compacted ? html`<p class="kp-muted kp-tl-floor">${t.timeline.compacted(this.overview.oldest)}</p>` : nothing}
      </section>
      <p class="kp-tl-said" role="status">${this.said ?? ""}</p>
      ${this.tabs()} ${this.panel()}`;
  }

  now() {
    const at = momentOf(this.overview.moments, this.at);
    const time = at === null ? "" : clock(at, this.overview.now);
    if (this.rev === null) return html`<p class="kp-tl-now">${t.timeline.isLive(this.newest)}</p>`;
    const query = `?rev=${this.rev}`;
    return html`<div class="kp-tl-now kp-past">
      <p>${t.timeline.lookingAt(this.rev, time, this.newest)}</p>
      <span class="kp-tl-look">${t.timeline.lookHere}
        <a class="kp-button" href="${this.topology}${query}">${t.timeline.topology}</a>
        <a class="kp-button" href="${this.objects}${query}">${t.timeline.objects}</a></span>
      <button type="button" class="kp-button" @click=${this.goLive}>${t.timeline.backToLive}</button>
    </div>`;
  }

  controls() {
    const words = t.timeline;
    const button = (label, path, act, off = false) =>
      html`<button type="button" class="kp-icon" aria-label=${label} title=${label} ?disabled=${off} @click=${act}><svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true"><path d=${path}></path></svg></button>`;
    const { oldest } = this.overview;
    return html`<div class="kp-toolbar kp-tl-controls">
      <div class="kp-tl-transport">
        ${button(words.first, SIGNS.first, () => this.go(oldest), this.at <= oldest)}
        ${button(words.back, SIGNS.back, () => this.go(this.at - 1), this.at <= oldest)}
        <button type="button" class="kp-button kp-tl-play" aria-pressed=${this.playing ? "true" : "false"} @click=${this.play}>${this.playing ? words.pause : words.play}</button>
        ${button(words.forward, SIGNS.forward, () => this.go(this.at + 1), this.at >= this.newest)}
        ${button(words.last, SIGNS.last, () => this.goLive(), this.rev === null)}
      </div>
      <label class="kp-inline">${words.speed}
        <select @change=${(event) => (this.player.speed = Number(event.target.value))}>${SPEEDS.map((n) => html`<option value=${n}>${words.times(n)}</option>`)}</select></label>
      <form class="kp-inline" @submit=${this.jump}><label for="kp-tl-jump">${words.jump}</label>
        <input id="kp-tl-jump" name="rev" type="text" inputmode="numeric" class="kp-tl-number" .value=${String(this.at)} autocomplete="off">
        <span class="kp-muted">${words.of(this.newest)}</span></form>
      <span class="kp-grow"></span>
      <button type="button" class="kp-button" @click=${() => this.mark({ A: this.at })}>${words.setA}</button>
      <button type="button" class="kp-button" @click=${() => this.mark({ B: this.at })}>${words.setB}</button>
      ${this.fork ? html`<kp-fork .cluster=${this.cluster} .rev=${this.at}></kp-fork>` : nothing}
      <button type="button" class="kp-button" aria-pressed=${this.bookmarked ? "true" : "false"} @click=${() => this.toggleBookmark()}>${this.bookmarked ? words.removeBookmark : words.bookmark}</button>
    </div>`;
  }

  jump(event) {
    event.preventDefault();
    const rev = number(new FormData(event.target).get("rev").replace(/\s/g, ""));
    const { oldest, newest } = this.overview;
    if (rev === null || rev < oldest || rev > newest) this.said = t.timeline.noSuchRevision(oldest, newest);
    else this.go(rev);
  }

  picture() {
    const { overview, range, hidden, marks, bookmarks } = this;
    const at = momentOf(overview.moments, this.at);
    const go = (rev) => this.go(rev);
    return html`<div class="kp-tl-picture">
      ${chart({ overview, range, kinds: kindsOf(overview.density), hidden, rev: this.at, marks, bookmarks, go })}
      <input type="range" class="kp-tl-slider" aria-label=${t.timeline.slider} aria-valuetext=${t.timeline.position(this.at, at === null ? "" : clock(at, overview.now))}
        min=${range.after} max=${range.upto} step="1" .value=${String(this.at)} @input=${(event) => this.go(Number(event.target.value))}>
    </div>`;
  }

  legend() {
    const words = t.timeline;
    return html`<div class="kp-tl-legend">
      <div class="kp-segments" role="group" aria-label=${words.span}>
        ${SPANS.map((span) => html`<button type="button" aria-pressed=${this.span === span ? "true" : "false"} @click=${() => this.zoom(span)}>${span ? words.spanLast(span) : words.spanAll}</button>`)}
      </div>
      ${kindsOf(this.overview.density).map(({ resource, count, colour }) => {
        const name = resource ? resource.split(".")[0] : words.otherKinds;
        return html`<label class="kp-tl-kind"><input type="checkbox" .checked=${!this.hidden.has(resource)} @change=${() => this.toggleKind(resource)} aria-label=${words.showKind(name)}>
          <span class="kp-tl-swatch kp-kind-${colour}" aria-hidden="true"></span>${name} <span class="kp-muted">${t.number(count)}</span></label>`;
      })}
      ${this.overview.warnings.length ? html`<span class="kp-tl-kind"><span class="kp-tl-warning-sign" aria-hidden="true"></span>${words.warnings(this.overview.warnings.length)}</span>` : nothing}
      <span class="kp-grow"></span>
      <a class="kp-button" href="/api/clusters/${encodeURIComponent(this.cluster)}/recording" title=${words.exportHint} download>${words.exportTitle}</a>
    </div>`;
  }

  zoom(span) {
    this.span = span;
    writeState({ span: span || null });
    this.load();
  }

  tabs() {
    return html`<div class="kp-tabs kp-tl-tabs" role="tablist" @keydown=${this.turn}>
      ${TABS.map(
        (tab) => html`<button type="button" role="tab" id="kp-tl-${tab}" aria-controls="kp-tl-panel" aria-selected=${this.tab === tab ? "true" : "false"} tabindex=${this.tab === tab ? 0 : -1} @click=${() => this.show(tab)}>${t.timeline.tabs[tab]}</button>`,
      )}
    </div>`;
  }

  turn(event) {
    const way = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!way || event.shiftKey) return;
    event.preventDefault();
    event.stopPropagation();
    const next = TABS[(TABS.indexOf(this.tab) + way + TABS.length) % TABS.length];
    this.show(next);
    this.updateComplete.then(() => this.querySelector(`#kp-tl-${next}`).focus());
  }

  panel() {
    const { cluster, shown, overview } = this;
    const panels = {
      happened: () => html`<kp-happened .cluster=${cluster} .rev=${shown} .oldest=${overview.oldest} .traces=${this.traces}></kp-happened>`,
      compare: () => html`<kp-compare .cluster=${cluster} .a=${this.marks.A} .b=${this.marks.B}></kp-compare>`,
      object: () => html`<kp-object-past .cluster=${cluster} .object=${this.object} .rev=${shown} .oldest=${overview.oldest} .traces=${this.traces}></kp-object-past>`,
    };
    return html`<div id="kp-tl-panel" role="tabpanel" aria-labelledby="kp-tl-${this.tab}" class="kp-tl-panel"
      @kp-go=${(event) => this.go(event.detail)} @kp-follow=${(event) => this.follow(event.detail)} @kp-mark=${(event) => this.mark(event.detail)}>
      ${shown === undefined ? nothing : panels[this.tab]()}</div>`;
  }
}

customElements.define("kp-timeline", Timeline);
