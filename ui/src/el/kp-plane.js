// The control plane in miniature: its parts from left to right, what waits in each, and a beat whenever
// one of them did something. Each leads to its requests.
import { html, LitElement } from "lit";

import { calm } from "../preferences.js";
import { t } from "../texts.js";
import { Plane } from "../topology/plane.js";

const AGAIN = 1000; // ms until a rate is looked at again, as long as it is not nothing

class ControlPlane extends LitElement {
  static properties = { cluster: {}, tick: { state: true } };

  constructor() {
    super();
    this.plane = new Plane();
    this.tick = 0;
  }

  createRenderRoot() {
    return this;
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    clearTimeout(this.timer);
  }

  /** Takes what the stream tells. */
  take(frame) {
    this.plane.take(frame, performance.now());
    this.show();
  }

  show() {
    this.tick += 1;
    clearTimeout(this.timer);
    if (this.plane.rate(performance.now())) this.timer = setTimeout(() => this.show(), AGAIN);
  }

  /** Where a part stands on the screen: what leaves the scheduler begins there. */
  whereIs(name) {
    return this.querySelector(`[data-part=${name}]`)?.getBoundingClientRect() ?? null;
  }

  render() {
    const { forbidden } = this.plane;
    if (forbidden) return html`<p class="kp-plane kp-muted" title=${forbidden}>${t.overview.noMetrics}</p>`;
    const parts = this.plane.parts(performance.now());
    return html`<ol class="kp-plane" aria-label=${t.topology.plane.label} data-calm=${calm()}>${parts.map((part) => this.part(part))}</ol>`;
  }

  part({ name, title, text, more, state, beat, path }) {
    return html`<li><a class="kp-part" data-part=${name} data-state=${state} data-beat=${beat && (beat % 2 ? "odd" : "even")} href=${`/clusters/${this.cluster}/${path}`} title=${more}>
      <span class="kp-part-light" aria-hidden="true"></span><span>${title}</span> <span class="kp-part-text">${text}</span>
    </a></li>`;
  }
}

customElements.define("kp-plane", ControlPlane);
