// One's own bookmarks: the button that sets one, and the list with their notes.
import { html, LitElement, nothing } from "lit";

import { closeOnEscape, closeWhenLeft } from "../list/drop.js";
import { t } from "../texts.js";
import { ask, send } from "./ask.js";

class Bookmarks extends LitElement {
  static properties = { cluster: {}, rev: { type: Number }, items: { state: true }, problem: { state: true } };

  constructor() {
    super();
    this.items = [];
    this.problem = "";
  }

  createRenderRoot() {
    return this;
  }

  connectedCallback() {
    super.connectedCallback();
    this.load();
  }

  get url() {
    return `/api/clusters/${encodeURIComponent(this.cluster)}/bookmarks`;
  }

  get here() {
    return this.items.find((one) => one.revision === this.rev);
  }

  async load() {
    try {
      this.items = (await ask(this.cluster, "/bookmarks")).items;
    } catch {
      this.items = []; // the log's own problem is told already
    }
    this.tell("kp-bookmarks", this.items);
  }

  async change(method, url, body) {
    try {
      await send(method, url, body);
      this.problem = "";
    } catch (error) {
      this.problem = error.message;
    }
    await this.load();
  }

  toggle() {
    return this.here ? this.remove(this.rev) : this.change("POST", this.url, { revision: this.rev, note: "" });
  }

  remove(revision) {
    return this.change("DELETE", `${this.url}/${revision}`);
  }

  note(revision, note) {
    return this.change("POST", this.url, { revision, note: note.trim() });
  }

  render() {
    const words = t.timeline;
    const { here } = this;
    return html`<button type="button" class="kp-button" aria-pressed=${here ? "true" : "false"} @click=${this.toggle}>${here ? words.removeBookmark : words.bookmark}</button>
      ${this.items.length
        ? html`<details class="kp-tl-drop" @keydown=${closeOnEscape} @focusout=${closeWhenLeft}>
            <summary class="kp-button">${words.bookmarks} <span class="kp-muted">${t.number(this.items.length)}</span></summary>
            <ul class="kp-tl-drop-body">${this.items.map((one) => this.row(one))}</ul>
          </details>`
        : nothing}
      ${this.problem ? html`<span class="kp-bad" role="alert">${this.problem}</span>` : nothing}`;
  }

  row({ revision, note }) {
    const words = t.timeline;
    return html`<li>
      <button type="button" class="kp-link kp-number" title=${words.goThere(revision)} @click=${() => this.tell("kp-go", revision)}>${t.number(revision)}</button>
      <input type="text" maxlength="120" placeholder=${words.note} aria-label=${words.noteOf(revision)} .value=${note} @change=${(event) => this.note(revision, event.target.value)}>
      <button type="button" class="kp-icon" aria-label="${words.removeBookmark} ${t.number(revision)}" @click=${() => this.remove(revision)}>×</button>
    </li>`;
  }

  tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));
  }
}

customElements.define("kp-bookmarks", Bookmarks);
