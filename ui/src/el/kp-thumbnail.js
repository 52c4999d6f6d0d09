// A small picture of a cluster, drawn anew once a second at most, and only while somebody can see it.
import { place } from "../scene/thumbnail.js";

const WIDTH = 160;
const HEIGHT = 90;
const EVERY = 1000;
// A site that does not answer is asked less often.
const AFTER_TROUBLE = 5000;
const COLOURS = { r: "running", p: "pending", s: "succeeded", f: "failed", u: "unknown" };

class Thumbnail extends HTMLElement {
  connectedCallback() {
    this.canvas = document.createElement("canvas");
    this.canvas.setAttribute("aria-hidden", "true");
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = WIDTH * ratio;
    this.canvas.height = HEIGHT * ratio;
    this.canvas.getContext("2d").scale(ratio, ratio);
    this.replaceChildren(this.canvas);
    this.revision = 0;
    this.redraw = () => this.draw();
    this.look = () => this.visible && document.visibilityState === "visible" && this.ask();
    window.addEventListener("kp-theme", this.redraw);
    document.addEventListener("visibilitychange", this.look);
    this.observer = new IntersectionObserver(([entry]) => {
      this.visible = entry.isIntersecting;
      this.look();
    });
    this.observer.observe(this);
  }

  disconnectedCallback() {
    clearTimeout(this.timer);
    this.observer.disconnect();
    window.removeEventListener("kp-theme", this.redraw);
    document.removeEventListener("visibilitychange", this.look);
  }

  async ask() {
    clearTimeout(this.timer);
    if (this.asking) return;
    this.asking = true;
    let wait = EVERY;
    try {
      const response = await fetch(`${this.getAttribute("src")}?since=${this.revision}`);
      if (!response.ok) throw new Error(String(response.status));
      this.show(await response.json());
    } catch {
      wait = AFTER_TROUBLE;
    }
    this.asking = false;
    if (this.isConnected) this.timer = setTimeout(this.look, wait);
  }

  show({ revision, nodes }) {
    this.revision = revision;
    if (!nodes) return;
    this.nodes = nodes;
    this.draw();
    this.dataset.revision = revision;
  }

  draw() {
    if (!this.nodes) return;
    const context = this.canvas.getContext("2d");
    const style = getComputedStyle(this);
    const colour = (name) => style.getPropertyValue(name).trim();
    const palette = Object.fromEntries(Object.entries(COLOURS).map(([letter, name]) => [letter, colour(`--kp-status-${name}`)]));
    context.clearRect(0, 0, WIDTH, HEIGHT);
    const { tiles, pods } = place(this.nodes, WIDTH, HEIGHT);
    context.fillStyle = colour("--kp-line");
    for (const { x, y, w, h } of tiles) context.fillRect(x, y, w, h);
    for (const { x, y, size, letter } of pods) {
      context.fillStyle = palette[letter] ?? palette.u;
      const edge = size > 3 ? size - 1 : size * 0.8;
      context.fillRect(x, y, edge, edge);
    }
  }
}

customElements.define("kp-thumbnail", Thumbnail);
