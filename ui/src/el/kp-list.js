// A list of objects: live, virtual rows; sorted, filtered and chosen from here.
import { html, LitElement, nothing } from "lit";

import { call, get, post } from "../api.js";
import { fragment } from "../fragment.js";
import { Attention } from "../list/attention.js";
import { parse, suggest } from "../list/filter.js";
import { FRAMES, told } from "../list/frames.js";
import { grid, ROW, widths } from "../list/grid.js";
import { getCommand } from "../list/kubectl.js";
import { ListModel, nextSort, parseSort, printSort, STATE_COLUMNS } from "../list/model.js";
import { bindKeys, choose, move } from "../list/moving.js";
import { footer, notices, toolbar } from "../list/parts.js";
import { Selection } from "../list/selection.js";
import { Stream } from "../stream.js";
import { t } from "../texts.js";
import { readState, writeState } from "../url.js";
import { live } from "./kp-freshness.js";
import "./kp-action.js";

// Building the view of 20,000 rows takes about 50 ms: not with every change of a busy cluster.
const VIEW_EVERY = 250;
const NARROW = 520; // CSS pixels
// How long it is said that changes were skipped.

class List extends LitElement {
  static properties = { config: { type: Object }, tick: { state: true } };

  constructor() {
    super();
    this.model = new ListModel();
    this.selection = new Selection();
    this.view = [];
    this.order = [];
    this.attention = new Attention(this);
    this.notices = new Map();
    this.active = null;
    this.rev = 0;
    this.progress = null;
    this.complete = false;
    this.actions = [];
    this.saved = [];
    this.widths = [];
    this.tick = 0;
  }

  createRenderRoot() {
    return this;
  }

  connectedCallback() {
    super.connectedCallback();
    const state = readState();
    this.ns = state.ns ?? "";
    this.q = state.q ?? "";
    this.sortText = state.sort ?? "";
    this.shown = state.cols ? state.cols.split(",") : null;
    this.ages = setInterval(() => this.requestUpdate(), 10_000);
    this.onTime = () => this.requestUpdate();
    window.addEventListener("kp-time", this.onTime);
    this.unbind = bindKeys(this);
    // On a phone the kinds are folded away; style sheets have the width too.
    if (matchMedia("(max-width: 760px)").matches) document.querySelector(".kp-kinds")?.removeAttribute("open");
    this.onNamespace = (event) => this.namespaceChosen(event);
    window.addEventListener("kp-namespace", this.onNamespace);
    this.open();
    this.loadActions();
    this.loadSaved();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.unbind();
    window.removeEventListener("kp-namespace", this.onNamespace);
    this.stream?.stop();
    this.attention.stop();
    clearInterval(this.ages);
    window.removeEventListener("kp-time", this.onTime);
    clearTimeout(this.building);
    clearTimeout(this.reopening);
    this.building = null;
  }

  // --- the stream -----------------------------------------------------------------------------

  get resource() {
    return this.config.resource;
  }

  get across() {
    return this.resource.namespaced && !this.ns;
  }

  get path() {
    const { group, version, plural, namespaced } = this.resource;
    const root = group ? `/apis/${group}/${version}` : `/api/${version}`;
    return `${root}${namespaced && this.ns ? `/namespaces/${this.ns}` : ""}/${plural}`;
  }

  open() {
    this.stream?.stop();
    this.rev = 0;
    this.complete = false;
    this.progress = null;
    const query = new URLSearchParams({ path: this.path });
    this.fields = this.parsed().fields;
    if (this.fields) query.set("fields", this.fields);
    if (this.config.rev) query.set("rev", this.config.rev);
    this.stream = new Stream(`/ws/clusters/${this.config.cluster}/list/?${query}`, {
      hello: () => ({ rev: this.complete ? this.rev : null, kinds: true }),
      frame: (frame) => this.receive(frame),
      state: (state) => told(this, state),
    });
    this.stream.start();
  }

  receive(frame) {
    const work = FRAMES[frame.op];
    if (work) work(this, frame);
  }

  live() {
    if (this.complete) live(this.rev, this.stream);
  }

  notice(name, what) {
    if (what) this.notices.set(name, what);
    else if (!this.notices.delete(name)) return;
    this.requestUpdate();
  }

  // --- the view -------------------------------------------------------------------------------

  parsed() {
    return parse(this.q, this.model.columns, { events: this.resource.plural === "events" });
  }

  /** Makes the view soon: at once for a person, at most every VIEW_EVERY for changes. */
  soon(ms = VIEW_EVERY) {
    this.building ??= setTimeout(() => this.build(), this.model.rows.size > 2000 ? ms : 16);
  }

  build() {
    clearTimeout(this.building);
    this.building = null;
    const { columns } = this.model;
    const parsed = this.parsed();
    if (columns.length) this.order = parseSort(this.sortText, columns);
    this.view = this.model.view(parsed.test, this.order);
    this.parsedNow = parsed;
    this.widths = widths(this.widths, this.shownColumns(), this.view);
    this.suggestion = this.q && !this.view.length && this.complete ? suggest(this.q, this.model.rows.values(), columns) : null;
    this.tick += 1;
  }

