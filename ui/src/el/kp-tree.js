// The outline beside the picture: role=tree, virtual rows, bound to the same selection.
import { html, LitElement, nothing } from "lit";

import { t } from "../texts.js";
import { podsBetween, rowForKey, rowForText, visibleRows } from "../tree.js";

const ROW = 26; // px, as the style sheet says
const EXTRA = 6;
const TYPING = 700; // ms in which letters belong to one word

class Tree extends LitElement {
  static properties = {
    model: { attribute: false },
    selected: {},
    picked: { attribute: false },
    tick: { type: Number },
  };

  constructor() {
    super();
    this.open = new Set();
    this.at = 0;
    this.top = 0;
    this.height = 600;
    this.typed = "";
    this.typedAt = 0;
    this.rows = [];
    this.picked = new Set();
    // Where a range begins: the row that was gone to last without Shift.
    this.anchor = "";
  }

  createRenderRoot() {
    return this;
  }

  firstUpdated() {
    this.scroller = this.querySelector(".kp-tree-scroll");
    this.observer = new ResizeObserver(() => {
      this.height = this.scroller.clientHeight;
      this.requestUpdate();
    });
    this.observer.observe(this.scroller);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.observer?.disconnect();
  }

  /** Opens what holds a pod, so that it can be seen here too. */
  show(uid) {
    const { layout } = this.model;
    const at = layout.where.get(uid);
    if (!at) return;
    this.open.add(`box:${at.box.key}`);
    this.open.delete(`shut:band:${at.box.band}`);
    this.updateRows();
    const index = this.rows.findIndex((row) => row.uid === uid);
    if (index >= 0) this.goTo(index, false);
  }

  updateRows() {
    const { layout, store, test } = this.model;
    const before = this.rows[this.at]?.id;
    this.rows = layout ? visibleRows(layout, store, this.open, test) : [];
    const again = this.rows.findIndex((row) => row.id === before);
    this.at = again >= 0 ? again : Math.min(this.at, Math.max(0, this.rows.length - 1));
  }

  render() {
    this.updateRows();
    const first = Math.max(0, Math.floor(this.top / ROW) - EXTRA);
    const last = Math.min(this.rows.length, Math.ceil((this.top + this.height) / ROW) + EXTRA);
    const shown = [];
    for (let i = first; i < last; i += 1) shown.push(i);
    // The one with the focus stays an element, however far one scrolls.
    if (this.rows.length && (this.at < first || this.at >= last)) shown.push(this.at);
    return html`<div class="kp-tree-scroll" @scroll=${this.scrolled}>
      <div class="kp-tree" role="tree" aria-multiselectable="true" aria-label=${t.treeLabel} @keydown=${this.pressed} @click=${this.clicked} @contextmenu=${this.menu}>
        <div class="kp-tree-space" role="presentation"></div>
        ${shown.map((i) => this.row(i))}
      </div>
    </div>`;
  }

  row(i) {
    const row = this.rows[i];
    return html`<div
      class="kp-tree-row"
      role="treeitem"
      id=${`kp-tree-${i}`}
      data-index=${i}
      data-kind=${row.kind}
      data-level=${row.level}
      data-state=${row.state ?? "plain"}
      aria-level=${row.level}
      aria-setsize=${row.size}
      aria-posinset=${row.position}
      aria-expanded=${row.open === null ? nothing : row.open}
      aria-selected=${row.uid && (row.uid === this.selected || this.picked.has(row.uid)) ? "true" : "false"}
      data-picked=${this.picked.has(row.uid) ? "" : nothing}
      tabindex=${i === this.at ? 0 : -1}
    ><span class="kp-mark" data-cls=${row.cls ?? nothing} aria-hidden="true"></span><span class="kp-tree-text">${row.text}</span><span class=${row.cls === "running" ? "kp-sr" : "kp-tree-note"}>${row.note}</span></div>`;
  }

  updated() {
    // Positions are set by script: the policy allows no style attributes.
    const space = this.querySelector(".kp-tree-space");
    space.style.height = `${this.rows.length * ROW}px`;
    for (const element of this.querySelectorAll(".kp-tree-row")) {
      element.style.transform = `translateY(${Number(element.dataset.index) * ROW}px)`;
    }
    if (this.wanted !== undefined) {
      const element = this.querySelector(`[data-index="${this.wanted}"]`);
      this.wanted = undefined;
      element?.focus({ preventScroll: true });
    }
  }

