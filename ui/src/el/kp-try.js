// Tries what would help an object on copies of the cluster, and tells what came of each change.
import { html, LitElement, nothing } from "lit";

import { get } from "../api.js";
import { timeOfDay } from "../clock.js";
import { t } from "../texts.js";

// By address: the tab that it stands in is read anew with each change of the object.
const trials = new Map();

/** Tries; what it found, or what went wrong, stands in the trial once `running` is over. */
function begin(src) {
  const trial = { running: true, found: null, problem: "" };
  trial.over = get(src)
    .then((found) => (trial.found = found))
    .catch((error) => (trial.problem = error.message))
    .finally(() => Object.assign(trial, { running: false, at: Date.now() }));
  trials.set(src, trial);
  return trial;
}

class Try extends LitElement {
  static properties = { src: {}, changes: { type: Number }, trial: { state: true } };

  createRenderRoot() {
    return this;
  }

  connectedCallback() {
    super.connectedCallback();
    this.follow(trials.get(this.src));
  }

  run() {
    if (!this.trial?.running) this.follow(begin(this.src));
  }

  follow(trial) {
    this.trial = trial;
    trial?.over.then(() => this.requestUpdate());
  }

  render() {
    const { running, found, problem } = this.trial ?? {};
    const words = t.tries;
    return html`<div class="kp-try" aria-busy=${Boolean(running)}>
      <p class="kp-try-line"><button type="button" class="kp-button" aria-disabled=${Boolean(running)} aria-describedby="try-cost" @click=${() => this.run()}>${running ? words.trying : found || problem ? words.again : words.button(this.changes)}</button>
        <span id="try-cost" class="kp-muted">${words.cost(this.changes)}</span></p>
      <div role="status">${running ? html`<p class="kp-muted">${words.running(this.changes)}</p>` : found ? this.outcome(found) : nothing}</div>
      ${problem && !running ? html`<div class="kp-note kp-bad" role="alert"><p>${words.failed}</p><code>${problem}</code></div>` : nothing}
    </div>`;
  }

  outcome({ asWanted, causes }) {
    const words = t.tries;
    const tried = causes.flatMap(({ fixes }) => fixes).filter((fix) => fix.tried);
    if (!tried.length) return html`<p>${asWanted ? words.asWanted : words.nothing}</p>`;
    return html`<p class="kp-muted">${words.at(timeOfDay(this.trial.at))}</p>
      <ul class="kp-tried">${tried.map((fix) => html`<li data-helped=${fix.tried.helped}>
        <p><strong>${fix.tried.helped ? words.helped : words.notEnough}</strong> ${fix.text}</p>
        ${fix.command ? html`<p><code>${fix.command}</code></p>` : nothing}
        ${fix.tried.helped ? nothing : html`<p class="kp-muted">${words.left} ${[...new Set(fix.tried.left)].join(" ")}</p>`}
      </li>`)}</ul>`;
  }
}

customElements.define("kp-try", Try);
