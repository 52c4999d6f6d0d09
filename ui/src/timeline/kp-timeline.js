// The timeline: a slider over the revisions of the log, and below it what the chosen one shows.
import { html, LitElement, nothing } from "lit";

import { connection, freshness, live } from "../el/kp-freshness.js";
import { bind, inField, single } from "../keys.js";
import { News } from "../news.js";
import { t } from "../texts.js";
import { readState, writeState } from "../url.js";
import { ask, Latest } from "./ask.js";
import * as board from "./board.js";
import { markersOf, marksOf, nextMark } from "./markers.js";
import { parseRef, rangeOf, refName, SPANS } from "./model.js";
import { Player } from "./player.js";
import { Steps } from "./steps.js";
import "./kp-bookmarks.js";
import "./kp-compare.js";
import "./kp-fork.js";
import "./kp-happened.js";
import "./kp-object-past.js";

const SETTLE = 120; // ms without a move until the panels follow
const PARTS = 160;
const TABS = ["happened", "compare", "object"];

const number = (text) => (/^\d{1,15}$/.test(text ?? "") ? Number(text) : null);

class Timeline extends LitElement {
  static properties = {
    cluster: {},
    overviewPage: { attribute: "overview" },
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
    secrets: { state: true }, // whether a recording has their values
    other: { state: true }, // the cluster that this one is compared with
    playing: { state: true },
    problem: { state: true },
    said: { state: true },
  };

  constructor() {
    super();
    this.latest = new Latest();
    this.bookmarks = [];
    this.allMarks = [];
    this.markers = [];
    this.secrets = false;
    this.player = new Player(
      () => this.at,
      // What is played to its end goes over into the present.
      (rev) => this.go(rev) || this.goLive(),
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
    this.other = state.with ?? "";
    this.tab = TABS.includes(state.tab) ? state.tab : TABS[0];
    this.steps = new Steps(this.cluster);
    this.unbind = bind(this.actions());
    this.digits = single((event) => this.typed(event));
    window.addEventListener("keydown", this.digits);
    this.news = new News(this.cluster, { read: () => this.load(), newest: () => this.newest, tell: (state, stream) => this.tellNews(state, stream) });
    this.news.start();
    this.load();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.unbind();
    this.player.stop();
    this.latest.stop();
    this.news.stop();
    window.removeEventListener("keydown", this.digits);
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
      "timeline.nextMark": () => this.toMark(1),
      "timeline.markBefore": () => this.toMark(-1),
      "timeline.bookmark": () => this.querySelector("kp-bookmarks").toggle(),
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
      this.allMarks = marksOf(found, t.timeline);
      this.markers = markersOf(this.allMarks, found);
      this.problem = null;
      if (this.rev !== null && this.rev >= found.newest && !this.player.playing) this.rev = Math.min(this.rev, found.newest);
      if (this.rev !== null && this.rev < found.oldest) this.refuse(found);
      if (this.span && !known) this.load();
      this.settle(0);
    } catch (error) {
      this.problem = error.message;
      freshness("lost", t.reconnectingNow(this.newest));
    }
  }

