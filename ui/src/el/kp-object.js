// The live part of an object's page: follows the object, shows its tab anew, says when it is gone, and offers actions.
import { html, LitElement, nothing } from "lit";

import { age } from "../age.js";
import { get } from "../api.js";
import { clusterNow } from "../clock.js";
import { openShell } from "../dock/open.js";
import { editorOf } from "../editor/address.js";
import { fill, fragment } from "../fragment.js";
import { bind } from "../keys.js";
import { News } from "../news.js";
import { visit } from "../router.js";
import { Stream } from "../stream.js";
import { t } from "../texts.js";
import { closeOnEscape, closeWhenLeft } from "../list/drop.js";
import { readState } from "../url.js";
import "./kp-action.js";
import { connection, freshness, live, refused } from "./kp-freshness.js";

// A pod that starts changes five times in a second: one look at the end is enough.
const SOON = 400;
const AGES_EVERY = 5000;
// Tabs that stream by themselves, or that a reader scrolls through.
const STILL = new Set(["logs", "history"]);
const UNFINISHED = ["bad", "waiting"].map((stands) => `#object-tab [data-stands=${stands}]`).join();

const isBusy = (host) => host.contains(document.activeElement) || !getSelection().isCollapsed || host.querySelector("details[open]") !== null;

async function bringAgain(host) {
  const { href } = location;
  const response = await fragment(href);
  const text = response?.ok ? await response.text() : "";
  if (text && location.href === href && host.isConnected && !isBusy(host)) fill(host, text);
}

class ObjectPage extends LitElement {
  static properties = {
    cluster: {}, group: {}, version: {}, plural: {}, kind: {}, namespaced: { type: Boolean }, ns: {}, name: {}, uid: {}, path: {}, rev: {}, missing: { type: Boolean }, containers: {}, owner: {},
    actions: { state: true }, shellRight: { state: true }, unwatched: { state: true },
  };

  constructor() {
    super();
    this.actions = [];
    this.shellRight = { allowed: true, reason: "" }; // until it is known
    this.unwatched = "";
    this.seen = 0;
    this.looked = 0; // where the cluster was when the tab was read because of others
    this.gone = false;
  }

  createRenderRoot() {
    return this;
  }

  connectedCallback() {
    super.connectedCallback();
    const tab = (name) => () => {
      const { ns } = readState();
      const query = new URLSearchParams({ tab: name, ...(ns && { ns }), ...(this.rev && { rev: this.rev }) });
      visit(`${location.pathname}?${query}`);
    };
    this.unbind = bind({
      "objects.describe": tab("summary"),
      "objects.yaml": tab("yaml"),
      "objects.edit": { when: () => !this.missing, run: () => visit(this.editor, { live: true }) },
      "objects.events": tab("events"),
      "objects.owner": () => (this.owner ? visit(this.owner) : tab("relations")()),
      "objects.shell": { when: () => this.hasShell, run: () => this.shell() },
      "objects.users": tab("relations"),
      "objects.logs": { when: () => document.querySelector("[data-tab=logs]") !== null, run: tab("logs") },
      "objects.delete": () => this.act("delete"),
    });
    if (this.rev || this.missing) return;
    this.onTime = () => grow(document.getElementById("object-tab"));
    window.addEventListener("kp-time", this.onTime);
    this.ages = setInterval(this.onTime, AGES_EVERY);
    this.looking = new MutationObserver(() => {
      this.requestUpdate();
      this.lookAround();
    });
    this.looking.observe(document.getElementById("object-tab"), { childList: true });
    this.loadActions();
    this.open();
    this.lookAround();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.unbind();
    this.stream?.stop();
    this.news?.stop();
    this.news = null;
    this.looking?.disconnect();
    clearTimeout(this.soon);
    clearInterval(this.ages);
    window.removeEventListener("kp-time", this.onTime);
  }

  open() {
    const query = new URLSearchParams({ path: this.path, fields: `metadata.name=${this.name}` });
    this.stream = new Stream(`/ws/clusters/${this.cluster}/list/?${query}`, {
      hello: () => ({ rev: this.seen || null }),
      frame: (frame) => this.receive(frame),
      state: (state) => this.tell(state),
    });
    this.stream.start();
  }

  receive({ op, rev, ev, rows, code, text }) {
    if (rev) this.seen = rev;
    if (op === "batch") this.fold(ev);
    else if (op === "rows" && !rows.some(([uid]) => uid === this.uid)) this.vanish();
    if (op !== "error") this.live();
    else if (code === 403) this.unwatch(text);
  }

  /** Who may read an object without following it sees how it was. */
  unwatch(text) {
    this.stream.stop();
    this.unwatched = text;
    this.lookAround();
    refused(this.seen);
  }

  fold(events) {
    if (events.includes(this.uid)) this.vanish();
    else if (!this.gone && events.some((one) => one[0] === this.uid)) this.refresh();
  }

  live() {
    if (this.gone) freshness("ended", t.lastState);
    else live(this.seen, this.stream);
  }

  tell(state) {
    if (state.name === "beat") this.live();
    else connection(state, this.seen);
  }

  /**
   * Looks again as the cluster goes on, while the object is not as wanted: what is behind it changes without it.
   * A pod that cannot start is no change of its Deployment.
   */
  lookAround() {
    const wanted = !this.gone && !this.unwatched && document.querySelector(UNFINISHED) !== null;
    if (wanted === Boolean(this.news)) return;
    this.news?.stop();
    this.news = wanted ? new News(this.cluster, { read: (rev) => this.look(rev), newest: () => this.looked, tell: () => {} }) : null;
    this.news?.start();
  }

