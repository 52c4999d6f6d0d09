// The same pods as a plain table that can be sorted: what `T` shows instead of the picture.
import { html, LitElement } from "lit";

import { natural } from "../scene/lenses.js";
import { t } from "../texts.js";

const COLUMNS = ["ns", "name", "status", "ready", "restarts", "node", "ip"];
const SHOWN = 300;

class PodTable extends LitElement {
  static properties = {
    model: { attribute: false },
    selected: {},
    tick: { type: Number },
    sort: {},
    down: { type: Boolean },
    limit: { type: Number },
  };

  constructor() {
    super();
    this.sort = "name";
    this.down = false;
    this.limit = SHOWN;
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
        <tbody>
          ${rows.slice(0, this.limit).map(
            (pod) => html`<tr aria-selected=${pod.uid === this.selected} data-uid=${pod.uid}>
              <td>${pod.ns}</td>
              <th scope="row"><button type="button" class="kp-sort" @click=${() => this.choose(pod.uid)}>${pod.name}</button></th>
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
  }

  choose(uid) {
    this.dispatchEvent(new CustomEvent("kp-select", { detail: { uid, focusPanel: true }, bubbles: true }));
  }
}

customElements.define("kp-table", PodTable);
