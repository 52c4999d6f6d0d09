// Keeps a list of objects fresh: the site says that it changed, htmx brings the rows again.
import { Stream } from "../stream.js";
import { t } from "../texts.js";
import { freshness } from "./kp-freshness.js";

class LiveList extends HTMLElement {
  connectedCallback() {
    const query = new URLSearchParams({
      path: this.getAttribute("path"),
      rv: this.getAttribute("rv") || "0",
      selector: this.getAttribute("selector") || "",
    });
    this.stream = new Stream(`${this.getAttribute("src")}?${query}`, {
      hello: () => ({}),
      frame: (frame) => this.receive(frame),
      state: (state) => this.tell(state),
    });
    this.stream.start();
    this.remember();
  }

  disconnectedCallback() {
    this.stream?.stop();
  }

  receive(frame) {
    if (frame.op === "changed" || frame.op === "end") this.refresh();
    else if (frame.op === "error") this.stream.stop();
  }

  refresh() {
    // Whoever reads with a selection or has the focus in the table keeps both: swap later.
    if (this.contains(document.activeElement) && document.activeElement.tagName === "SUMMARY") return;
    const before = new Map();
    for (const row of this.querySelectorAll("tr[data-uid]")) before.set(row.dataset.uid, row.textContent);
    LiveList.before = before;
    LiveList.focused = document.activeElement?.closest?.("tr[data-uid]")?.dataset.uid ?? null;
    window.htmx?.ajax("GET", this.getAttribute("refresh"), { target: "#rows", swap: "innerHTML" });
  }

  /** After a refresh: flash what changed, and give the focus back. */
  remember() {
    const { before, focused } = LiveList;
    LiveList.before = null;
    LiveList.focused = null;
    if (!before) return;
    let flashes = 0;
    for (const row of this.querySelectorAll("tr[data-uid]")) {
      if (before.get(row.dataset.uid) !== row.textContent && flashes < 20) {
        row.classList.add("kp-flash");
        flashes += 1;
      }
      if (row.dataset.uid === focused) row.querySelector("a")?.focus({ preventScroll: true });
    }
  }

  tell(state) {
    const rev = Number(this.getAttribute("rev") || this.getAttribute("rv")) || 0;
    if (state.name === "beat") freshness("live", t.live(rev, this.stream.rtt));
    else if (state.name === "lost") freshness("lost", t.reconnectingNow(rev));
    else if (state.name === "ended") freshness("ended", t.ended);
  }
}

LiveList.before = null;
LiveList.focused = null;

customElements.define("kp-live-list", LiveList);
