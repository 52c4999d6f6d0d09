// The clock of a cluster: what time it is there, and the buttons that stop it, step it, speed it up.
import { html, LitElement, nothing } from "lit";

import { get, post } from "../api.js";
import { clusterNow, forget, tell, timeOfDay } from "../clock.js";
import { span, t } from "../texts.js";

const RATES = [1, 10, 100];
const ASK_EVERY = 15_000; // somebody else may have changed it
const LONG = 90; // seconds that are told in minutes
const OFF = 2; // seconds that clocks may differ without a word

class Clock extends LitElement {
  static properties = {
    cluster: {},
    // Who may look only sees the time.
    readonly: { type: Boolean },
    clock: { state: true },
    busy: { state: true },
    said: { state: true },
    problem: { state: true },
  };

  constructor() {
    super();
    this.clock = null;
    this.busy = false;
    this.said = this.problem = "";
  }

  createRenderRoot() {
    return this;
  }

  connectedCallback() {
    super.connectedCallback();
    forget();
    this.ask();
    this.seen = () => document.visibilityState === "visible" && this.ask();
    document.addEventListener("visibilitychange", this.seen);
    this.asking = setInterval(this.seen, ASK_EVERY);
    // The text alone is set each second: nothing is rendered for it.
    this.ticking = setInterval(() => this.show(), 250);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    document.removeEventListener("visibilitychange", this.seen);
    clearInterval(this.asking);
    clearInterval(this.ticking);
  }

  get url() {
    return `/api/clusters/${this.cluster}/clock`;
  }

  async ask() {
    try {
      this.take(await get(this.url));
    } catch {
      // The chip of the page says that the site does not answer.
    }
  }

  take(clock) {
    if (clock?.seconds === undefined) return;
    tell(clock);
    this.clock = clock;
    this.updateComplete.then(() => this.show());
  }

  show() {
    const time = this.querySelector("time");
    if (!time || document.visibilityState === "hidden") return;
    const text = timeOfDay(clusterNow());
    if (time.textContent !== text) time.textContent = text;
  }

  async change(body) {
    this.busy = true;
    this.problem = "";
    try {
      const clock = await post(this.url, body);
      this.take(clock);
      this.said = this.outcome(body, clock);
      this.dispatchEvent(new CustomEvent("kp-clock", { detail: clock, bubbles: true }));
    } catch (error) {
      this.problem = t.topology.clock.problem(error.message);
    }
    this.busy = false;
  }

  outcome({ action }, clock) {
    const words = t.topology.clock;
    if (action === "step") return clock.next === null && !clock.moved ? words.nothingWaits : words.moved(clock.moved < LONG ? words.seconds(clock.moved) : span(clock.moved));
    return clock.paused ? words.isPaused : words.isRunning(clock.rate);
  }

  render() {
    const { clock, busy } = this;
    if (!clock) return nothing;
    const words = t.topology.clock;
    return html`<div class="kp-clock" role="group" aria-label=${words.label} data-state=${clock.paused ? "paused" : clock.rate === 1 ? "usual" : "fast"}>
        <span class="kp-clock-face" title=${words.label}><span class="kp-sr">${words.label}</span><time></time>${this.offset()}</span>
        ${this.readonly
          ? nothing
          : html`<span class="kp-segments">
              <button type="button" aria-pressed=${clock.paused} aria-label=${clock.paused ? words.resume : words.pause} title=${clock.paused ? words.resume : words.pause} ?disabled=${busy} @click=${() => this.change({ action: clock.paused ? "resume" : "pause" })}>
                <svg viewBox="0 0 12 12" width="11" height="11" aria-hidden="true"><path d=${clock.paused ? "M2.5 1.5v9l8-4.5z" : "M2.5 1.5h2.6v9H2.5zM6.9 1.5h2.6v9H6.9z"} fill="currentColor" /></svg>
              </button>
              <button type="button" title=${words.stepTitle} ?disabled=${busy} @click=${() => this.change({ action: "step" })}>${words.step}</button>
              ${RATES.map((rate) => html`<button type="button" aria-pressed=${clock.rate === rate} title=${words.isRunning(rate)} ?disabled=${busy} @click=${() => this.change(clock.paused ? { rate, action: "resume" } : { rate })}>${words.times(rate)}</button>`)}
            </span>`}
        ${this.problem ? html`<span class="kp-clock-problem" role="alert">${this.problem}</span>` : nothing}
      </div>
      <span class="kp-sr" role="status">${this.said}</span>`;
  }

  offset() {
    const words = t.topology.clock;
    const { ahead, paused } = this.clock;
    if (paused) return html`<span class="kp-clock-note">${words.paused}</span>`;
    if (Math.abs(ahead) <= OFF) return nothing;
    return html`<span class="kp-clock-note">${ahead > 0 ? words.ahead(span(ahead)) : words.behind(span(-ahead))}</span>`;
  }
}

customElements.define("kp-clock", Clock);
