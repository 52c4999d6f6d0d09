// One terminal: opens a shell or comes back to one, shows it, and says how it stands.
//
// Attributes: cluster; session (to come back to one); kind, ns, pod, container, node (to open one).
// Events: kp-terminal {id, about} once it is open, kp-terminal-title {title}, kp-terminal-over, kp-terminal-close.
import { html, LitElement, nothing } from "lit";

import { pressOf } from "../press.js";
import { visit } from "../router.js";
import { t } from "../texts.js";
import * as api from "./api.js";
import { Connection } from "./connection.js";
import { Gutter } from "./gutter.js";
import { linkProvider } from "./links.js";
import { Marks } from "./marks.js";
import { noteBar } from "./notes.js";
import { Screen } from "./screen.js";

const NOTED_MS = 5000;
const LONGEST_TITLE = 60;
const KEYS = {
  F6: (terminal) => terminal.dispatchEvent(new CustomEvent("kp-terminal-leave", { bubbles: true })),
  "Mod+Shift+c": (terminal) => terminal.copy("selection"),
  "Mod+Shift+f": (terminal) => terminal.find(true),
  "Mod+Shift+ArrowUp": (terminal) => terminal.marks.jump(-1),
  "Mod+Shift+ArrowDown": (terminal) => terminal.marks.jump(1),
};
// The dock's key; and pasting, which is the browser's: its event brings the text along.
const LEFT_TO_OTHERS = new Set(["Mod+`", "Mod+Shift+v"]);
const clock = (at = new Date()) => at.toTimeString().slice(0, 8);

export class KpTerminal extends LitElement {
  static properties = { cluster: {}, session: {}, note: { attribute: false }, finding: { state: true }, found: { state: true } };

  constructor() {
    super();
    this.note = { name: "starting" };
    this.finding = false;
    this.about = null;
  }

  createRenderRoot() {
    return this;
  }

  get kind() {
    return this.about?.kind ?? this.getAttribute("kind") ?? "shell";
  }

  get running() {
    return this.about !== null && !["over", "exit"].includes(this.note?.name);
  }

  get title() {
    const { kind } = this;
    const name = this.about?.title ?? this.getAttribute("pod") ?? this.getAttribute("node") ?? this.cluster;
    const as = this.about?.acting_as ? ` · ${t.terminal.actingAs(this.about.acting_as)}` : "";
    return this.shellTitle || t.terminal.titles[kind](name) + as;
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    clearTimeout(this.fading);
    this.stop();
  }

  connectedCallback() {
    super.connectedCallback();
    if (this.hasUpdated) this.updateComplete.then(() => this.begin());
  }

  firstUpdated() {
    this.begin();
  }

  // --- opening and ending ---------------------------------------------------------------------

  stop() {
    this.connection?.stop();
    this.gutter?.dispose();
    this.screen?.dispose();
    this.connection = this.gutter = this.screen = null;
  }

  /** Makes the screen, then a shell for it, or comes back to the one that the attribute names. */
  async begin() {
    this.stop();
    this.screen = new Screen(this.querySelector(".kp-term-screen"));
    const { terminal } = this.screen;
    this.marks = new Marks(terminal, () => this.gutter?.soon());
    this.gutter = new Gutter(this.querySelector(".kp-term-gutter"), this.screen, this.marks, this.cluster);
    terminal.registerLinkProvider(linkProvider(terminal, this.marks, this.cluster, (href, event) => follow(href, event)));
    terminal.onData((data) => this.connection?.type(data));
    terminal.onBinary((data) => this.connection?.type(Uint8Array.from(data, (one) => one.charCodeAt(0))));
    terminal.onResize(({ rows, cols }) => this.connection?.resize(rows, cols));
    terminal.onTitleChange((title) => this.titled(title));
    terminal.attachCustomKeyEventHandler((event) => this.key(event));
    terminal.textarea.setAttribute("aria-label", t.terminal.label(this.title));
    this.screen.fit();
    if (this.wantsFocus) this.focus();
    if (this.session) this.connect();
    else await this.open();
  }

