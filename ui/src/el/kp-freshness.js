// The chip in the top bar: how fresh what you see is. Live parts send it `kp-freshness` events.
//
// A page without a stream of its own has `src`: the chip asks by itself how far the cluster is. With
// `read`, the revision at which such a page was made, it says when that is no longer the newest.
import { refresh } from "../router.js";
import { CLOSE, Stream } from "../stream.js";
import { t } from "../texts.js";

// States whose words have a number that changes by itself.
const COUNTING = new Set(["live", "behind", "waiting"]);

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
    this.setAttribute("aria-live", state === this.last && COUNTING.has(state) ? "off" : "polite");
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
      if (rev > read && !this.stream.down) this.show({ state: "behind", text: t.behind(read, rev - read) });
      else live(rev, this.stream);
    };
    this.stream = new Stream(src, {
      hello: () => ({}),
      frame: (frame) => {
        rev = frame.rev ?? rev;
        if (frame.op === "beat") this.stream.down = false; // which the cluster itself answered
        now();
      },
      state: (state) => (state.name === "beat" ? now() : connection(state, rev)),
    });
    this.stream.start();
  }
}

/** Tells the chip. `state` is live, behind, waiting, paused, past, lost or ended. */
export function freshness(state, text) {
  window.dispatchEvent(new CustomEvent("kp-freshness", { detail: { state, text } }));
}

/** Tells that what one sees is the present: once it has been read, and no change is on its way. */
export function live(rev, { rtt, behind = 0, down = false }) {
  if (down) freshness("lost", t.upstreamDown(rev));
  else if (!rev) freshness("waiting", t.connecting);
  else if (behind) freshness("waiting", t.catchingUp(behind));
  else freshness("live", t.live(rev, rtt));
}

/** Tells what becomes of a connection; `rev` is what one sees meanwhile, if anything. */
export function connection(state, rev) {
  if (state.name === "connecting") freshness("waiting", rev ? t.reconnectingNow(rev) : t.connecting);
  else if (state.name === "lost") freshness("lost", reconnecting(state.wait, rev));
  else if (state.name === "ended" && state.code === CLOSE.forbidden) refused(rev);
  else if (state.name === "ended") freshness("ended", endOf(state.code));
}

/** Tells that one may not follow; `rev` is what one has read, if anything. */
export function refused(rev) {
  if (rev) freshness("behind", t.notFollowed(rev));
  else freshness("ended", t.notAllowed);
}

/** Says why a stream has ended for good. */
export function endOf(code) {
  return { [CLOSE.signedOut]: t.ends.signedOut, [CLOSE.clusterGone]: t.ends.clusterGone }[code] ?? t.ended;
}

/** Says when it is tried again, `wait` in milliseconds. */
export function reconnecting(wait, rev) {
  const seconds = Math.round(wait / 1000);
  return seconds > 1 ? t.reconnecting(seconds, rev) : t.reconnectingNow(rev);
}

customElements.define("kp-freshness", Freshness);
