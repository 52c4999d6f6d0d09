// The dock at the bottom of a cluster's pages: panels in tabs that outlive the page above them.
import { html, LitElement, nothing } from "lit";

import { bind } from "../keys.js";
import { ofBrowser } from "../storage.js";
import { t } from "../texts.js";
import { readState, writeState } from "../url.js";
import { read, written } from "./address.js";
import { Height } from "./height.js";
import { PANELS, panelNamed } from "./panels.js";
import { beside, changed, closed, keep, opened, recalled } from "./tabs.js";

const icon = (path) => html`<svg viewBox="0 0 20 20" width="16" height="16" aria-hidden="true"><path d=${path} /></svg>`;
const ICONS = { grow: "M4 12l6-6 6 6", shrink: "M4 8l6 6 6-6", shut: "M4 15h12", open: "M4 12l6-6 6 6" };

class Dock extends LitElement {
  static properties = { cluster: {}, state: { attribute: false }, past: { state: true } };

  constructor() {
    super();
    this.state = { tabs: [], active: null, open: false };
    this.height = new Height(this);
    this.hosts = new Map(); // tab id -> the element that holds its panel
    this.onOpen = (event) => this.openPanel(event.detail);
    // Panels are of the present always: above a page of the past their tabs say so.
    this.onPage = () => {
      this.past = document.querySelector("kp-past") !== null;
      this.onAddress();
    };
    // A page that writes its address anew does not know of the dock.
    this.onAddress = () => (readState().dock ?? "") !== this.address && this.tell();
  }

  createRenderRoot() {
    return this;
  }

  connectedCallback() {
    super.connectedCallback();
    this.state = recalled(ofBrowser(), this.cluster, panelNamed);
    this.follow(readState().dock);
    window.addEventListener("kp-dock-open", this.onOpen);
    window.addEventListener("kp-page", this.onPage);
    window.addEventListener("kp-address", this.onAddress);
    this.onPage();
    this.height.start();
    this.unbind = bind(Object.fromEntries(PANELS.filter((panel) => panel.button).map((panel) => [`dock.${panel.name}`, () => this.pressed(panel)])));
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.unbind();
    window.removeEventListener("kp-dock-open", this.onOpen);
    window.removeEventListener("kp-page", this.onPage);
    window.removeEventListener("kp-address", this.onAddress);
    this.height.stop();
  }

  change(state) {
    this.state = state;
    keep(ofBrowser(), this.cluster, state);
    this.tell();
  }

  /** Puts the open panel into the address, of whichever page stands above it. */
  tell() {
    writeState({ dock: this.address });
  }

  get address() {
    const { open, active, tabs } = this.state;
    const tab = open && tabs.find((one) => one.id === active);
    return tab && panelNamed(tab.panel).linked ? written(tab) : "";
  }

  /** Opens the panel that an address names. */
  follow(text) {
    const { panel, params } = read(text ?? "");
    if (!panelNamed(panel)?.linked) return;
    const state = opened(this.state, panel, params, { view: panelNamed(panel).view });
    this.state = changed(state, state.active, { params });
    keep(ofBrowser(), this.cluster, this.state);
  }

  openPanel({ name, params, focus = true, many = false }) {
    const panel = panelNamed(name);
    if (!panel) return;
    this.change(opened(this.state, name, params, { many, view: panel.view }));
    if (focus) this.focusSoon();
  }

  /** The button of a panel: another one of those that may be many, else the one there is. */
  pressed(panel) {
    const there = !panel.many && this.state.tabs.find((tab) => tab.panel === panel.name);
    if (there && there.id === this.state.active && this.state.open) this.toggle();
    else if (there) this.choose(there.id);
    else this.openPanel({ name: panel.name, params: {}, many: panel.many });
  }

  choose(id, focus = true) {
    this.change({ ...this.state, active: id, open: true });
    if (focus) this.focusSoon();
  }

  toggle(open = !this.state.open) {
    // An empty dock is opened for the reason for which most open one.
    if (open && !this.state.tabs.length) return this.openPanel({ name: "terminal", params: {}, many: true });
    this.change({ ...this.state, open: open && this.state.tabs.length > 0 });
    if (this.state.open) this.focusSoon();
    else if (this.contains(document.activeElement)) document.getElementById("main")?.focus({ preventScroll: true });
    return undefined;
  }

  /** Moves the focus from the page into the dock, or back. */
  swapFocus() {
    if (this.contains(document.activeElement)) document.getElementById("main")?.focus({ preventScroll: true });
    else if (this.state.tabs.length) this.toggle(true);
    else this.querySelector("button")?.focus();
  }

  close(id) {
    this.panelOf(id)?.closing?.();
    this.change(closed(this.state, id));
    this.updateComplete.then(() => (this.querySelector('[role="tab"][tabindex="0"]') ?? this.querySelector(".kp-dock-bar button"))?.focus());
  }

  panelOf(id) {
    return this.hosts.get(id)?.firstElementChild;
  }

  /** Moves the focus into the panel, once it is there; who has chosen within the dock meanwhile stays. */
  async focusSoon() {
    const before = document.activeElement;
    await this.updateComplete;
    await this.hosts.get(this.state.active)?.ready;
    if (document.activeElement !== before && this.contains(document.activeElement)) return;
    const panel = this.panelOf(this.state.active);
    if (panel?.focusPanel) panel.focusPanel();
    else this.hosts.get(this.state.active)?.focus();
  }

  // --- panels ---------------------------------------------------------------------------------

