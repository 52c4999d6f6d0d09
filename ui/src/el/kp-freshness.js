// The chip in the top bar: how fresh what you see is. Live parts send it `kp-freshness` events.
//
// A page without a stream of its own has `src`: the chip asks by itself how far the cluster is. With
// `read`, the revision at which such a page was made, it says when that is no longer the newest.
import { refresh } from "../router.js";
import { Stream } from "../stream.js";
import { t } from "../texts.js";

class Freshness extends HTMLElement {
  connectedCallback() {
    this.onFreshness = (event) => this.show(event.detail);
    window.addEventListener("kp-freshness", this.onFreshness);
    if (this.hasAttribute("src")) this.follow(this.getAttribute("src"));
  }

  disconnectedCallback() {
    window.removeEventListener("kp-freshness", this.onFreshness);
    this.stream?.stop();
  }

  show({ state, text }) {
    const chip = this.querySelector(".kp-chip");
    // What a page of the past reads is no news of the present.
    if (!chip || (state !== "past" && document.querySelector("kp-past"))) return;
    chip.dataset.state = state;
    if (chip.textContent !== text) chip.textContent = text;
    // The numbers of a live stream change all the time: a screen reader hears changes of state only.
    this.setAttribute("aria-live", state === this.last && (state === "live" || state === "behind") ? "off" : "polite");
    this.last = state;
    this.offer(state === "behind");
  }

  /** Beside a page that is behind stands what brings it up to date. */
  offer(wanted) {
    const there = this.querySelector("button");
    if (Boolean(there) === wanted) return;
    if (there) return void there.remove();
    const button = document.createElement("button");
    button.type = "button";
    button.className = "kp-link";
    button.textContent = t.readAgain;
    button.addEventListener("click", () => refresh());
    this.append(button);
  }

  follow(src) {
    let rev = 0;
    const read = Number(this.getAttribute("read") ?? Infinity);
    const now = () => {
      if (rev > read) this.show({ state: "behind", text: t.behind(read, rev - read) });
      else if (rev) this.show({ state: "live", text: t.live(rev, this.stream.rtt) });
    };
    const states = {
      beat: now,
      lost: ({ wait }) => this.show({ state: "lost", text: t.reconnecting(Math.ceil(wait / 1000), rev) }),
      ended: () => this.show({ state: "ended", text: t.ended }),
    };
    this.stream = new Stream(src, {
      hello: () => ({}),
      frame: (frame) => {
        rev = frame.rev ?? rev;
        if (frame.op === "status") this.show({ state: "lost", text: t.upstreamDown(rev) });
        else now();
      },
      state: (state) => states[state.name]?.(state),
    });
    this.stream.start();
  }
}

/** Tells the chip. `state` is live, behind, waiting, paused, past, lost or ended. */
export function freshness(state, text) {
  window.dispatchEvent(new CustomEvent("kp-freshness", { detail: { state, text } }));
}

customElements.define("kp-freshness", Freshness);
