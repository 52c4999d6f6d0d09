// The banner of a page that shows the past: the chip says so, `,` and `.` go from revision to revision.
import { bind } from "../keys.js";
import { visit } from "../router.js";
import { t } from "../texts.js";
import { clock } from "../timeline/moments.js";
import { freshness } from "./kp-freshness.js";

class Past extends HTMLElement {
  connectedCallback() {
    this.rev = Number(this.getAttribute("rev"));
    const time = this.querySelector("time");
    if (time) time.textContent = clock(Date.parse(time.dateTime) / 1000);
    freshness("past", t.timeline.past(this.rev));
    this.unbind = bind({
      "past.back": () => this.go(this.rev - 1),
      "past.forward": () => this.go(this.rev + 1),
    });
  }

  disconnectedCallback() {
    this.unbind?.();
  }

  /** Shows the page at a revision; behind the newest it is the present again. */
  go(rev) {
    const url = new URL(location.href);
    if (rev < Number(this.getAttribute("oldest"))) return;
    if (rev > Number(this.getAttribute("newest"))) url.searchParams.delete("rev");
    else url.searchParams.set("rev", rev);
    visit(url, { replace: true, live: true });
  }
}

customElements.define("kp-past", Past);
