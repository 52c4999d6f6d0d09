// "Break something": what is broken now with its Undo, and the form that breaks more, with a prediction.
import { html, LitElement, nothing } from "lit";

import { call, get, post } from "../api.js";
import { CHECKS, CONTROL_PLANE, defaults, FIELDS, nodeNames, NUMBERS, podNames, serviceNames, targetOf, userNames } from "../failures.js";
import { t } from "../texts.js";

const ASK_EVERY = 15_000;

class Break extends LitElement {
  static properties = {
    cluster: {},
    readonly: { type: Boolean },
    store: { attribute: false },
    pod: { attribute: false },
    items: { state: true },
    kind: { state: true },
    values: { state: true },
    prediction: { state: true },
    problem: { state: true },
    wrong: { state: true },
    done: { state: true },
    busy: { state: true },
    shown: { state: true },
  };

  constructor() {
    super();
    this.items = [];
    this.kind = "";
    this.values = {};
    this.prediction = this.problem = "";
    this.wrong = {};
    this.done = null;
    this.busy = this.shown = false;
  }

  createRenderRoot() {
    return this;
  }

  connectedCallback() {
    super.connectedCallback();
    this.ask();
    this.seen = () => document.visibilityState === "visible" && this.ask();
    document.addEventListener("visibilitychange", this.seen);
    this.asking = setInterval(this.seen, ASK_EVERY);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    document.removeEventListener("visibilitychange", this.seen);
    clearInterval(this.asking);
  }

  get url() {
    return `/api/clusters/${this.cluster}/failures`;
  }

  async ask() {
    try {
      this.items = (await get(this.url)).items;
    } catch {
      // The chip of the page says that the site does not answer.
    }
  }

  /** Opens the dialog; for a kind, where one was chosen already. */
  async open(kind = "", given = {}) {
    this.done = null;
    this.problem = "";
    this.shown = true;
    this.choose(kind, given);
    await this.updateComplete;
    const dialog = this.querySelector("dialog");
    if (!dialog.open) dialog.showModal();
    this.querySelector(kind ? ".kp-break-form select, .kp-break-form input" : "[name=kind]")?.focus();
  }

  choose(kind, given = {}) {
    this.kind = kind;
    this.wrong = {};
    this.problem = "";
    if (kind) this.values = { ...defaults(kind, this.store, this.pod), ...given };
  }

  set(field, value) {
    this.values = { ...this.values, [field]: value };
  }

  async submit(event) {
    event.preventDefault();
    this.busy = true;
    this.problem = "";
    this.wrong = {};
    try {
      const made = await post(this.url, { kind: this.kind, target: targetOf(this.kind, this.values), prediction: this.prediction.trim() });
      this.done = made;
      this.kind = "";
      this.prediction = "";
      await this.ask();
      await this.updateComplete;
      this.querySelector(".kp-break-done")?.focus();
    } catch (error) {
      this.wrong = Object.fromEntries(Object.entries(error.fields ?? {}).map(([name, texts]) => [name.replace(/^target\./, ""), [texts].flat().join(" ")]));
      this.problem = t.topology.break.problem(error.message);
    }
    this.busy = false;
  }

  async undo(item) {
    await this.send(`${this.url}/${item.id}`, t.topology.break.mended(item.what));
  }

  async send(url, said) {
    this.problem = "";
    try {
      await call("DELETE", url);
      this.dispatchEvent(new CustomEvent("kp-said", { detail: said, bubbles: true }));
    } catch (error) {
      if (error.status !== 404) this.problem = t.topology.break.problem(error.message);
    }
    await this.ask();
  }

  render() {
    return html`${this.items.length ? this.bar() : nothing}
      <dialog class="kp-drawer kp-break" aria-labelledby="break-title" @close=${() => (this.shown = false)}>${this.shown ? this.body() : nothing}</dialog>`;
  }

  /** What one must not forget: that something is broken. */
  bar() {
    const words = t.topology.break;
    return html`<div class="kp-note kp-warn kp-broken" role="status" data-notice="broken">
      <p><strong>${t.topology.broken(this.items.length)}.</strong>
        ${this.items.map((item) => html`<span class="kp-broken-one">${item.what} ${this.readonly ? nothing : html`<button type="button" class="kp-link" aria-label=${words.undoOf(item.what)} @click=${() => this.undo(item)}>${words.undo}</button>`}</span>`)}</p>
    </div>`;
  }

  body() {
    const words = t.topology.break;
    return html`<div class="kp-drawer-body">
      <div class="kp-dialog-head"><h2 id="break-title">${words.title}</h2>
        <button type="button" class="kp-icon" aria-label=${words.close} @click=${() => this.querySelector("dialog").close()}>×</button></div>
      <p class="kp-muted">${words.lead}</p>
      ${this.done ? this.finished() : nothing}
      ${this.problem ? html`<div class="kp-note kp-bad" role="alert"><p>${this.problem}</p></div>` : nothing}
      <section aria-label=${words.now}><h3>${words.now}</h3>${this.items.length ? this.list() : html`<p class="kp-muted">${words.nothing}</p>`}</section>
      ${this.kinds()}
    </div>`;
  }