  async open(more = {}) {
    this.note = { name: "starting" };
    const { rows, cols: columns } = this.screen.terminal;
    const wish = { kind: this.kind === "plain" ? "shell" : this.kind, rows, columns, ...more };
    const names = { ns: "namespace", pod: "pod", container: "container", node: "node" };
    for (const [attribute, name] of Object.entries(names)) {
      if (this.getAttribute(attribute)) wish[name] = this.getAttribute(attribute);
    }
    try {
      const about = await api.open(this.cluster, wish);
      if (!this.isConnected) return;
      this.session = about.id;
      this.connect();
    } catch (error) {
      await this.refused(error);
    }
  }

  async refused(error) {
    try {
      if (error.code !== "NotAccepted") throw error;
      const { offer } = await api.list(this.cluster);
      this.note = { name: "plain", offer };
    } catch (why) {
      this.note = { name: "failed", text: why.message };
    }
  }

  connect() {
    const terminal = this.screen.terminal;
    this.connection = new Connection(api.streamUrl(this.cluster, this.session), {
      data: (bytes, done) => terminal.write(bytes, done),
      note: (frame) => this.hear(frame),
      state: (state) => this.tell(state),
    });
    this.connection.resize(terminal.rows, terminal.cols);
    this.connection.start();
  }

  /** Starts another shell in place of the one that has ended. */
  again(more = {}) {
    this.session = null;
    this.about = null;
    this.shellTitle = "";
    this.screen.terminal.reset();
    this.marks.commands.length = 0;
    this.connection?.stop();
    this.open(more);
    this.focus();
  }

  /** Ends the shell for good. */
  async end() {
    if (!this.session || !this.running) return;
    await api.end(this.cluster, this.session).catch(() => {}); // it may be gone already
  }

  // --- what the connection tells ----------------------------------------------------------------

  hear(frame) {
    // Notes belong to a place in the output: they wait until everything before has been shown.
    this.screen.terminal.write("", () => {
      if (frame.op === "request") this.marks.request(frame);
      else if (frame.op === "exit") this.over({ name: "exit", code: frame.code, why: frame.why });
      else if (frame.op === "full") this.fade({ name: "full" });
      else if (frame.op === "gap") this.fade({ name: "back", missed: frame.missed });
      else if (frame.op === "recording") {
        this.recorded(frame.on);
        if (frame.full) this.fade({ name: "words", text: t.terminal.recordingFull });
      }
    });
  }

  tell(state) {
    if (state.name === "open" || state.name === "back") {
      this.about = state.about;
      this.recorded(state.about.recording.running);
      this.dispatchEvent(new CustomEvent("kp-terminal", { bubbles: true, detail: { id: this.session, about: state.about } }));
      this.named();
      if (state.name === "open") this.note = state.missed ? { name: "back", missed: state.missed } : null;
      else this.fade({ name: "back", missed: state.missed });
    } else if (state.name === "lost") {
      this.lostAt = this.note?.name === "lost" ? this.lostAt : clock();
      this.note = { name: "lost", at: this.lostAt, tries: state.tries };
    } else if (state.name === "over") {
      this.over({ name: "over", code: state.code, wasOpen: state.wasOpen });
    }
  }

  over(note) {
    clearTimeout(this.fading);
    this.note = note;
    this.screen.terminal.options.cursorBlink = false;
    this.dispatchEvent(new CustomEvent("kp-terminal-over", { bubbles: true }));
  }

  /** Says something for a while. */
  fade(note) {
    this.note = note;
    clearTimeout(this.fading);
    this.fading = setTimeout(() => {
      if (this.note === note) this.note = null;
    }, NOTED_MS);
  }

  recorded(on) {
    this.recording = on;
    this.dispatchEvent(new CustomEvent("kp-terminal-title", { bubbles: true, detail: { title: this.title } }));
  }

