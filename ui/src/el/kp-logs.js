// Follows logs of one pod or of many; keeps the last lines only, and the reader's place when they scroll up.
//
// With `address` what one chooses stands in the page's address; without, it is told by kp-log-options.
import { html, LitElement, nothing } from "lit";

import { copy } from "../copy.js";
import { logsCommand } from "../list/kubectl.js";
import { visible } from "../list/selection.js";
import { matches, pieces, search } from "../logs/buffer.js";
import { Following } from "../logs/following.js";
import { optionsOf, textsOf } from "../logs/options.js";
import { t } from "../texts.js";
import { flushState, readState, writeState } from "../url.js";

const ROW = 19;
const COLOURS = 8;
const MOST_NOTES = 4;
// Lines of different heights cannot be left out of the page: while they wrap, the last ones are shown.
const WRAPPED = 1500;
const SINCE = [["", () => t.logs.sinceAll], ["60", () => t.logs.sinceMinutes(1)], ["300", () => t.logs.sinceMinutes(5)], ["3600", () => t.logs.sinceHours(1)]];

class Logs extends LitElement {
  static properties = {
    src: {}, ns: {}, pod: {}, pods: {}, total: { type: Number }, containers: {}, container: {}, previous: { type: Boolean }, of: {},
    tick: { state: true },
  };

  constructor() {
    super();
    this.tick = 0;
    this.view = [];
    Object.assign(this, { follow: true, times: false, wrap: true, grep: "", only: false, since: "" });
  }

  createRenderRoot() {
    return this;
  }

  connectedCallback() {
    super.connectedCallback();
    // What was chosen a moment ago, of another pod, may be on its way into the address.
    if (this.hasAttribute("address")) flushState();
    Object.assign(this, optionsOf(this.hasAttribute("address") ? readState() : this.dataset));
    this.start();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.following.stop();
    cancelAnimationFrame(this.frame);
  }

  get names() {
    return this.pods ? this.pods.split(",") : [this.pod].filter(Boolean);
  }

  start() {
    this.following?.stop();
    const { src, previous = false, since } = this;
    this.following = new Following({ src, ns: this.ns ?? "", pods: this.names, container: this.container ?? "", previous, since }, () => this.changed());
    this.following.start();
    this.changed();
  }

  /** Follows the pods that have come since. */
  join(pods, total) {
    const more = pods.filter((name) => !this.names.includes(name));
    this.total = total;
    if (!more.length) return;
    this.pods = [...this.names, ...more].join(",");
    this.following.join(more);
  }

