// The palette: one line for everything. Words look for objects, pages, actions, kinds and clusters;
// after ":" it is a command line as in k9s.
import { html, LitElement, nothing } from "lit";

import { panelNamed, PANELS } from "../dock/panels.js";
import { hasDock, openPanel } from "../dock/open.js";
import { keyCaps, titleOf } from "../help.js";
import { act, available, keysOf } from "../keys.js";
import { visit } from "../router.js";
import { t } from "../texts.js";
import { commands, rememberCommand } from "./history.js";
import { complete, parse } from "./parse.js";
import { ranked } from "./rank.js";
import { findObjects, readWorld, worldNow } from "./world.js";

const TYPING = 90; // ms after the last letter before objects are looked for
const EACH = 6; // of one group, while there are others
// What one would not look for by name in the list of actions: the palette itself, and keys that move.
const HIDDEN = new Set(["frame.palette", "frame.command"]);

class Palette extends LitElement {
  static properties = { query: { state: true }, at: { state: true }, found: { state: true }, problem: { state: true }, busy: { state: true }, tick: { state: true } };

  constructor() {
    super();
    this.query = "";
    this.at = 0;
    this.found = { items: [], total: 0, for: "" };
    this.problem = "";
    this.busy = false;
    this.actions = [];
    this.past = -1;
  }

  createRenderRoot() {
    return this;
  }

  /** Opens with a text, ":" for the command line. */
  async open(text = "") {
    // What can be done is asked before the dialog has the focus.
    this.actions = available().filter((one) => !HIDDEN.has(one.name));
    this.back = document.activeElement;
    this.set(text);
    if (!this.hasUpdated) await this.updateComplete;
    const dialog = this.querySelector("dialog");
    if (!dialog.open) dialog.showModal();
    this.field.value = text;
    this.field.focus();
    this.field.setSelectionRange(text.length, text.length);
    this.world = worldNow();
    try {
      await readWorld();
      this.world = worldNow();
      this.tick += 1;
    } catch (error) {
      this.problem = t.palette.noKinds(error.message);
    }
  }

  get field() {
    return this.querySelector("input");
  }

  get isCommand() {
    return this.query.startsWith(":");
  }

  set(text) {
    this.query = text;
    this.at = 0;
    this.problem = "";
    this.world ??= worldNow();
    clearTimeout(this.timer);
    this.asking?.abort();
    const words = text.trim();
    if (this.isCommand || words.length < 2 || !this.world.cluster) {
      this.found = { items: [], total: 0, for: "" };
      this.busy = false;
    } else if (words !== this.found.for) {
      this.busy = true;
      this.timer = setTimeout(() => this.look(words), TYPING);
    }
  }

  async look(words) {
    this.asking = new AbortController();
    try {
      const found = await findObjects(words, this.asking.signal);
      this.found = { ...found, for: words };
      this.busy = false;
    } catch (error) {
      if (error.name === "AbortError") return;
      this.problem = t.palette.noSearch(error.message);
      this.busy = false;
    }
  }

  // --- what is offered --------------------------------------------------------------------------

  /** Groups of {title, note, run, keys}; each group has a heading. */
  groups() {
    return (this.isCommand ? this.commandGroups() : this.searchGroups()).filter((group) => group.items.length);
  }

  commandGroups() {
    const bare = this.query.slice(1);
    if (!bare.trim()) {
      return [{ heading: t.palette.before, items: commands().slice(0, 8).map((text) => this.commandItem(text)) }, { heading: t.palette.kinds, items: this.completions(bare) }];
    }
    return [{ heading: t.palette.complete, items: this.completions(bare) }];
  }

  completions(bare) {
    return complete(bare, this.world).map((one) => ({
      title: `:${one.text}`,
      note: one.kind ? `${one.kind.kind} · ${one.kind.group || "core"}/${one.kind.version}` : (one.page?.title ?? (one.cluster ? t.palette.cluster : t.namespace)),
      fill: `:${one.text} `,
      run: () => this.command(one.text),
    }));
  }

  commandItem(text) {
    return { title: `:${text}`, note: "", fill: `:${text}`, run: () => this.command(text) };
  }