  shownColumns() {
    const { columns } = this.model;
    // A phone has room for what one looks for: the name, how it stands, how old it is.
    if (!this.shown && (this.box?.clientWidth ?? innerWidth) < NARROW) return columns.filter((one) => !one.wide && (one.first || one.age || STATE_COLUMNS.has(one.name)));
    if (!this.shown) return columns.filter((one) => !one.wide);
    return columns.filter((one) => one.first || this.shown.includes(one.name));
  }

  changeFilter(text, { now = false } = {}) {
    this.q = text;
    writeState({ q: text });
    this.build();
    if (this.parsedNow.fields === this.fields) return;
    clearTimeout(this.reopening);
    this.reopening = setTimeout(() => this.open(), now ? 0 : 500);
  }

  /** The top bar's choice; a kind without namespaces keeps it for the next page. */
  namespaceChosen(event) {
    event.preventDefault();
    if (this.resource.namespaced) this.changeNamespace(event.detail.ns);
    else writeState({ ns: event.detail.ns });
  }

  changeNamespace(ns) {
    this.ns = ns;
    writeState({ ns });
    this.selection.clear();
    this.open();
    this.loadActions();
  }

  changeOrder(name, more) {
    this.order = nextSort(this.order, name, more);
    this.sortText = printSort(this.order);
    writeState({ sort: this.sortText });
    this.build();
  }

  changeColumns(names) {
    this.shown = names;
    this.widths = [];
    writeState({ cols: names ? names.join(",") : "" });
    this.build();
  }

  get command() {
    const { selector, fields, words } = this.parsedNow ?? {};
    const wide = this.shown !== null && this.shownColumns().some((one) => one.wide && !one.extra);
    const labels = this.shown?.includes("Labels");
    return getCommand(this.resource, { ns: this.ns, selector, fields, words, wide, labels, rev: this.config.rev });
  }

  // --- what one may do ------------------------------------------------------------------------

  get api() {
    return `/api/clusters/${this.config.cluster}`;
  }

  async loadActions() {
    const { group, version, plural } = this.resource;
    const query = new URLSearchParams({ group, version, plural, namespace: this.ns });
    try {
      const { actions, shell } = await get(`${this.api}/permissions?${query}`);
      this.actions = actions;
      this.shellRight = shell;
      // They would act on the present, which is not what the list shows.
      if (this.config.rev) this.actions = this.actions.map((one) => ({ ...one, allowed: false, reason: t.objects.past }));
    } catch {
      this.actions = []; // the list says what is wrong; without rights there is nothing to offer
    }
    this.requestUpdate();
    await this.updateComplete;
    this.enterMenu();
  }

  async loadSaved() {
    try {
      this.saved = (await get(`/api/saved-filters?kind=${encodeURIComponent(this.kindKey)}`)).items;
    } catch {
      this.saved = [];
    }
    this.requestUpdate();
  }

  get kindKey() {
    const { group, plural } = this.resource;
    return group ? `${plural}.${group}` : plural;
  }

  saveFilter(name) {
    const query = new URLSearchParams({ ns: this.ns, q: this.q, sort: this.sortText, cols: this.shown?.join(",") ?? "" });
    for (const [key, value] of [...query]) if (!value) query.delete(key);
    return this.keeping(post("/api/saved-filters", { kind: this.kindKey, name, query: query.toString() }));
  }

  forgetFilter(id) {
    return this.keeping(call("DELETE", `/api/saved-filters/${id}`));
  }

  /** Waits until a filter is saved or forgotten; returns false, and says why, if it was not. */
  async keeping(work) {
    const wrong = await work.then(() => null, (error) => ({ bad: true, text: t.objects.notSaved, verbatim: error.message }));
    this.notice("saved", wrong);
    await this.loadSaved();
    return !wrong;
  }

  recall(query) {
    const state = Object.fromEntries(new URLSearchParams(query));
    this.sortText = state.sort ?? "";
    this.shown = state.cols ? state.cols.split(",") : null;
    this.q = state.q ?? "";
    writeState({ sort: this.sortText, cols: state.cols ?? "", q: this.q, ns: state.ns ?? "" });
    if ((state.ns ?? "") !== this.ns) this.changeNamespace(state.ns ?? "");
    else this.changeFilter(this.q, { now: true });
  }

  /** Returns what an action is about: the chosen rows, or the one that the keys are at. */
  targets(uid = null) {
    const uids = uid && !this.selection.has(uid) ? [uid] : [...this.selection.uids];
    const rows = uids.length ? uids : this.active ? [this.active] : [];
    return rows.map((one) => this.model.rows.get(one)).filter(Boolean);
  }

  act(name, targets = this.targets()) {
    const action = this.actions.find((one) => one.name === name);
    if (!action || !action.allowed || !targets.length) return;
    const dialog = this.querySelector("kp-action");
    dialog.start(action, this.resource, targets.map(({ uid, ns, name: item, labels }) => ({ uid, namespace: ns, name: item, labels })));
  }

