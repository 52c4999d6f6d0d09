// The page of terminals: tabs, each a panel of up to four. What is open stands in the address:
// ?tabs=ID,ID~ID&tab=1 are two tabs, the first with two terminals, the second shown.
import { html, LitElement } from "lit";
import { repeat } from "lit/directives/repeat.js";

import { t } from "../texts.js";
import { flushState, readState, writeState } from "../url.js";
import "./kp-terminals.js";

const MOST = 8;
let numbers = 0;

class TerminalPage extends LitElement {
  static properties = { cluster: {}, tabs: { state: true }, active: { state: true } };

  constructor() {
    super();
    this.tabs = [];
  }

  createRenderRoot() {
    return this;
  }

  connectedCallback() {
    super.connectedCallback();
    if (this.tabs.length) return;
    const { tabs = "", tab = "0", pod, ns, container, node } = readState();
    this.tabs = tabs ? tabs.split("~").slice(0, MOST).map((ids) => this.tab({ ids })) : [this.tab(pod ? { kind: "pod", pod, ns, container } : node ? { kind: "node", node } : {})];
    this.active = (this.tabs[Number(tab)] ?? this.tabs[0]).key;
    // One comes here to type.
    this.updateComplete.then(() => this.panel(this.active)?.focusPanel());
  }

  tab(params) {
    numbers += 1;
    return { key: `tab-${numbers}`, params, title: t.terminal.name };
  }

  panel(key) {
    return this.querySelector(`#panel-${key} kp-terminals`);
  }

  async add() {
    if (this.tabs.length >= MOST) return;
    const tab = this.tab({});
    this.tabs = [...this.tabs, tab];
    await this.show(tab.key);
  }

  async show(key, focus = true) {
    this.active = key;
    this.write();
    await this.updateComplete;
    if (focus) this.panel(key)?.focusPanel();
  }

  async close(key, { ended = false } = {}) {
    if (!ended) this.panel(key)?.closing();
    const at = this.tabs.findIndex((tab) => tab.key === key);
    this.tabs = this.tabs.filter((tab) => tab.key !== key);
    this.write();
    const next = this.tabs[at] ?? this.tabs.at(-1);
    if (next) await this.show(this.active === key ? next.key : this.active);
    else {
      await this.updateComplete;
      this.querySelector("[data-new]")?.focus();
    }
  }

  change(key, changes) {
    this.tabs = this.tabs.map((tab) => (tab.key === key ? { ...tab, ...changes } : tab));
    this.write();
  }

  write() {
    const ids = this.tabs.map((tab) => tab.params.ids ?? "");
    const at = this.tabs.findIndex((tab) => tab.key === this.active);
    writeState({ tabs: ids.some(Boolean) ? ids.join("~") : "", tab: at > 0 ? String(at) : "", pod: "", container: "", node: "" });
    flushState();
  }

  render() {
    const texts = t.terminal;
    return html`<div class="kp-term-page">
      <div class="kp-term-tabbar">
        ${this.tabs.length ? html`<div class="kp-term-tabs" role="tablist" aria-label=${texts.tabs} @keydown=${this.keys}>${this.tabs.map((tab) => this.head(tab))}</div>` : html`<p class="kp-muted">${texts.none}</p>`}
        <button type="button" class="kp-button" data-new ?disabled=${this.tabs.length >= MOST} @click=${this.add}>${texts.open}</button>
      </div>
      ${repeat(
        this.tabs,
        (tab) => tab.key,
        (tab) => html`<div class="kp-term-tabpanel" role="tabpanel" id=${`panel-${tab.key}`} aria-labelledby=${`head-${tab.key}`} ?hidden=${tab.key !== this.active}
          @kp-panel-title=${({ detail }) => this.change(tab.key, { title: detail.title, state: detail.state })}
          @kp-panel-params=${({ detail }) => this.change(tab.key, { params: { ...tab.params, ...detail.params } })}
          @kp-panel-close=${() => this.close(tab.key, { ended: true })}
        >${this.content(tab)}</div>`,
      )}
    </div>`;
  }

  /** The panel itself is made once: its attributes say how it begins, later it knows better. */
  content(tab) {
    if (!tab.element) {
      tab.element = document.createElement("kp-terminals");
      tab.element.setAttribute("cluster", this.cluster);
      for (const [name, value] of Object.entries(tab.params)) if (value) tab.element.setAttribute(name, value);
    }
    return tab.element;
  }

  head(tab) {
    const shown = tab.key === this.active;
    return html`<div role="tab" class="kp-term-tab" id=${`head-${tab.key}`} aria-controls=${`panel-${tab.key}`} aria-selected=${shown} tabindex=${shown ? 0 : -1} data-state=${tab.state ?? ""} title=${tab.title} @click=${() => this.show(tab.key)}>
      <span>${tab.title}</span><span class="kp-dock-close" aria-hidden="true" title=${t.dock.closeTab(tab.title)} @click=${(event) => {
        event.stopPropagation();
        this.close(tab.key);
      }}>×</span>
    </div>`;
  }

  async keys(event) {
    const at = this.tabs.findIndex((tab) => tab.key === this.active);
    const steps = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: this.tabs.length - 1 };
    if (event.key in steps) {
      const next = this.tabs[(steps[event.key] + this.tabs.length) % this.tabs.length];
      await this.show(next.key, false);
      this.querySelector(`#head-${next.key}`)?.focus();
    } else if (event.key === "Enter" || event.key === " ") this.show(this.active);
    else if (event.key === "Delete") this.close(this.active);
    else return;
    event.preventDefault();
  }
}

customElements.define("kp-terminal-page", TerminalPage);