  updated() {
    const box = this.querySelector(".kp-dock-panels");
    for (const tab of this.state.tabs) {
      if (!this.hosts.has(tab.id)) this.hosts.set(tab.id, this.host(tab, box));
      this.hosts.get(tab.id).hidden = tab.id !== this.state.active;
    }
    for (const [id, host] of this.hosts) {
      if (this.state.tabs.some((tab) => tab.id === id)) continue;
      host.remove();
      this.hosts.delete(id);
    }
    this.height.apply();
  }

  /** Makes the element that holds a panel, and loads what defines it. */
  host(tab, box) {
    const host = document.createElement("div");
    host.className = "kp-dock-panel";
    host.id = `dock-${tab.id}`;
    host.tabIndex = -1;
    host.setAttribute("role", "tabpanel");
    host.setAttribute("aria-labelledby", `dock-tab-${tab.id}`);
    host.addEventListener("kp-panel-title", ({ detail }) => this.change(changed(this.state, tab.id, detail)));
    host.addEventListener("kp-panel-params", ({ detail }) => {
      const now = this.state.tabs.find((one) => one.id === tab.id);
      if (now) this.change(changed(this.state, tab.id, { params: { ...now.params, ...detail.params } }));
    });
    host.addEventListener("kp-panel-close", () => this.close(tab.id));
    box.append(host);
    host.ready = this.fill(host, tab);
    return host;
  }

  async fill(host, tab) {
    const panel = panelNamed(tab.panel);
    try {
      await panel.load();
    } catch {
      this.explain(host, tab, panel);
      return;
    }
    const element = document.createElement(panel.tag);
    element.setAttribute("cluster", this.cluster);
    for (const [name, value] of Object.entries(tab.params)) element.setAttribute(name, value);
    host.replaceChildren(element);
  }

  explain(host, tab, panel) {
    const line = document.createElement("p");
    line.className = "kp-note kp-bad";
    line.setAttribute("role", "alert");
    line.textContent = `${t.dock.loadFailed(panel.title(tab.params))} `;
    const again = document.createElement("button");
    again.type = "button";
    again.className = "kp-link";
    again.textContent = t.frame.tryAgain;
    again.addEventListener("click", () => (host.ready = this.fill(host, tab)));
    line.append(again);
    host.replaceChildren(line);
  }

  // --- markup ---------------------------------------------------------------------------------

  render() {
    const { open } = this.state;
    return html`<section class="kp-dock" aria-label=${t.dock.label} data-open=${open}>
      ${this.height.separator(open)}
      <div class="kp-dock-bar">
        <div class="kp-dock-buttons">
          ${PANELS.filter((panel) => panel.button).map((panel) => html`<button type="button" class="kp-dock-button" data-opens=${panel.name} @click=${() => this.pressed(panel)}>${icon(panel.icon)}<span>${panel.button}</span></button>`)}
        </div>
        ${this.tabs()}
        <div class="kp-grow"></div>
        ${open ? this.button(this.height.grown ? t.dock.shrink : t.dock.grow, this.height.grown ? ICONS.shrink : ICONS.grow, () => this.height.grow(), "grow") : nothing}
        ${this.state.tabs.length ? this.button(open ? t.dock.shut : t.dock.open, open ? ICONS.shut : ICONS.open, () => this.toggle(), "toggle") : nothing}
      </div>
      <div class="kp-dock-panels" id="dock-panels" ?hidden=${!open}></div>
    </section>`;
  }

  button(label, path, work, name) {
    return html`<button type="button" class="kp-icon" data-dock=${name} aria-label=${label} title=${label} @click=${work}>${icon(path)}</button>`;
  }

  tabs() {
    const { tabs, active } = this.state;
    if (!tabs.length) return nothing;
    return html`<div class="kp-dock-tabs" role="tablist" aria-label=${t.dock.tabs} @keydown=${this.tabKeys}>
      ${tabs.map((tab) => {
        const title = tab.title ?? panelNamed(tab.panel).title(tab.params);
        return html`<div
          role="tab"
          class="kp-dock-tab"
          id=${`dock-tab-${tab.id}`}
          aria-controls=${this.hosts.has(tab.id) ? `dock-${tab.id}` : nothing}
          aria-selected=${tab.id === active}
          tabindex=${tab.id === active ? 0 : -1}
          data-state=${tab.state ?? nothing}
          title=${title}
          @click=${() => this.choose(tab.id)}
          @auxclick=${(event) => event.button === 1 && this.close(tab.id)}
        >${icon(panelNamed(tab.panel).icon)}<span>${title}</span>${this.past ? html`<span class="kp-dock-live">${t.dock.live}</span>` : nothing}<span class="kp-dock-close" aria-hidden="true" title=${t.dock.closeTab(title)} @click=${(event) => {
          event.stopPropagation();
          this.close(tab.id);
        }}>×</span></div>`;
      })}
    </div>`;
  }

  async tabKeys(event) {
    const steps = { ArrowRight: 1, ArrowLeft: -1 };
    const { tabs, active } = this.state;
    if (event.key in steps) this.choose(beside(this.state, steps[event.key]), false);
    else if (event.key === "Home") this.choose(tabs[0].id, false);
    else if (event.key === "End") this.choose(tabs.at(-1).id, false);
    else if (event.key === "Enter" || event.key === " ") this.choose(active);
    else if (event.key === "Delete") this.close(active);
    else return;
    event.preventDefault();
    event.stopPropagation();
    if (!(event.key in steps) && event.key !== "Home" && event.key !== "End") return;
    await this.updateComplete;
    this.querySelector('[role="tab"][tabindex="0"]')?.focus();
  }
}

customElements.define("kp-dock", Dock);
