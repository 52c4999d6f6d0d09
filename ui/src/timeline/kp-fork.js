// The button and the dialog that make a new cluster from a revision of this one.
import { html, LitElement, nothing } from "lit";

import { t } from "../texts.js";
import { send } from "./ask.js";

class Fork extends LitElement {
  static properties = { cluster: {}, rev: { type: Number }, busy: { state: true }, made: { state: true }, problem: { state: true } };

  createRenderRoot() {
    return this;
  }

  render() {
    const words = t.timeline;
    return html`<button type="button" class="kp-button" @click=${this.open}>${words.fork}</button>
      <dialog class="kp-fork-dialog" aria-labelledby="kp-fork-title">
        <h2 id="kp-fork-title">${words.forkTitle(this.from ?? this.rev)}</h2>
        ${this.made ? this.done() : this.form()}
      </dialog>`;
  }

  form() {
    const words = t.timeline;
    return html`<p class="kp-muted">${words.forkHint}</p>
      <form id="kp-fork-form" @submit=${this.submit}>
        <label>${words.forkName}<input name="name" required maxlength="63" autocomplete="off" spellcheck="false" .value=${this.suggestion ?? ""}></label>
      </form>
      ${this.problem ? html`<p class="kp-note kp-bad" role="alert">${this.problem}</p>` : nothing}
      <p role="status">${this.busy ? words.forking : nothing}</p>
      <div class="kp-actions">
        <button type="button" class="kp-button" @click=${this.close}>${words.cancel}</button>
        <button type="submit" form="kp-fork-form" class="kp-button kp-primary" ?disabled=${this.busy}>${words.forkStart}</button>
      </div>`;
  }

  done() {
    const words = t.timeline;
    return html`<p role="status">${words.forked(this.made)}</p>
      <div class="kp-actions">
        <button type="button" class="kp-button" @click=${this.close}>${words.close}</button>
        <a class="kp-button" href="/clusters/${encodeURIComponent(this.cluster)}/timeline?${new URLSearchParams({ tab: "compare", with: this.made })}" data-live>${words.sideBySide}</a>
        <a class="kp-button kp-primary" href="/clusters/${encodeURIComponent(this.made)}">${words.openIt}</a>
      </div>`;
  }

  get dialog() {
    return this.querySelector("dialog");
  }

  async open() {
    // The log goes on meanwhile: what was chosen stays.
    Object.assign(this, { from: this.rev, suggestion: `${this.cluster}-${this.rev}`.slice(-63).replace(/^-+/, ""), made: null, problem: null, busy: false });
    await this.updateComplete;
    this.dialog.showModal();
  }

  close() {
    this.dialog.close();
  }

  async submit(event) {
    event.preventDefault();
    const name = new FormData(event.target).get("name").trim();
    Object.assign(this, { busy: true, problem: null, suggestion: name });
    try {
      await send("POST", `/api/clusters/${encodeURIComponent(this.cluster)}/fork`, { name, revision: this.from });
      this.made = name;
    } catch (error) {
      this.problem = error.message;
    }
    this.busy = false;
  }
}

customElements.define("kp-fork", Fork);
