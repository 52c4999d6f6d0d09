// The same pods as a plain table that can be sorted: what `T` shows instead of the picture.
import { html, LitElement, nothing } from "lit";

import { natural } from "../scene/lenses.js";
import { t } from "../texts.js";
import { readState, writeState } from "../url.js";

const COLUMNS = ["ns", "name", "status", "ready", "restarts", "node", "ip"];
const SHOWN = 300;

class PodTable extends LitElement {
  static properties = {
    model: { attribute: false },
    selected: {},
    picked: { attribute: false },
    tick: { type: Number },
    sort: {},
    down: { type: Boolean },
    limit: { type: Number },
  };

  constructor() {
    super();
    const { sort = "name" } = readState(); // "-restarts": downwards
    this.down = sort.startsWith("-");
    this.sort = COLUMNS.find((name) => name === sort.replace("-", "")) ?? "name";
    this.limit = SHOWN;
    this.picked = new Set();
    // Where a range begins: the pod that was chosen last without Shift.
    this.anchor = null;
  }

  createRenderRoot() {
    return this;
  }

  rows() {
    const { store, test } = this.model;
    const pods = [...store.pods.values()].filter((pod) => !test || test(pod));
    const { sort } = this;
    pods.sort((a, b) => (sort === "restarts" ? a.restarts - b.restarts : natural(String(a[sort]), String(b[sort]))));
    return this.down ? pods.reverse() : pods;
  }

  render() {
    const rows = this.rows();
    return html`<div class="kp-scroll kp-pod-table" tabindex="0" role="region" aria-label=${t.tableCaption}>
      <table class="kp-table">
        <thead>
          <tr>
            ${COLUMNS.map(
              (name) => html`<th scope="col" aria-sort=${this.sort === name ? (this.down ? "descending" : "ascending") : "none"}>
                <button type="button" class="kp-sort" @click=${() => this.order(name)}>${t.columns[name]}</button>
              </th>`,
            )}
          </tr>
        </thead>
        <tbody @keydown=${this.pressed} @contextmenu=${this.menu}>
          ${rows.slice(0, this.limit).map(
            (pod) => html`<tr aria-selected=${pod.uid === this.selected || this.picked.has(pod.uid)} data-picked=${this.picked.has(pod.uid) ? "" : nothing} data-uid=${pod.uid}>
              <td>${pod.ns}</td>
              <th scope="row"><button type="button" class="kp-sort" @click=${(event) => this.clicked(event, pod.uid)}>${pod.name}</button></th>
              <td><span class="kp-mark" data-cls=${pod.cls} aria-hidden="true"></span> ${pod.status}</td>
              <td>${pod.ready}</td><td class="kp-number">${pod.restarts}</td><td>${pod.node}</td><td>${pod.ip}</td>
            </tr>`,
          )}
        </tbody>
      </table>
      ${rows.length > this.limit
        ? html`<button type="button" class="kp-button" @click=${() => (this.limit *= 4)}>${t.more(rows.length - this.limit)}</button>`
        : null}
    </div>`;
  }

  order(name) {
    this.down = this.sort === name && !this.down;
    this.sort = name;
    const text = `${this.down ? "-" : ""}${name}`;
    writeState({ sort: text === "name" ? "" : text });
  }

  clicked(event, uid) {
    if (event.shiftKey) return this.range(uid);
    this.anchor = uid;
    if (event.ctrlKey || event.metaKey) return this.tell("kp-pick", { also: uid });
    return this.tell("kp-select", { uid, focusPanel: true });
  }

  /** Picks the pods of the rows from where the range begins. */
  range(uid) {
    const uids = this.rows().map((pod) => pod.uid);
    const [from, to] = [uids.indexOf(this.anchor ?? uid), uids.indexOf(uid)].sort((a, b) => a - b);
    this.tell("kp-pick", { uids: uids.slice(Math.max(0, from), to + 1) });
  }

  /** Arrows go from row to row; with Shift they pick what they pass, with Space one more. */
  pressed(event) {
    const row = event.target.closest("tr");
    const next = { ArrowDown: row.nextElementSibling, ArrowUp: row.previousElementSibling }[event.key];
    if (next) {
      if (event.shiftKey) this.anchor ??= row.dataset.uid;
      else this.anchor = next.dataset.uid;
      next.querySelector("button").focus();
      if (event.shiftKey) this.range(next.dataset.uid);
    } else if (event.key === " " && (event.ctrlKey || event.shiftKey)) this.tell("kp-pick", { also: row.dataset.uid });
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  menu(event) {
    const row = event.target.closest("tr");
    event.preventDefault();
    const { left, bottom } = row.getBoundingClientRect();
    const [x, y] = event.clientX || event.clientY ? [event.clientX, event.clientY] : [left + 120, bottom];
    this.tell("kp-menu", { x, y, pod: this.model.store.pods.get(row.dataset.uid) ?? null });
  }

  tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));
  }
}

customElements.define("kp-table", PodTable);
