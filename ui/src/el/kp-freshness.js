// The chip in the top bar: how fresh what you see is. Live parts send it `kp-freshness` events.
import { t } from "../texts.js";

class Freshness extends HTMLElement {
  connectedCallback() {
    this.onFreshness = (event) => this.show(event.detail);
    window.addEventListener("kp-freshness", this.onFreshness);
  }

  disconnectedCallback() {
    window.removeEventListener("kp-freshness", this.onFreshness);
  }

  show({ state, text }) {
    const chip = this.querySelector(".kp-chip");
    if (!chip) return;
    chip.dataset.state = state;
    if (chip.textContent !== text) chip.textContent = text;
    // The numbers of a live stream change all the time: a screen reader hears changes of state only.
    this.setAttribute("aria-live", state === this.last && state === "live" ? "off" : "polite");
    this.last = state;
  }
}

/** Tells the chip. `state` is live, waiting, paused, lost or ended. */
export function freshness(state, text) {
  window.dispatchEvent(new CustomEvent("kp-freshness", { detail: { state, text } }));
}

export const words = t;

customElements.define("kp-freshness", Freshness);
