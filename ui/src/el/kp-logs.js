// Follows logs of one pod or of many; keeps the last lines only, and the reader's place when they scroll up.
import { html, LitElement, nothing } from "lit";

import { visible } from "../list/selection.js";
import { Lines, pieces, search } from "../logs/buffer.js";
import { Stream } from "../stream.js";
import { t } from "../texts.js";

const ROW = 19;
const COLOURS = 8;
// Lines of different heights cannot be left out of the page: while they wrap, the last ones are shown.
const WRAPPED = 1500;
const SINCE = [["", () => t.logs.sinceAll], ["60", () => t.logs.sinceMinutes(1)], ["300", () => t.logs.sinceMinutes(5)], ["3600", () => t.logs.sinceHours(1)]];

class Logs extends LitElement {
  static properties = {
    src: {}, ns: {}, pod: {}, pods: {}, total: { type: Number }, containers: {}, container: {}, previous: { type: Boolean },
    tick: { state: true },
  };

  constructor() {
    super();
    this.tick = 0;
    this.streams = new Map();
    this.view = [];
    this.notes = new Map();
    Object.assign(this, { follow: true, times: false, wrap: true, grep: "", only: false, since: "" });
  }

  createRenderRoot() {
    return this;
  }

  connectedCallback() {
    super.connectedCallback();
    this.start();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.stop();
    cancelAnimationFrame(this.frame);
  }

  get names() {
    return this.pods ? this.pods.split(",") : [this.pod].filter(Boolean);
  }

  stop() {
    for (const stream of this.streams.values()) stream.stop();
    this.streams.clear();
  }

  start() {
    this.stop();
    this.lines = new Lines();
    this.notes.clear();
    this.heard = false;
    for (const pod of this.names) this.open(pod);
    this.changed();
  }

  open(pod) {
    const query = new URLSearchParams({ ns: this.ns ?? "", pod, container: this.container ?? "" });
    if (this.previous) query.set("previous", "1");
    if (this.since) query.set("since", this.since);
    const stream = new Stream(`${this.src}?${query}`, {
      hello: () => ({}),
      frame: (frame) => this.receive(pod, frame),
      state: (state) => this.tell(pod, state),
    });
    this.streams.set(pod, stream);
    stream.start();
  }

  receive(pod, frame) {
    if (frame.op === "log") {
      this.lines.add(pod, frame.text);
      this.notes.delete(pod);
    } else if (frame.op === "error") this.finish(pod, this.refusal(pod, frame.text));
    else if (frame.op === "end") this.finish(pod, this.names.length > 1 ? t.logs.podGone(pod) : this.lines.all.length ? t.logs.ended : t.logs.empty);
    this.changed();
  }

  /** The API's words, and what they mean where that is known. */
  refusal(pod, text) {
    const waiting = /is waiting to start: ([A-Za-z]+)/.exec(text);
    if (waiting) return `${t.logs.notStarted(pod, waiting[1])} ${text}`;
    if (/previous terminated container/.test(text)) return `${t.logs.noPrevious(pod)} ${text}`;
    return text;
  }

  finish(pod, text) {
    this.streams.get(pod)?.stop();
    this.notes.set(pod, text);
  }

  tell(pod, state) {
    // The API sends the tail again: start over rather than show lines twice.
    if (state.name === "connecting") this.lines.forget(pod);
    if (state.name === "beat") this.heard = true;
    if (state.name === "lost") this.notes.set(pod, t.logs.lost);
    else if (state.name === "ended") this.notes.set(pod, t.signedOut);
    else if (this.notes.get(pod) === t.logs.lost) this.notes.delete(pod);
    this.changed();
  }