  searchGroups() {
    const words = this.query.trim();
    const of = (things, textOf, make, most = EACH) => ranked(things, words, textOf).slice(0, words ? most : things.length).map(make);
    const { pages, clusters, kinds } = this.world;
    const actions = this.actions.filter((one) => !one.name.startsWith("go.") && !PANELS.some((panel) => one.name === `dock.${panel.name}`));
    return [
      { heading: this.found.total > this.found.items.length ? t.palette.objectsOf(this.found.items.length, this.found.total) : t.palette.objects, items: words ? this.found.items.map((hit) => this.objectItem(hit)) : [] },
      { heading: t.palette.pages, items: of(this.pageItems(pages), (one) => one.title, (one) => one) },
      { heading: t.palette.kinds, items: words ? of(kinds, (kind) => `${kind.kind} ${kind.plural} ${kind.short.join(" ")}`, (kind) => this.kindItem(kind)) : [] },
      { heading: t.palette.panels, items: hasDock() ? of(PANELS.filter((panel) => panel.button), (panel) => panel.button, (panel) => this.panelItem(panel)) : [] },
      { heading: t.palette.actions, items: of(actions, (one) => titleOf(one.name), (one) => this.actionItem(one)) },
      { heading: t.palette.clusters, items: of(clusters.filter((one) => !one.here), (one) => one.name, (one) => ({ title: one.name, note: t.palette.cluster, run: () => visit(one.address) })) },
    ];
  }

  pageItems(pages) {
    const page = (one) => ({ title: one.title, note: this.world.cluster, keys: keysOf(`go.${one.name}`)[0], run: () => one.link.click() });
    const fixed = (name, address) => ({ title: titleOf(name), keys: keysOf(name)[0], run: () => visit(address) });
    return [...pages.map(page), fixed("go.clusters", "/"), fixed("go.settings", "/settings")];
  }

  objectItem(hit) {
    return { title: hit.name, note: [hit.kind, hit.namespace].filter(Boolean).join(" · "), run: () => visit(hit.url) };
  }

  kindItem(kind) {
    return { title: kind.plural, note: `${kind.kind} · ${kind.group || "core"}/${kind.version}`, run: () => visit(kind.url) };
  }

  panelItem(panel) {
    return { title: panel.button, note: t.dock.label, keys: keysOf(`dock.${panel.name}`)[0], run: () => openPanel(panel.name, {}, { many: panelNamed(panel.name).many }) };
  }

  actionItem(one) {
    return { title: titleOf(one.name), note: t.actionGroups[one.name.split(".")[0]] ?? "", keys: keysOf(one.name)[0], run: () => act(one.name) };
  }

  // --- doing it ---------------------------------------------------------------------------------

  close() {
    this.querySelector("dialog").close();
  }

  /** Runs what was chosen once the dialog is gone: the focus may be wanted elsewhere then. */
  choose(item) {
    this.close();
    item.run();
  }

  command(text) {
    const { address } = parse(text, this.world);
    if (!address) return;
    rememberCommand(text.trim());
    visit(address);
  }

  entered() {
    if (this.isCommand && this.past < 0 && this.at === 0) {
      const read = parse(this.query, this.world);
      if (read.address) {
        const text = this.query.slice(1);
        this.close();
        this.command(text);
        return;
      }
    }
    const item = this.items[this.at];
    if (item && !(this.isCommand && !item.run)) this.choose(item);
  }

  pressed(event) {
    const { key } = event;
    const count = this.items.length;
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[key];
    const bareCommand = this.isCommand && (this.query === ":" || this.past >= 0);
    if (bareCommand && (key === "ArrowUp" || key === "ArrowDown")) this.recall(key === "ArrowUp" ? 1 : -1);
    else if (step && count) this.at = Math.abs(step) === 1 ? (this.at + step + count) % count : Math.min(count - 1, Math.max(0, this.at + step));
    else if (key === "Enter") this.entered();
    else if (key === "Tab" && this.isCommand && !event.shiftKey) this.fill();
    else return;
    event.preventDefault();
  }

  /** Goes through the commands of before, as a shell does. */
  recall(by) {
    const all = commands();
    const past = Math.min(Math.max(this.past + by, -1), all.length - 1);
    this.set(past < 0 ? ":" : `:${all[past]}`);
    this.past = past;
  }