  scrolled() {
    this.top = this.scroller.scrollTop;
    this.requestUpdate();
  }

  goTo(index, focus = true) {
    this.at = index;
    const y = index * ROW;
    const { scroller } = this;
    if (y < scroller.scrollTop) scroller.scrollTop = y;
    else if (y + ROW > scroller.scrollTop + this.height) scroller.scrollTop = y + ROW - this.height;
    this.top = scroller.scrollTop;
    if (focus) this.wanted = index;
    this.requestUpdate();
  }

  clicked(event) {
    const element = event.target.closest("[data-index]");
    if (!element) return;
    const index = Number(element.dataset.index);
    this.goTo(index);
    if (event.shiftKey) this.range(index);
    else if (event.ctrlKey || event.metaKey) this.pickAlso(index);
    else this.activate(index);
  }

  /** Picks the pods from where the range begins. */
  range(index) {
    const from = this.rows.findIndex((row) => row.id === this.anchor);
    const uids = podsBetween(this.rows, from < 0 ? index : from, index);
    this.dispatchEvent(new CustomEvent("kp-pick", { detail: { uids }, bubbles: true }));
  }

  pickAlso(index) {
    const { uid, id } = this.rows[index];
    this.anchor = id;
    if (uid) this.dispatchEvent(new CustomEvent("kp-pick", { detail: { also: uid }, bubbles: true }));
  }

  /** Opens the menu of a row: by a click, or by the keyboard's own key. */
  menu(event) {
    const element = event.target.closest("[data-index]");
    if (!element) return;
    event.preventDefault();
    const row = this.rows[Number(element.dataset.index)];
    const { layout, store } = this.model;
    const pod = store.pods.get(row.uid) ?? null;
    const node = row.kind === "box" && layout.lens.name === "nodes" ? store.nodeNamed(row.box.key) : null;
    const { left, bottom } = element.getBoundingClientRect();
    const [x, y] = event.clientX || event.clientY ? [event.clientX, event.clientY] : [left + 40, bottom];
    this.dispatchEvent(new CustomEvent("kp-menu", { detail: { x, y, pod, node }, bubbles: true }));
  }

  activate(index) {
    const row = this.rows[index];
    this.anchor = row.id;
    if (row.kind === "pod") this.choose(row.uid, true);
    else this.toggle(row, !row.open);
  }

  toggle(row, open) {
    const key = row.kind === "band" ? `shut:${row.id}` : row.id;
    if (open === (row.kind !== "band")) this.open.add(key);
    else this.open.delete(key);
    this.requestUpdate();
  }

  choose(uid, focusPanel = false) {
    this.dispatchEvent(new CustomEvent("kp-select", { detail: { uid, focusPanel }, bubbles: true }));
  }

  pressed(event) {
    const row = this.rows[this.at];
    if (!row || event.altKey) return;
    const held = event.ctrlKey || event.metaKey;
    if (event.key === " " && (held || event.shiftKey)) this.pickAlso(this.at);
    else if (held || !this.went(row, event)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Does what a key means on a row; returns whether it means anything. */
  went(row, { key, shiftKey, timeStamp }) {
    if (key === "Enter" || key === " ") this.activate(this.at);
    else if (key === "ArrowRight" && row.open !== null) this.unfold(row);
    else if (key === "ArrowLeft" && row.open) this.toggle(row, false);
    else if (rowForKey(this.rows, this.at, key) !== null) this.step(key, shiftKey);
    else if (key.length === 1 && /[\w.-]/.test(key)) this.type(key, timeStamp);
    else return false;
    return true;
  }

  unfold(row) {
    if (row.open) this.step("ArrowDown");
    else this.toggle(row, true);
  }

  step(key, ranging = false) {
    const index = rowForKey(this.rows, this.at, key);
    if (index === null || index < 0) return;
    this.goTo(index);
    if (ranging) return this.range(index);
    this.anchor = this.rows[index].id;
    return this.rows[index].uid ? this.choose(this.rows[index].uid) : undefined;
  }

  type(letter, now) {
    this.typed = now - this.typedAt < TYPING ? this.typed + letter : letter;
    this.typedAt = now;
    const index = rowForText(this.rows, this.at, this.typed);
    if (index >= 0) this.goTo(index);
  }
}

customElements.define("kp-tree", Tree);