  async look(rev) {
    this.looked = rev;
    await this.show();
  }

  refresh() {
    clearTimeout(this.soon);
    this.soon = setTimeout(() => this.show(), SOON);
  }

  /** Brings the tab again, unless somebody reads or types in it, or has begun to while it was on its way. */
  async show() {
    const host = document.getElementById("object-tab");
    const tab = new URLSearchParams(location.search).get("tab") ?? "summary";
    if (tab === "logs" && host?.querySelector("kp-logs")) return this.followNew(host);
    if (!host || this.gone || STILL.has(tab) || isBusy(host)) return undefined;
    return bringAgain(host);
  }

  /** Pods come while one reads the logs of all of them: those are followed, too. */
  async followNew(host) {
    if (!this.group && this.plural === "pods") return;
    const response = await fragment(location.pathname + location.search);
    if (!response?.ok) return;
    const found = new DOMParser().parseFromString(await response.text(), "text/html").querySelector("kp-logs");
    const pods = found?.getAttribute("pods");
    if (pods) host.querySelector("kp-logs")?.join(pods.split(","), Number(found.getAttribute("total")));
  }

  /** Says what became of the object; what the page shows of it stays. */
  async vanish() {
    if (this.gone) return;
    this.gone = true;
    this.lookAround();
    this.actions = [];
    this.live();
    const response = await fragment(`${location.pathname}?gone=${encodeURIComponent(this.uid)}`);
    if (response?.ok) document.getElementById("object-banner")?.replaceChildren(document.createRange().createContextualFragment(await response.text()));
  }

  async loadActions() {
    const { group, version, plural } = this;
    const query = new URLSearchParams({ group, version, plural, namespace: this.ns, name: this.name });
    try {
      const { actions, shell } = await get(`/api/clusters/${this.cluster}/permissions?${query}`);
      this.actions = actions;
      this.shellRight = shell ?? this.shellRight;
    } catch {
      this.actions = []; // the page says what is wrong
    }
  }

  /** Pods and nodes have shells; those of a past revision, or of what is gone, have not. */
  get hasShell() {
    return !this.group && (this.plural === "pods" || this.plural === "nodes") && !this.rev && !this.missing && !this.gone;
  }

  shell(container = "") {
    if (this.shellRight.allowed) openShell(this.plural, this, container);
  }

  shellButton() {
    if (!this.hasShell) return nothing;
    const { allowed, reason } = this.shellRight;
    const names = (this.containers ?? "").split(",").filter(Boolean);
    if (names.length < 2 || !allowed) return html`<button type="button" class="kp-button" data-shell aria-disabled=${!allowed} title=${reason} @click=${() => this.shell()}>${t.objects.shell}</button>`;
    const open = (event, name) => {
      event.currentTarget.closest("details").open = false;
      this.shell(name);
    };
    return html`<details class="kp-drop" @focusout=${closeWhenLeft} @keydown=${closeOnEscape}>
      <summary class="kp-button" data-shell>${t.objects.shell}</summary>
      <div class="kp-drop-body kp-drop-left">${names.map((name) => html`<button type="button" class="kp-link" @click=${(event) => open(event, name)}>${name}</button>`)}</div>
    </details>`;
  }

  /** Where one writes: of the past, it is the text that one begins with in the present. */
  get editor() {
    return editorOf(this.cluster, this, this, { from: this.rev });
  }

  editButton() {
    if (this.rev) return html`<a class="kp-button" data-live href=${this.editor} title=${t.objects.putBackHow(this.rev)}>${t.objects.putBack}</a>`;
    return html`<a class="kp-button" href=${this.editor}>${t.objects.edit}</a>`;
  }

  /** The actions that would change something; the tab, which is read with each change, says which would not. */
  get offered() {
    const idle = document.querySelector("#object-tab > .kp-tab")?.dataset.idle?.split(" ") ?? [];
    return this.actions.filter(({ name }) => !idle.includes(name));
  }

  act(name) {
    const action = this.actions.find((one) => one.name === name);
    if (!action?.allowed) return;
    const { group, version, plural, kind, namespaced } = this;
    this.querySelector("kp-action").start(action, { group, version, plural, kind, namespaced }, [{ uid: this.uid, namespace: this.ns, name: this.name }]);
  }

  render() {
    return html`${this.unwatched
        ? html`<div class="kp-note kp-warn" role="status" data-notice="unwatched">
            <p>${t.objects.readOnce(this.kind)} <a href=${location.href}>${t.readAgain}</a></p>
            <pre class="kp-verbatim">${this.unwatched}</pre>
          </div>`
        : nothing}${this.missing
        ? nothing
        : html`<div class="kp-actions kp-object-actions" role="toolbar" aria-label=${t.objects.actions}>
            ${this.gone ? nothing : this.editButton()}${this.shellButton()}${this.offered.map(
              (one) => html`<button type="button" class="kp-button ${one.name === "delete" ? "kp-danger-line" : ""}" aria-disabled=${!one.allowed} title=${one.reason} @click=${() => this.act(one.name)}>${one.title}</button>`,
            )}
          </div>`}
      <kp-action cluster=${this.cluster}></kp-action>`;
  }
}

/** Tells the ages of what a tab shows anew: the cluster's time goes on, whether the object changes or not. */
function grow(tab) {
  const now = clusterNow();
  for (const time of tab?.querySelectorAll("time[datetime]") ?? []) {
    const text = age((now - Date.parse(time.dateTime)) / 1000);
    if (time.textContent !== text && /^[\dydhms]+$/.test(time.textContent)) time.textContent = text;
  }
}

customElements.define("kp-object", ObjectPage);
