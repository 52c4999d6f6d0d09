// How high the dock is: by mouse, by keyboard, remembered, and never more than the window leaves.
import { html, nothing } from "lit";

import { t } from "../texts.js";

const KEY = "kp-dock-height";
const LEAST = 120;
const USUAL = 300;
const ABOVE = 150; // what stays for the page, with the top bar
const STEP = 24;
const LEAP = 120;

/** Returns a height that is possible. */
export const within = (height, most) => Math.round(Math.min(Math.max(height, LEAST), Math.max(LEAST, most)));

export class Height {
  constructor(dock) {
    this.dock = dock;
    this.wanted = recall();
    this.grown = false;
    this.onResize = () => dock.requestUpdate();
  }

  start() {
    window.addEventListener("resize", this.onResize);
    this.sizes = new ResizeObserver(() => this.tell());
    this.sizes.observe(this.dock);
  }

  stop() {
    window.removeEventListener("resize", this.onResize);
    this.sizes?.disconnect();
    document.documentElement.style.removeProperty("--kp-dock");
  }

  /** Style sheets know how much the dock covers: --kp-dock. */
  tell() {
    document.documentElement.style.setProperty("--kp-dock", `${this.dock.offsetHeight}px`);
  }

  get most() {
    return window.innerHeight - ABOVE;
  }

  get now() {
    return this.grown ? within(this.most, this.most) : within(this.wanted, this.most);
  }

  set(height) {
    this.grown = false;
    this.wanted = within(height, this.most);
    try {
      localStorage.setItem(KEY, String(this.wanted));
    } catch {
      // It lasts for this page then.
    }
    this.dock.requestUpdate();
  }

  grow() {
    this.grown = !this.grown;
    this.dock.requestUpdate();
  }

  apply() {
    const panels = this.dock.querySelector(".kp-dock-panels");
    if (panels) panels.style.height = `${this.now}px`;
    this.tell();
  }

  separator(open) {
    if (!open) return nothing;
    return html`<div
      class="kp-dock-edge"
      role="separator"
      tabindex="0"
      aria-orientation="horizontal"
      aria-label=${t.dock.resize}
      aria-controls="dock-panels"
      aria-valuemin=${LEAST}
      aria-valuemax=${Math.max(LEAST, this.most)}
      aria-valuenow=${this.now}
      @keydown=${(event) => this.pressed(event)}
      @pointerdown=${(event) => this.drag(event)}
      @dblclick=${() => this.grow()}
    ></div>`;
  }

  pressed(event) {
    const step = event.shiftKey ? LEAP : STEP;
    if (event.key === "ArrowUp") this.set(this.now + step);
    else if (event.key === "ArrowDown") this.set(this.now - step);
    else if (event.key === "PageUp") this.set(this.now + LEAP);
    else if (event.key === "PageDown") this.set(this.now - LEAP);
    else if (event.key === "Home") this.set(LEAST);
    else if (event.key === "End") this.set(this.most);
    else if (event.key === "Enter") this.grow();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  drag(down) {
    if (down.button !== 0) return;
    down.preventDefault();
    const edge = down.currentTarget;
    edge.focus();
    edge.setPointerCapture(down.pointerId);
    const { now } = this;
    const move = (event) => this.set(now + down.clientY - event.clientY);
    const end = () => {
      edge.removeEventListener("pointermove", move);
      edge.removeEventListener("pointerup", end);
      edge.removeEventListener("pointercancel", end);
    };
    edge.addEventListener("pointermove", move);
    edge.addEventListener("pointerup", end);
    edge.addEventListener("pointercancel", end);
  }
}

function recall() {
  try {
    return Number(localStorage.getItem(KEY)) || USUAL;
  } catch {
    return USUAL;
  }
}