  changed() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.build();
    });
  }

  build() {
    const { find, bad, forever } = search(this.grep);
    const { all } = this.following.lines;
    Object.assign(this, { find, bad, forever });
    this.found = find ? all.filter((line) => matches(line.text, find)) : all;
    this.view = find && this.only ? this.found : all;
    this.tick += 1;
  }

  set(changes, { anew = false } = {}) {
    Object.assign(this, changes);
    this.keep();
    if (anew) this.start();
    else this.build();
  }

  /** Notes what is chosen where it outlives this element. */
  keep() {
    const texts = textsOf(this);
    if (this.hasAttribute("address")) writeState(texts);
    else this.dispatchEvent(new CustomEvent("kp-log-options", { bubbles: true, detail: texts }));
  }

  download() {
    const text = this.view.map(({ at, source, text: line }) => [this.many ? source : "", at, line].filter(Boolean).join(" ")).join("\n");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text, "\n"], { type: "text/plain" }));
    link.download = `${this.names.length > 1 ? this.ns : this.names[0]}.log`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  get command() {
    const { ns, names, of, previous, times, since } = this;
    const { chosen, containers, from } = this.following;
    return logsCommand({ ns, names, of, container: containers.length > 1 ? chosen : "", previous, times, since, from });
  }

  render() {
    return html`${this.bar()}${this.box()}<div class="kp-log-note">${this.notes()}<p class="kp-muted">${this.counts()}</p></div>
      <div class="kp-command kp-equivalent"><pre tabindex="0">${this.command.join("\n")}</pre><button type="button" class="kp-button" @click=${(event) => copy(this.command.join("\n"), event.target)}>${t.objects.copy}</button></div>`;
  }

  bar() {
    const { containers, chosen } = this.following;
    const check = (name, label, options) => html`<label class="kp-check"><input type="checkbox" .checked=${this[name]} @change=${(event) => this.set({ [name]: event.target.checked }, options)} />${label}</label>`;
    return html`<div class="kp-toolbar kp-log-bar">
      ${containers.length > 1
        ? html`<label class="kp-inline">${t.logs.container} <select @change=${(event) => this.set({ container: event.target.value }, { anew: true })}><option value="*" .selected=${chosen === "*"}>${t.logs.allContainers}</option>${containers.map(([name, kind]) => html`<option value=${name} .selected=${name === chosen}>${name}${kind === "main" ? "" : ` (${t.logs.kinds[kind]})`}</option>`)}</select></label>`
        : nothing}
      <div class="kp-inline"><label class="kp-inline">${t.logs.since} <select @change=${(event) => this.chooseSince(event.target.value)}>${SINCE.map(([value, text]) => html`<option value=${value} .selected=${value === this.since}>${text()}</option>`)}<option value="rev:" .selected=${this.since.startsWith("rev:")}>${t.logs.sinceRevision}</option></select></label>
      ${this.since.startsWith("rev:") ? html`<input class="kp-log-rev" type="number" min="1" inputmode="numeric" aria-label=${t.logs.sinceRevision} .value=${this.since.slice(4)} @change=${(event) => this.set({ since: `rev:${event.target.value}` }, { anew: true })} />` : nothing}</div>
      <label class="kp-inline kp-grow">${t.logs.grep} <input type="search" name="grep" autocomplete="off" spellcheck="false" placeholder=${t.logs.grepHint} .value=${this.grep} @input=${(event) => this.set({ grep: event.target.value })} /></label>
      ${this.grep ? check("only", t.logs.onlyMatches) : nothing}${check("previous", t.logs.previous, { anew: true })}${check("times", t.logs.timestamps)}${check("wrap", t.logs.wrap)}${check("follow", t.logs.follow)}
      <button type="button" class="kp-button" @click=${() => this.download()}>${t.logs.download}</button>
    </div>`;
  }

  box() {
    const { view } = this;
    const box = this.querySelector(".kp-log");
    const window_ = visible({ top: box?.scrollTop ?? 0, height: box?.clientHeight || 400, row: ROW, count: view.length, extra: 20 });
    const from = this.wrap ? Math.max(0, view.length - WRAPPED) : window_.first;
    const to = this.wrap ? view.length : window_.last;
    this.range = this.wrap ? { first: 0, after: 0 } : { first: from, after: Math.max(0, view.length - to) };
    return html`<div class="kp-log ${this.wrap ? "" : "kp-log-rows"}" role="log" tabindex="0" aria-label=${t.tabs.logs} @scroll=${() => this.scrolled()}><div class="kp-log-space">${view.slice(from, to).map((line) => this.line(line))}</div></div>`;
  }

  /** Lines have names where they come from more than one container. */
  get many() {
    return this.names.length > 1 || this.following.chosen === "*";
  }

  colour(source) {
    return [...this.following.lines.sources.keys()].indexOf(source) % COLOURS;
  }

  chooseSince(since) {
    this.set({ since }, { anew: since !== "rev:" });
    if (since === "rev:") this.updateComplete.then(() => this.querySelector(".kp-log-rev").focus());
  }

  line({ source, at, text }) {
    return html`<div class="kp-log-line">${this.many ? html`<b data-colour=${this.colour(source)}>${source}</b> ` : nothing}${this.times && at ? html`<time>${at}</time> ` : nothing}${pieces(text, this.find).map(([part, hit]) => (hit ? html`<mark>${part}</mark>` : part))}</div>`;
  }

  scrolled() {
    const box = this.querySelector(".kp-log");
    const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 24;
    // Whoever scrolls up reads; whoever is at the end follows.
    if (!this.moving && this.follow !== atEnd) {
      this.follow = atEnd;
      this.keep();
    }
    if (!this.wrap) this.changed();
    else this.requestUpdate();
  }

  updated() {
    const box = this.querySelector(".kp-log");
    const space = box.firstElementChild;
    space.style.paddingTop = `${this.range.first * ROW}px`;
    space.style.paddingBottom = `${this.range.after * ROW}px`;
    const note = this.querySelector(".kp-log-note");
    // In a low dock the notes scroll; by keys too, then.
    if (note.scrollHeight > note.clientHeight) note.tabIndex = 0;
    else note.removeAttribute("tabindex");
    if (this.follow) {
      this.moving = true;
      box.scrollTop = box.scrollHeight;
      requestAnimationFrame(() => (this.moving = false));
    }
  }

  notes() {
    const notes = [...this.following.notes.values()];
    if (this.bad) notes.unshift({ text: this.forever ? t.logs.forever(this.bad) : t.logs.badPattern(this.bad) });
    if (!notes.length) return nothing;
    return html`<ul class="kp-log-notes" role="status">${notes.slice(0, MOST_NOTES).map(({ text, verbatim }) => html`<li>${text}${verbatim ? html` <code>${verbatim}</code>` : nothing}</li>`)}${notes.length > MOST_NOTES ? html`<li class="kp-muted">${t.act.more(notes.length - MOST_NOTES)}</li>` : nothing}</ul>`;
  }

  counts() {
    const { lines, heard, ended, notes } = this.following;
    const parts = [];
    if (this.find) parts.push(t.logs.matches(this.found.length, lines.all.length));
    else if (lines.all.length) parts.push(t.logs.lines(lines.all.length));
    if (this.names.length > 1) parts.push(t.logs.pods(this.names.length));
    if (this.total > this.names.length) parts.push(t.logs.tooMany(this.names.length, this.total));
    if (lines.dropped) parts.push(t.logs.dropped(lines.dropped));
    if (ended && lines.all.length) parts.push(t.logs.ended);
    if (!parts.length && !notes.size) parts.push(heard || ended ? t.logs.empty : t.loading);
    return parts.join(" · ");
  }
}

customElements.define("kp-logs", Logs);