  titled(title) {
    // eslint-disable-next-line no-control-regex -- a program may put anything into its title
    this.shellTitle = title.replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, "").slice(0, LONGEST_TITLE);
    this.named();
  }

  named() {
    this.screen?.terminal.textarea?.setAttribute("aria-label", t.terminal.label(this.title));
    this.dispatchEvent(new CustomEvent("kp-terminal-title", { bubbles: true, detail: { title: this.title } }));
  }

  // --- keys and tools ---------------------------------------------------------------------------

  focus() {
    this.wantsFocus = true;
    this.screen?.terminal.focus();
  }

  /** Returns false for keys that are ours and not the shell's. */
  key(event) {
    if (event.type !== "keydown") return true;
    const press = pressOf(event);
    if (LEFT_TO_OTHERS.has(press)) return false;
    const work = KEYS[press];
    if (!work) return true;
    event.preventDefault();
    work(this);
    return false;
  }

  /** Returns what a kind of copying takes: selection, plain, output, all. */
  textOf(what) {
    const { terminal } = this.screen;
    if (what === "selection") return terminal.getSelection();
    if (what === "plain") return this.marks.selection();
    if (what === "output") return this.marks.lastOutput() ?? "";
    return this.marks.text(0, terminal.buffer.active.length).trimEnd();
  }

  async copy(what) {
    const text = this.textOf(what);
    if (!text) return this.fade({ name: "words", text: what === "output" ? t.terminal.noOutput : t.terminal.nothingToCopy });
    try {
      await navigator.clipboard.writeText(text);
      return this.fade({ name: "words", text: t.terminal.copied });
    } catch {
      return this.fade({ name: "words", text: t.terminal.notAllowed });
    }
  }

  async paste() {
    try {
      this.screen.terminal.paste(await navigator.clipboard.readText());
      this.focus();
    } catch {
      this.fade({ name: "words", text: t.terminal.notAllowed });
    }
  }

  clear() {
    this.screen.terminal.clear();
    this.focus();
  }

  async find(on) {
    this.finding = on;
    await this.updateComplete;
    if (on) this.querySelector(".kp-term-find input").select();
    else {
      this.screen.search?.clearDecorations();
      this.focus();
    }
  }

  async seek(step, event) {
    const search = await this.screen.searching();
    const text = this.querySelector(".kp-term-find input").value;
    const decorations = { matchBackground: "#c8a94a", activeMatchBackground: "#e07b39", matchOverviewRuler: "#c8a94a", activeMatchColorOverviewRuler: "#e07b39" };
    this.listening ??= search.onDidChangeResults((result) => (this.found = result));
    const options = { decorations, incremental: event?.type === "input" };
    if (step < 0) search.findPrevious(text, options);
    else search.findNext(text, options);
    if (!text) this.found = null;
  }

  // --- markup -----------------------------------------------------------------------------------

  render() {
    return html`<div class="kp-term" data-state=${this.note?.name ?? "open"}>
      <div class="kp-term-body"><div class="kp-term-gutter"></div><div class="kp-term-screen"></div></div>
      ${this.finding ? this.findBar() : nothing}
      <div class="kp-term-notes">${this.note ? noteBar(this) : nothing}</div>
    </div>`;
  }

  findBar() {
    const { found } = this;
    const count = !found ? "" : found.resultCount ? t.terminal.matches(found.resultIndex + 1, found.resultCount) : t.terminal.findNone;
    return html`<div class="kp-term-find" role="search" aria-label=${t.terminal.findLabel} @keydown=${this.findKeys}>
      <input type="search" aria-label=${t.terminal.findLabel} placeholder=${t.terminal.find} spellcheck="false" @input=${(event) => this.seek(1, event)} />
      <span class="kp-muted" role="status">${count}</span>
      <button type="button" class="kp-icon" aria-label=${t.terminal.findPrevious} title=${t.terminal.findPrevious} @click=${() => this.seek(-1)}>↑</button>
      <button type="button" class="kp-icon" aria-label=${t.terminal.findNext} title=${t.terminal.findNext} @click=${() => this.seek(1)}>↓</button>
      <button type="button" class="kp-icon" aria-label=${t.terminal.close} title=${t.terminal.close} @click=${() => this.find(false)}>×</button>
    </div>`;
  }

  findKeys(event) {
    if (event.key === "Escape") this.find(false);
    else if (event.key === "Enter") this.seek(event.shiftKey ? -1 : 1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

/** Goes to an object's page as it is now, which is what terminals tell of; with a modifier in another tab. */
function follow(href, event) {
  if (event.ctrlKey || event.metaKey) window.open(href, "_blank", "noopener");
  else visit(href, { live: true });
}

customElements.define("kp-terminal", KpTerminal);
