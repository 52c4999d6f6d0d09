// Replays a recording of a terminal in a dialog: play, pause, speed, and any place in it.
import { html, LitElement, nothing } from "lit";

import { t } from "../texts.js";
import { between, moment, parse, sizeOf } from "./cast.js";
import { Screen } from "./screen.js";

const SPEEDS = [0.5, 1, 2, 4, 8];
// What nobody wants to wait for: longer pauses are cut to this many seconds.
const LONGEST_PAUSE = 2;

class KpPlayer extends LitElement {
  static properties = { text: { attribute: false }, at: { state: true }, playing: { state: true }, speed: { state: true }, problem: { state: true } };

  constructor() {
    super();
    this.at = 0;
    this.playing = false;
    this.speed = 1;
    this.problem = false;
  }

  createRenderRoot() {
    return this;
  }

  firstUpdated() {
    this.querySelector("dialog").showModal();
    try {
      this.cast = shortened(parse(this.text));
    } catch {
      this.problem = true;
      return;
    }
    const { width: cols, height: rows } = this.cast;
    this.screen = new Screen(this.querySelector(".kp-term-screen"), { cols, rows, disableStdin: true, cursorBlink: false });
    this.screen.sizes.disconnect(); // its size is the recording's
    this.requestUpdate();
    this.play();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    cancelAnimationFrame(this.frame);
    this.screen?.dispose();
  }

  get ended() {
    return this.at >= this.cast.length;
  }

  play() {
    if (this.ended) this.seek(0);
    this.playing = true;
    this.before = performance.now();
    this.tick();
  }

  pause() {
    this.playing = false;
    cancelAnimationFrame(this.frame);
  }

  tick() {
    this.frame = requestAnimationFrame(() => {
      const now = performance.now();
      const until = this.at + ((now - this.before) / 1000) * this.speed;
      this.before = now;
      this.advance(until);
      if (this.ended) this.pause();
      else if (this.playing) this.tick();
    });
  }

  advance(until) {
    for (const event of between(this.cast.events, this.shown ?? -1, until)) this.apply(event);
    this.shown = until;
    this.at = Math.min(until, this.cast.length);
  }

  apply({ code, data }) {
    if (code === "o") return this.screen.terminal.write(data);
    const size = sizeOf(data);
    // What comes before a new size must be drawn in the old one.
    return size && this.screen.terminal.write("", () => this.screen?.terminal.resize(size.columns, size.rows));
  }

  seek(at) {
    if (at < this.at) {
      this.screen.terminal.reset();
      this.screen.terminal.resize(this.cast.width, this.cast.height);
      this.shown = -1;
    }
    this.advance(at);
  }

  close() {
    this.pause();
    this.dispatchEvent(new CustomEvent("kp-player-close"));
  }

  render() {
    const title = this.cast?.title ? `${t.terminal.replayTitle} · ${this.cast.title}` : t.terminal.replayTitle;
    return html`<dialog class="kp-player" aria-label=${title} @close=${this.close}>
      <div class="kp-dialog-head"><h2>${title}</h2><button type="button" class="kp-icon" aria-label=${t.terminal.close} @click=${() => this.querySelector("dialog").close()}>×</button></div>
      ${this.problem ? html`<p class="kp-note kp-bad" role="alert">${t.terminal.badFile}</p>` : html`<div class="kp-player-screen" tabindex="0"><div class="kp-term-screen"></div></div>${this.cast ? this.controls() : nothing}`}
    </dialog>`;
  }

  controls() {
    const texts = t.terminal;
    const told = texts.placeOf(moment(this.at), moment(this.cast.length));
    return html`<div class="kp-player-tools">
      <button type="button" class="kp-button" data-tool="play" @click=${() => (this.playing ? this.pause() : this.play())}>${this.playing ? texts.pause : texts.play}</button>
      <button type="button" class="kp-button" data-tool="restart" @click=${() => this.seek(0)}>${texts.restart}</button>
      <input type="range" min="0" max=${this.cast.length} step="0.1" .value=${String(this.at)} aria-label=${texts.place} aria-valuetext=${told} @input=${(event) => this.seek(Number(event.target.value))} />
      <span class="kp-muted">${told}</span>
      <label>${texts.speed} <select @change=${(event) => (this.speed = Number(event.target.value))}>${SPEEDS.map((n) => html`<option value=${n} ?selected=${n === this.speed}>${texts.speedOf(n)}</option>`)}</select></label>
    </div>`;
  }
}

/** Cuts long pauses: reading takes less time than typing did. */
function shortened(cast) {
  let cut = 0;
  let before = 0;
  const events = cast.events.map((event) => {
    cut += Math.max(0, event.at - before - LONGEST_PAUSE);
    before = event.at;
    return { ...event, at: event.at - cut };
  });
  return { ...cast, events, length: events.at(-1)?.at ?? 0 };
}

customElements.define("kp-player", KpPlayer);