  finished() {
    const words = t.topology.break;
    const { what, revision, prediction } = this.done;
    return html`<div class="kp-note kp-info kp-break-done" role="status" tabindex="-1">
      <p>${words.done(what, revision)}</p>
      ${prediction ? html`<p><span class="kp-muted">${words.expected}</span> ${prediction}</p>` : nothing}
    </div>`;
  }

  list() {
    const words = t.topology.break;
    const time = (item) => item.began.slice(11, 19);
    return html`<ul class="kp-break-list">
        ${this.items.map(
          (item) => html`<li><div class="kp-grow"><p>${item.what}</p><p class="kp-muted">${words.since(time(item), item.revision)}${item.prediction ? html`<br />${words.expected} ${item.prediction}` : nothing}</p></div>
            <button type="button" class="kp-button" aria-label=${words.undoOf(item.what)} @click=${() => this.undo(item)}>${words.undo}</button></li>`,
        )}
      </ul>
      ${this.items.length > 1 ? html`<button type="button" class="kp-button" @click=${() => this.send(this.url, words.undoAll)}>${words.undoAll}</button>` : nothing}`;
  }

  kinds() {
    const words = t.topology.break;
    return html`<form class="kp-break-form" @submit=${(event) => this.submit(event)} novalidate>
      <fieldset><legend>${words.kind}</legend>
        <div class="kp-break-kinds">
          ${Object.entries(words.kinds).map(
            ([kind, [title, text]]) => html`<label data-on=${this.kind === kind}><input type="radio" name="kind" value=${kind} .checked=${this.kind === kind} @change=${() => this.choose(kind)} /><span><strong>${title}</strong><span class="kp-muted">${text}</span></span></label>`,
          )}
        </div>
      </fieldset>
      ${this.kind
        ? html`${FIELDS[this.kind].map((field) => this.field(field))}
            <div class="kp-field">
              <label for="break-prediction">${words.prediction}</label>
              <textarea id="break-prediction" rows="2" maxlength="500" aria-describedby="break-hint" .value=${this.prediction} @input=${(event) => (this.prediction = event.target.value)}></textarea>
              <p class="kp-hint" id="break-hint">${words.predictionHint}</p>
            </div>
            <button type="submit" class="kp-button kp-danger" ?disabled=${this.busy}>${words.go}</button>`
        : nothing}
    </form>`;
  }

  field(name) {
    const id = `break-${name}`;
    const label = t.topology.break.fields[name];
    if (CHECKS.has(name)) {
      return html`<label class="kp-check"><input type="checkbox" id=${id} .checked=${this.values[name]} @change=${(event) => this.set(name, event.target.checked)} /> ${label}</label>`;
    }
    const wrong = this.wrong[name];
    return html`<div class="kp-field"><label for=${id}>${label}</label>${this.input(name, id)}${wrong ? html`<p class="kp-field-error" id="${id}-wrong">${wrong}</p>` : nothing}</div>`;
  }

  input(name, id) {
    const value = this.values[name];
    const invalid = this.wrong[name] ? "true" : nothing;
    const described = this.wrong[name] ? `${id}-wrong` : nothing;
    const changed = (event) => this.set(name, event.target.value);
    if (name in NUMBERS) {
      return html`<input id=${id} type="number" min=${NUMBERS[name].min} max=${NUMBERS[name].max} aria-invalid=${invalid} aria-describedby=${described} .value=${String(value)} @input=${changed} />`;
    }
    if (name === "image" || name === "user" || name === "container") {
      const offered = name === "user" ? userNames(this.store) : [];
      return html`<input id=${id} list="${id}-list" autocomplete="off" spellcheck="false" placeholder=${name === "container" ? t.topology.break.all : nothing} aria-invalid=${invalid} aria-describedby=${described} .value=${value} @input=${changed} /><datalist id="${id}-list">${offered.map((one) => html`<option value=${one}></option>`)}</datalist>`;
    }
    return html`<select id=${id} aria-invalid=${invalid} aria-describedby=${described} @change=${changed}>${this.options(name, value)}</select>`;
  }

  options(name, value) {
    const one = (text, shown = text) => html`<option value=${text} ?selected=${text === value}>${shown}</option>`;
    const { store } = this;
    if (name === "pod") return podNames(store).map((text) => one(text));
    if (name === "node") return nodeNames(store).map((text) => one(text));
    const { groups, controlPlane } = t.topology.break;
    const group = (kind, names) => html`<optgroup label=${groups[kind]}>${names.map((text) => one(`${kind}/${text}`, text))}${kind === "node" ? one(CONTROL_PLANE, controlPlane) : nothing}</optgroup>`;
    return [group("node", nodeNames(store)), group("service", serviceNames(store)), group("pod", podNames(store))];
  }
}

customElements.define("kp-break", Break);
