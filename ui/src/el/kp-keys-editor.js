// All actions with their keys: press one, then the key that it shall be. Kept with the user at once.
import { html, LitElement, nothing } from "lit";

import { grouped, keyCaps, titleOf } from "../help.js";
import { addDefaults, allActions, chooseKeys, chosenKeys, conflicts, defaultKeys, keysOf } from "../keys.js";
import { caps, pressOf } from "../press.js";
import { chooseSingleKeys, keep } from "../preferences.js";
import { singleKeysOn } from "../keys.js";
import { t } from "../texts.js";

// A second press belongs to the key while it comes this soon: "g t".
const SEQUENCE = 900;

class KeysEditor extends LitElement {
  static properties = { recording: { state: true }, presses: { state: true }, problem: { state: true }, query: { state: true }, tick: { state: true } };

  constructor() {
    super();
    this.recording = null; // {name, index}
    this.presses = [];
    this.problem = "";
    this.query = "";
    this.pages = JSON.parse(document.getElementById("rail-pages")?.textContent ?? "[]");
    addDefaults(Object.fromEntries(this.pages.map((page) => [`go.${page.name}`, [`g ${page.key}`]])));
    this.onKey = (event) => this.press(event);
  }

  createRenderRoot() {
    return this;
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.finish();
  }

  title(name) {
    const page = this.pages.find((one) => name === `go.${one.name}`);
    return page ? page.title : titleOf(name);
  }

  // --- recording --------------------------------------------------------------------------------

  record(name, index) {
    this.finish();
    this.recording = { name, index };
    this.presses = [];
    window.addEventListener("keydown", this.onKey, { capture: true });
  }

  press(event) {
    const press = pressOf(event);
    if (!press) return;
    if (press === "Tab" || press === "Shift+Tab") return this.finish();
    event.preventDefault();
    event.stopPropagation();
    if (press === "Escape" && !this.presses.length) return this.finish();
    this.presses = [...this.presses, press];
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.recorded(), SEQUENCE);
  }

  recorded() {
    const { name, index } = this.recording;
    const keys = [...keysOf(name)];
    keys[index] = this.presses.join(" ");
    this.finish();
    this.set(name, [...new Set(keys)]);
  }

  finish() {
    clearTimeout(this.timer);
    window.removeEventListener("keydown", this.onKey, { capture: true });
    this.recording = null;
    this.presses = [];
  }

  /** Gives an action its keys; the ones that it comes with are not kept. */
  set(name, keys) {
    const chosen = { ...chosenKeys() };
    if (String(keys) === String(defaultKeys(name))) delete chosen[name];
    else chosen[name] = keys;
    this.keepAll(chosen);
    this.focusOn(name);
  }

  async keepAll(chosen) {
    chooseKeys(chosen);
    this.tick += 1;
    try {
      await keep({ keys: chosen });
      this.problem = "";
    } catch (error) {
      this.problem = t.settings.notKept(error.message);
    }
  }

  async focusOn(name) {
    await this.updateComplete;
    this.querySelector(`[data-action="${name}"] button`)?.focus();
  }

  // --- markup -----------------------------------------------------------------------------------

  render() {
    const wanted = this.query.trim().toLowerCase();
    const names = allActions().filter((name) => !wanted || `${this.title(name)} ${keysOf(name)}`.toLowerCase().includes(wanted));
    return html`<div class="kp-toolbar">
        <label class="kp-sr" for="keys-filter">${t.settings.filter}</label>
        <input id="keys-filter" type="search" data-filter placeholder=${t.settings.filter} .value=${this.query} @input=${(event) => (this.query = event.target.value)}>
        <label class="kp-check"><input type="checkbox" data-keys-toggle ?checked=${singleKeysOn()} @change=${(event) => chooseSingleKeys(event.target.checked)}> ${t.settings.single}</label>
        <div class="kp-grow"></div>
        <button type="button" class="kp-button" ?disabled=${!Object.keys(chosenKeys()).length} @click=${() => this.keepAll({})}>${t.settings.resetAll}</button>
      </div>
      ${this.problem ? html`<p class="kp-note kp-bad" role="alert">${this.problem}</p>` : nothing}
      ${[...grouped(names)].map(([group, members]) => html`<section class="kp-key-group"><h3>${t.actionGroups[group] ?? group}</h3><ul>${members.map((name) => this.row(name))}</ul></section>`)}
      ${names.length ? nothing : html`<p class="kp-muted">${t.settings.noAction(this.query)}</p>`}`;
  }

  row(name) {
    const keys = keysOf(name);
    const changed = name in chosenKeys();
    const clashes = [...new Set(keys.flatMap((key) => conflicts(name, key)))];
    return html`<li data-action=${name}>
      <span class="kp-key-title">${this.title(name)}</span>
      ${changed ? html`<button type="button" class="kp-link" aria-label=${t.settings.resetOf(this.title(name))} @click=${() => this.set(name, defaultKeys(name))}>${t.settings.reset}</button>` : html`<span></span>`}
      <span class="kp-key-list">
        ${keys.map((key, index) => this.key(name, key, index))}
        ${this.recordingAt(name, keys.length) ? this.field(name) : html`<button type="button" class="kp-button kp-quiet" aria-label=${t.settings.addTo(this.title(name))} @click=${() => this.record(name, keys.length)}>${keys.length ? "+" : t.settings.add}</button>`}
      </span>
      ${clashes.length ? html`<span class="kp-key-clash" role="status">${t.settings.clash(clashes.map((one) => this.title(one)))}</span>` : nothing}
    </li>`;
  }

  recordingAt(name, index) {
    return this.recording?.name === name && this.recording.index === index;
  }

  key(name, key, index) {
    if (this.recordingAt(name, index)) return this.field(name);
    const words = caps(key).map((press) => press.join("+")).join(" ");
    return html`<span class="kp-key-one"><button type="button" class="kp-key-caps" aria-label=${t.settings.change(this.title(name), words)} @click=${() => this.record(name, index)}>${keyCaps(key)}</button><button type="button" class="kp-key-remove" aria-label=${t.settings.remove(this.title(name), words)} @click=${() => this.set(name, keysOf(name).filter((one) => one !== key))}>×</button></span>`;
  }

  field() {
    return html`<span class="kp-key-recording" role="status">${this.presses.length ? keyCaps(this.presses.join(" ")) : t.settings.pressKey}</span>`;
  }
}

customElements.define("kp-keys-editor", KeysEditor);