  fill() {
    const item = this.items[this.at];
    if (!item?.fill) return;
    this.typed(item.fill);
    this.field.value = item.fill;
  }

  typed(text) {
    this.past = -1;
    this.set(text);
  }

  // --- markup -----------------------------------------------------------------------------------

  render() {
    const groups = this.world ? this.groups() : [];
    this.items = groups.flatMap((group) => group.items);
    let index = -1;
    return html`<dialog class="kp-palette" aria-label=${t.palette.label} @close=${this.closed} @click=${this.outside}>
      <input
        type="text" role="combobox" aria-expanded="true" aria-controls="palette-list" aria-autocomplete="list"
        aria-activedescendant=${this.items.length ? `palette-${this.at}` : nothing}
        aria-label=${t.palette.label} placeholder=${t.palette.hint} autocomplete="off" autocapitalize="off" spellcheck="false"
        .value=${this.query} @input=${(event) => this.typed(event.target.value)} @keydown=${this.pressed}>
      ${this.line()}
      <div class="kp-palette-list" id="palette-list" role="listbox" aria-label=${t.palette.results}>
        ${groups.map((group, g) => html`<div role="group" aria-labelledby=${`palette-group-${g}`}>
          <div class="kp-palette-heading" id=${`palette-group-${g}`} role="presentation">${group.heading}</div>
          ${group.items.map((item) => {
            index += 1;
            return this.option(item, index);
          })}
        </div>`)}
      </div>
      ${this.foot()}
    </dialog>`;
  }

  option(item, index) {
    return html`<div role="option" id=${`palette-${index}`} class="kp-palette-option" aria-selected=${index === this.at} @pointermove=${() => (this.at = index)} @click=${() => this.choose(item)}>
      <span class="kp-palette-title">${item.title}</span><span class="kp-palette-note">${item.note ?? ""}</span>${item.keys ? html`<span class="kp-palette-keys" aria-hidden="true">${keyCaps(item.keys)}</span>` : nothing}
    </div>`;
  }

  /** What a command means, while it is typed. */
  line() {
    if (this.problem) return html`<p class="kp-palette-line" data-bad role="alert">${this.problem}</p>`;
    if (!this.isCommand || !this.world || !this.query.slice(1).trim()) return nothing;
    if (!this.world.kinds.length && this.world.cluster) return html`<p class="kp-palette-line" role="status">${t.loading}</p>`;
    const read = parse(this.query, this.world);
    if (read.problem === "kind") {
      // While a word is still typed, a list of completions says more than a complaint.
      if (this.items?.length || complete(this.query, this.world).length) return nothing;
      return html`<p class="kp-palette-line" data-bad role="status">${t.palette.noKind(read.word, this.world.cluster)} ${read.closest ? html`<button type="button" class="kp-link" @click=${() => this.correct(read)}>${t.palette.didYouMean(read.closest)}</button>` : nothing}</p>`;
    }
    if (read.problem === "cluster") return html`<p class="kp-palette-line" data-bad role="status">${t.palette.noCluster(read.word)}</p>`;
    return read.kind ? html`<p class="kp-palette-line" role="status">${t.palette.shows(read)}</p>` : nothing;
  }

  correct(read) {
    this.typed(this.query.replace(read.word, read.closest));
    this.field.focus();
  }

  foot() {
    if (this.items.length || this.busy || (this.isCommand && this.query.trim() !== ":")) return html`<p class="kp-palette-foot" aria-live="polite">${this.busy ? t.palette.looking : t.palette.keys(this.isCommand)}</p>`;
    return html`<p class="kp-palette-foot" role="status">${this.query.trim() && !this.isCommand ? t.palette.nothing(this.query.trim()) : t.palette.keys(this.isCommand)}</p>`;
  }

  updated() {
    this.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }

  outside(event) {
    if (event.target === event.currentTarget) this.close();
  }

  closed() {
    clearTimeout(this.timer);
    this.asking?.abort();
    this.query = "";
    this.found = { items: [], total: 0, for: "" };
    this.past = -1;
    if (this.back?.isConnected && document.activeElement === document.body) this.back.focus({ preventScroll: true });
  }
}

customElements.define("kp-palette", Palette);