  /** Says that a revision is not kept, and goes to the oldest that is. */
  refuse({ oldest, newest }) {
    this.said = t.timeline.noSuchRevision(oldest, newest);
    this.rev = oldest;
    writeState({ rev: oldest });
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

  tellNews(state, stream) {
    if (state.name !== "beat") connection(state, this.newest);
    else if (stream.down) live(this.newest, stream);
    else this.tellFreshness();
  }

  tellFreshness() {
    if (!this.overview) return;
    if (this.rev === null) freshness("live", t.timeline.live(this.newest));
    else freshness("past", t.timeline.past(this.rev));
  }

  /** Goes to the next change of the chosen object, or says that there is none. */
  async step(direction) {
    const found = await this.steps.from(this.object, this.at, direction, this.newest);
    if (found !== null) return this.go(found);
    const [from, to] = direction > 0 ? [this.at, this.newest] : [this.overview.oldest, this.at];
    this.said = t.timeline.noWrites(refName(parseRef(this.object)), from, to);
    return undefined;
  }

  mark(changes) {
    this.marks = { ...this.marks, ...changes };
    writeState({ a: this.marks.A, b: this.marks.B });
    if (this.marks.A !== null && this.marks.B !== null) this.show("compare");
  }

  /** Puts another cluster beside this one; its revisions are others than this one's. */
  compareWith(other) {
    this.other = other;
    this.marks = { ...this.marks, B: null };
    writeState({ with: other, b: null });
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

  /** Goes to the next warning, failure or bookmark, and says what it is. */
  toMark(direction) {
    const flags = this.bookmarks.map((one) => ({ revision: one.revision, text: t.timeline.bookmarkAt(one.revision, one.note) }));
    const all = [...this.allMarks, ...flags].sort((a, b) => a.revision - b.revision);
    const found = nextMark(all, this.at, direction);
    if (!found) {
      this.said = direction > 0 ? t.timeline.noMarkAfter : t.timeline.noMarkBefore;
      return;
    }
    this.go(found.revision);
    this.said = found.text;
  }

  // -- what is seen ------------------------------------------------------------------------------

  render() {
    if (!this.overview) {
      return this.problem
        ? html`<p class="kp-note kp-bad" role="alert">${t.timeline.problem} <code>${this.problem}</code> <button type="button" class="kp-button" @click=${this.load}>${t.timeline.again}</button></p>`
        : html`<p class="kp-muted">${t.timeline.reading}</p>`;
    }
    return html`${board.now(this)} ${board.unseen(this.overview)} ${this.problem ? html`<p class="kp-note kp-bad" role="alert">${t.timeline.problem} <code>${this.problem}</code></p>` : nothing}
      <section class="kp-card kp-tl-board" aria-label=${t.timeline.density}>
        ${board.controls(this)} ${board.picture(this)} ${board.legend(this)} ${board.floor(this)} ${board.takeaway(this)}
      </section>
      ${board.said(this.said)} ${this.tabs()} ${this.panel()}`;
  }

  jump(event) {
    event.preventDefault();
    const rev = number(new FormData(event.target).get("rev").replace(/\s/g, ""));
    const { oldest, newest } = this.overview;
    if (rev === null || rev < oldest || rev > newest) this.said = t.timeline.noSuchRevision(oldest, newest);
    else {
      this.go(rev);
      // The keys are the timeline's again.
      event.target.elements.rev.blur();
    }
  }

  /** A digit begins the number of a revision. */
  typed(event) {
    const field = this.querySelector("#kp-tl-jump");
    if (event.defaultPrevented || !field || !/^[0-9]$/.test(event.key) || inField(event)) return;
    event.preventDefault();
    field.value = event.key;
    field.focus();
    field.setSelectionRange(1, 1);
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
      happened: () => html`<kp-happened .cluster=${cluster} .rev=${shown} .oldest=${overview.oldest} .traces=${this.traces} .partly=${Boolean(overview.unseen)}></kp-happened>`,
      compare: () => html`<kp-compare .cluster=${cluster} .a=${this.marks.A} .b=${this.marks.B} .other=${this.other} .newest=${overview.newest} .partly=${Boolean(overview.unseen)} @kp-with=${(event) => this.compareWith(event.detail)}></kp-compare>`,
      object: () => html`<kp-object-past .cluster=${cluster} .object=${this.object} .rev=${shown} .oldest=${overview.oldest} .traces=${this.traces}></kp-object-past>`,
    };
    return html`<div id="kp-tl-panel" role="tabpanel" aria-labelledby="kp-tl-${this.tab}" class="kp-tl-panel"
      @kp-go=${(event) => this.go(event.detail)} @kp-follow=${(event) => this.follow(event.detail)} @kp-mark=${(event) => this.mark(event.detail)}>
      ${shown === undefined ? nothing : panels[this.tab]()}</div>`;
  }
}

customElements.define("kp-timeline", Timeline);