  href(row, tab = "") {
    const { group, version, plural } = this.resource;
    const parts = [group || "core", version, plural, row.ns || "-", row.name].map(encodeURIComponent);
    const query = new URLSearchParams({ ...(tab && { tab }), ...(this.ns && { ns: this.ns }), ...(this.config.rev && { rev: this.config.rev }) }).toString();
    return `/clusters/${this.config.cluster}/objects/${parts.join("/")}${query ? `?${query}` : ""}`;
  }

  // --- moving and choosing --------------------------------------------------------------------

  get index() {
    return this.view.findIndex((row) => row.uid === this.active);
  }

  moveTo(index, { extend = false } = {}) {
    if (!this.view.length) return;
    const at = Math.max(0, Math.min(index, this.view.length - 1));
    if (extend && this.active && this.selection.anchor === null) this.selection.anchor = this.active;
    this.active = this.view[at].uid;
    if (extend) this.selection.extend(this.view, at);
    this.reveal(at);
    this.tick += 1;
  }

  reveal(index) {
    const box = this.querySelector(".kp-grid");
    if (!box) return;
    const head = box.querySelector("thead").offsetHeight;
    const top = index * ROW;
    if (top < box.scrollTop) box.scrollTop = top;
    else if (top + ROW + head > box.scrollTop + box.clientHeight) box.scrollTop = top + ROW + head - box.clientHeight;
  }

  clicked(event, row, index) {
    if (event.target.closest("a, button")) return;
    if (event.shiftKey) {
      this.selection.extend(this.view, index);
      event.preventDefault();
    } else if (event.target.closest(".kp-pick") || event.ctrlKey || event.metaKey) this.selection.toggle(row.uid);
    this.active = row.uid;
    this.querySelector(".kp-grid table")?.focus({ preventScroll: true });
    this.tick += 1;
  }

  key(event) {
    if (event.target.closest("input, select, [role=menu]")) return;
    if (event.ctrlKey || event.metaKey || event.altKey || (!move(this, event) && !choose(this, event.key))) return;
    event.preventDefault();
    event.stopPropagation();
    this.tick += 1;
  }

  openMenu(at = null) {
    if (!this.active && !this.selection.size) return;
    const menu = this.querySelector(".kp-row-menu");
    const row = this.querySelector(`tr[aria-rowindex="${this.index + 2}"]`)?.getBoundingClientRect();
    const place = at ?? { x: (row?.left ?? 200) + 60, y: row?.bottom ?? 200 };
    menu.showPopover();
    menu.style.left = `${Math.min(place.x, innerWidth - menu.offsetWidth - 8)}px`;
    menu.style.top = `${Math.min(place.y, innerHeight - menu.offsetHeight - 8)}px`;
    menu.focus();
    this.enterMenu();
  }

  /** Puts the focus on a menu's first item, once there is one: what one may do is asked for. */
  enterMenu() {
    const menu = this.querySelector(".kp-row-menu");
    if (menu && menu === document.activeElement) menu.querySelector("[role=menuitem]")?.focus();
  }

  // --- kinds that come and go -----------------------------------------------------------------

  loadKinds() {
    clearTimeout(this.kindsSoon);
    // A definition is first stored and then established: the second word is the one that counts.
    this.kindsSoon = setTimeout(async () => {
      const response = await fragment(`${location.pathname}?kinds&ns=${encodeURIComponent(this.ns)}`);
      if (response?.ok) document.querySelector(".kp-kinds-list")?.replaceWith(document.createRange().createContextualFragment(await response.text()));
    }, 300);
  }

  // --- drawing --------------------------------------------------------------------------------

  render() {
    return html`${toolbar(this)}${notices(this)}${this.notices.has("refused") && !this.model.rows.size ? nothing : grid(this)}${footer(this)}
      <p class="kp-sr" aria-live="polite"></p>
      <kp-action cluster=${this.config.cluster} @kp-acted=${() => this.selection.clear()}></kp-action>`;
  }

  updated() {
    const box = this.querySelector(".kp-grid");
    if (!box) return;
    const { first, last } = this.range ?? { first: 0, last: 0 };
    const space = box.firstElementChild;
    space.style.paddingTop = `${first * ROW}px`;
    space.style.paddingBottom = `${Math.max(0, this.view.length - last) * ROW}px`;
    let sum = 4;
    box.querySelectorAll("col").forEach((col, i) => {
      const width = i === 0 ? 4 : (this.widths[i - 1] ?? 10);
      if (i) sum += width;
      col.style.width = `${width}ch`;
    });
    box.querySelector("table").style.minWidth = `${sum}ch`;
    if (box !== this.box) {
      this.box = box;
      box.addEventListener("scroll", () => (this.drawing ??= requestAnimationFrame(() => this.scrolled())), { passive: true });
      new ResizeObserver(() => this.requestUpdate()).observe(box);
    }
  }

  scrolled() {
    this.drawing = null;
    this.requestUpdate();
  }
}

customElements.define("kp-list", List);
