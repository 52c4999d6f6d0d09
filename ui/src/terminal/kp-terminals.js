// A panel of up to four terminals side by side, with the tools for the one that has the focus.
//
// Attributes: cluster; ids (of shells to come back to, by commas); kind, ns, pod, container, node for
// the first one. It keeps the promises of a panel of the dock (dock/panels.js).
import { html, LitElement, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";

import { t } from "../texts.js";
import * as api from "./api.js";
import "./kp-player.js";
import "./kp-terminal.js";
import { preferences } from "./screen.js";

const MOST = 4;
const icon = (path) => html`<svg viewBox="0 0 20 20" width="16" height="16" aria-hidden="true"><path d=${path} /></svg>`;
const ICONS = {
  split: "M3 4h14v12H3zM10 4v12",
  find: "M8.5 3.5a5 5 0 1 0 0 10 5 5 0 1 0 0-10M12.3 12.3 17 17",
  copy: "M7 7h9v9H7zM4 13V4h9",
  record: "M10 5a5 5 0 1 0 0 10 5 5 0 1 0 0-10",
  more: "M4.5 10h.01M10 10h.01M15.5 10h.01",
};

let numbers = 0;

export class KpTerminals extends LitElement {
  static properties = { cluster: {}, panes: { state: true }, active: { state: true }, replaying: { state: true } };

  constructor() {
    super();
    this.panes = [];
    this.active = null;
    this.onShut = (event) => {
      const menu = this.querySelector(".kp-term-menu[open]");
      if (menu && !menu.contains(event.target)) menu.open = false;
    };
    this.onPast = () => this.requestUpdate();
  }

  createRenderRoot() {
    return this;
  }

  connectedCallback() {
    super.connectedCallback();
    document.addEventListener("pointerdown", this.onShut);
    window.addEventListener("kp-address", this.onPast);
    window.addEventListener("kp-page", this.onPast);
    if (this.panes.length) return;
    const ids = (this.getAttribute("ids") ?? "").split(",").filter(Boolean).slice(0, MOST);
    this.panes = ids.length ? ids.map((id) => this.pane(id)) : [this.pane(null)];
    this.active = this.panes[0].key;
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    document.removeEventListener("pointerdown", this.onShut);
    window.removeEventListener("kp-address", this.onPast);
    window.removeEventListener("kp-page", this.onPast);
  }

  pane(id) {
    numbers += 1;
    return { key: `pane-${numbers}`, id };
  }

  get terminals() {
    return [...this.querySelectorAll("kp-terminal")];
  }

  /** The terminal that the tools are for. */
  get current() {
    return this.terminals.find((one) => one.dataset.key === this.active) ?? this.terminals[0];
  }

  // --- a panel's promises -------------------------------------------------------------------------

  async focusPanel() {
    await this.updateComplete;
    this.current?.focus();
  }

  closing() {
    for (const terminal of this.terminals) terminal.end();
  }

  announce(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { bubbles: true, detail }));
  }

  remember() {
    this.announce("kp-panel-params", { params: { ids: this.panes.map((pane) => pane.id).filter(Boolean).join(",") } });
  }

  named() {
    const [first, ...others] = this.terminals;
    if (!first) return;
    const title = others.length ? `${first.title} +${others.length}` : first.title;
    this.announce("kp-panel-title", { title, state: this.terminals.some((one) => one.recording) ? "recording" : undefined });
    this.requestUpdate();
  }

  // --- panes ----------------------------------------------------------------------------------------

  opened(key, { id }) {
    this.panes = this.panes.map((pane) => (pane.key === key ? { ...pane, id } : pane));
    this.remember();
    this.named();
  }

  async split() {
    if (this.panes.length >= MOST) return;
    const pane = this.pane(null);
    this.panes = [...this.panes, pane];
    this.active = pane.key;
    await this.focusPanel();
    this.named();
  }

  async close(key) {
    const terminal = this.terminals.find((one) => one.dataset.key === key);
    terminal?.end();
    if (this.panes.length === 1) {
      this.announce("kp-panel-close");
      return;
    }
    this.panes = this.panes.filter((pane) => pane.key !== key);
    this.active = this.panes[0].key;
    this.remember();
    await this.focusPanel();
    this.named();
  }

  // --- tools ----------------------------------------------------------------------------------------

  async record() {
    const terminal = this.current;
    if (!terminal?.session) return;
    try {
      const on = !terminal.recording; // the stream tells of it too, maybe before the answer
      await api.record(this.cluster, terminal.session, on);
      terminal.recorded(on);
      this.requestUpdate();
    } catch (error) {
      terminal.fade({ name: "words", text: error.message });
    }
  }

  async replay() {
    try {
      this.show(await api.recording(this.cluster, this.current.session));
    } catch (error) {
      this.current.fade({ name: "words", text: error.message });
    }
  }

  async replayFile(event) {
    const [file] = event.target.files;
    event.target.value = "";
    if (file) this.show(await file.text());
  }

  show(text) {
    this.replaying = text;
  }

  async choose(work) {
    const menu = this.querySelector(".kp-term-menu");
    menu.open = false;
    await work();
  }

  // --- markup ---------------------------------------------------------------------------------------

  render() {
    const wish = Object.fromEntries(["kind", "ns", "pod", "container", "node"].map((name) => [name, this.getAttribute(name)]));
    const of = (name) => wish[name] ?? nothing;
    return html`<div class="kp-terms" @kp-terminal-leave=${this.leave}>
      ${this.tools()}
      <div class="kp-term-panes" data-count=${this.panes.length}>
        ${repeat(
          this.panes,
          (pane) => pane.key,
          (pane) => html`<div class="kp-term-pane" data-active=${this.panes.length > 1 && pane.key === this.active} @focusin=${() => (this.active = pane.key)}>
            ${this.panes.length > 1 ? this.paneHead(pane) : nothing}
            <kp-terminal
              data-key=${pane.key}
              cluster=${this.cluster}
              session=${pane.id ?? nothing}
              kind=${of("kind")} ns=${of("ns")} pod=${of("pod")} container=${of("container")} node=${of("node")}
              @kp-terminal=${({ detail }) => this.opened(pane.key, detail)}
              @kp-terminal-title=${() => this.named()}
              @kp-terminal-over=${() => this.named()}
            ></kp-terminal>
          </div>`,
        )}
      </div>
      ${this.replaying ? html`<kp-player .text=${this.replaying} @kp-player-close=${() => this.shutPlayer()}></kp-player>` : nothing}
    </div>`;
  }

  shutPlayer() {
    this.replaying = null;
    this.focusPanel();
  }

  leave() {
    this.querySelector(".kp-term-tools button")?.focus();
  }

  paneHead(pane) {
    const terminal = this.terminals.find((one) => one.dataset.key === pane.key);
    const title = terminal?.title ?? this.cluster;
    return html`<div class="kp-term-head"><span>${title}</span><button type="button" class="kp-icon" aria-label=${t.terminal.closePane(title)} title=${t.terminal.closePane(title)} @click=${() => this.close(pane.key)}>×</button></div>`;
  }

  tools() {
    const texts = t.terminal;
    const recording = Boolean(this.current?.recording);
    const full = this.panes.length >= MOST;
    const past = new URLSearchParams(location.search).has("rev");
    return html`<div class="kp-term-tools" role="toolbar" aria-orientation="vertical" aria-label=${texts.toolbar} @keydown=${arrows}>
      ${past ? html`<span class="kp-term-live" title=${texts.liveHint}>${texts.live}</span>` : nothing}
      <button type="button" class="kp-icon" data-tool="split" ?disabled=${full} aria-label=${texts.split} title=${full ? texts.splitLimit(MOST) : texts.splitHint} @click=${this.split}>${icon(ICONS.split)}</button>
      <button type="button" class="kp-icon" data-tool="find" aria-label=${texts.find} title=${`${texts.find} (Ctrl+Shift+F)`} @click=${() => this.current?.find(true)}>${icon(ICONS.find)}</button>
      <button type="button" class="kp-icon" data-tool="copy" aria-label=${texts.copyPlain} title=${texts.copyPlain} @click=${() => this.current?.copy("plain")}>${icon(ICONS.copy)}</button>
      <button type="button" class="kp-icon" data-tool="record" data-on=${recording} aria-pressed=${recording} aria-label=${recording ? texts.stopRecording : texts.record} title=${recording ? texts.stopRecording : texts.record} @click=${this.record}>${icon(ICONS.record)}</button>
      ${this.menu()}
    </div>`;
  }

  menu() {
    const texts = t.terminal;
    const item = (text, name, work, extra = nothing) => html`<button type="button" role="menuitem" data-tool=${name} @click=${() => this.choose(work)}>${text}${extra}</button>`;
    const href = this.current?.session ? api.recordingUrl(this.cluster, this.current.session) : null;
    return html`<details class="kp-term-menu" @keydown=${this.menuKeys}>
      <summary class="kp-icon" aria-label=${texts.more} title=${texts.more} data-tool="more">${icon(ICONS.more)}</summary>
      <div class="kp-term-items" role="menu" aria-label=${texts.more}>
        ${item(texts.copyOutput, "copy-output", () => this.current.copy("output"))}
        ${item(texts.copyAll, "copy-all", () => this.current.copy("all"))}
        ${item(texts.paste, "paste", () => this.current.paste())}
        ${item(texts.clear, "clear", () => this.current.clear())}
        <hr />
        ${item(texts.previousCommand, "previous", () => this.current.marks.jump(-1), html` <kbd>Ctrl+Shift+↑</kbd>`)}
        ${item(texts.nextCommand, "next", () => this.current.marks.jump(1), html` <kbd>Ctrl+Shift+↓</kbd>`)}
        <hr />
        ${item(texts.larger, "larger", () => (preferences.size += 1))}
        ${item(texts.smaller, "smaller", () => (preferences.size -= 1))}
        <button type="button" role="menuitemcheckbox" aria-checked=${preferences.screenReader} data-tool="reader" @click=${() => this.choose(() => this.readable())}>${texts.screenReader}</button>
        <hr />
        ${href ? html`<a role="menuitem" data-tool="download" data-full href=${href} download>${texts.download}</a>` : nothing}
        ${item(texts.replay, "replay", () => this.replay())}
        ${item(texts.replayFile, "replay-file", () => this.querySelector(".kp-term-file").click())}
      </div>
      <input class="kp-term-file" type="file" accept=".cast,.json,application/x-asciicast" hidden @change=${this.replayFile} aria-label=${texts.replayFile} />
    </details>`;
  }

  readable() {
    preferences.screenReader = !preferences.screenReader;
    this.requestUpdate();
  }

  menuKeys(event) {
    const menu = event.currentTarget;
    if (event.key === "Escape" && menu.open) {
      menu.open = false;
      menu.querySelector("summary").focus();
    } else if (menu.open && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      const items = [...menu.querySelectorAll('[role^="menuitem"]')];
      const at = items.indexOf(document.activeElement);
      items.at(event.key === "ArrowDown" ? (at + 1) % items.length : at <= 0 ? -1 : at - 1).focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

/** Up and down go from tool to tool. */
function arrows(event) {
  const step = event.target.closest(".kp-term-items") ? 0 : { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  const tools = [...event.currentTarget.querySelectorAll(":scope > button:not([disabled]), summary")];
  const at = tools.indexOf(document.activeElement);
  if (at < 0) return;
  tools.at((at + step + tools.length) % tools.length).focus();
  event.preventDefault();
  event.stopPropagation();
}

customElements.define("kp-terminals", KpTerminals);