  changed() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.build();
    });
  }

  build() {
    const { find, bad } = search(this.grep);
    this.find = find;
    this.bad = bad;
    const matches = (line) => line.text.search(find) >= 0;
    this.found = find ? this.lines.all.filter(matches) : this.lines.all;
    this.view = find && this.only ? this.found : this.lines.all;
    this.tick += 1;
  }

  set(changes, { anew = false } = {}) {
    Object.assign(this, changes);
    if (anew) this.start();
    else this.build();
  }

  download() {
    const text = this.view.map(({ at, source, text: line }) => [this.names.length > 1 ? source : "", at, line].filter(Boolean).join(" ")).join("\n");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text, "\n"], { type: "text/plain" }));
    link.download = `${this.names.length > 1 ? this.ns : this.names[0]}.log`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  get command() {
    const container = this.container ? ` -c ${this.container}` : "";
    const rest = `${this.previous ? " --previous" : " -f"}${this.since ? ` --since=${this.since}s` : ""}${this.times ? " --timestamps" : ""}`;
    return this.names.map((name) => `kubectl logs -n ${this.ns} ${name}${container}${rest}`).join("\n");
  }

  render() {
    return html`${this.bar()}${this.box()}<p class="kp-muted kp-log-note" role="status">${this.note()}</p>
      <div class="kp-command kp-equivalent"><pre id="log-command" tabindex="0">${this.command}</pre><button type="button" class="kp-button" data-copy="#log-command">${t.objects.copy}</button></div>`;
  }

  bar() {
    const containers = (this.containers ?? "").split(",").filter(Boolean);
    const check = (name, label, options) => html`<label class="kp-check"><input type="checkbox" .checked=${this[name]} @change=${(event) => this.set({ [name]: event.target.checked }, options)} />${label}</label>`;
    return html`<div class="kp-toolbar kp-log-bar">
      ${containers.length > 1
        ? html`<div class="kp-inline"><label for="log-container">${t.logs.container}</label><select id="log-container" @change=${(event) => this.set({ container: event.target.value }, { anew: true })}>${containers.map((one) => html`<option .selected=${one === this.container}>${one}</option>`)}</select></div>`
        : nothing}
      <div class="kp-inline"><label for="log-since">${t.logs.since}</label><select id="log-since" @change=${(event) => this.set({ since: event.target.value }, { anew: true })}>${SINCE.map(([value, text]) => html`<option value=${value} .selected=${value === this.since}>${text()}</option>`)}</select></div>
      <div class="kp-inline kp-grow"><label for="log-grep">${t.logs.grep}</label><input id="log-grep" type="search" autocomplete="off" spellcheck="false" placeholder=${t.logs.grepHint} .value=${this.grep} @input=${(event) => this.set({ grep: event.target.value })} /></div>
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

  line({ source, at, text }) {
    const many = this.names.length > 1;
    return html`<div class="kp-log-line">${many ? html`<b data-colour=${this.names.indexOf(source) % COLOURS}>${source}</b> ` : nothing}${this.times && at ? html`<time>${at}</time> ` : nothing}${pieces(text, this.find).map(([part, hit]) => (hit ? html`<mark>${part}</mark>` : part))}</div>`;
  }

  scrolled() {
    const box = this.querySelector(".kp-log");
    const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 24;
    // Whoever scrolls up reads; whoever is at the end follows.
    if (!this.moving && this.follow !== atEnd) this.follow = atEnd;
    if (!this.wrap) this.changed();
    else this.requestUpdate();
  }

  updated() {
    const box = this.querySelector(".kp-log");
    const space = box.firstElementChild;
    space.style.paddingTop = `${this.range.first * ROW}px`;
    space.style.paddingBottom = `${this.range.after * ROW}px`;
    if (this.follow) {
      this.moving = true;
      box.scrollTop = box.scrollHeight;
      requestAnimationFrame(() => (this.moving = false));
    }
  }

  note() {
    const { lines } = this;
    const parts = [...this.notes.values()].slice(0, 3);
    if (this.bad) parts.push(t.logs.badPattern(this.bad));
    if (this.find) parts.push(t.logs.matches(this.found.length, lines.all.length));
    else if (lines.all.length) parts.push(t.logs.lines(lines.all.length));
    if (this.names.length > 1) parts.push(t.logs.pods(this.names.length));
    if (this.total > this.names.length) parts.push(t.logs.tooMany(this.names.length, this.total));
    if (lines.dropped) parts.push(t.logs.dropped(lines.dropped));
    if (!parts.length) parts.push(this.heard ? t.logs.empty : t.loading);
    return parts.join(" · ");
  }
}

customElements.define("kp-logs", Logs);
