// Lines over the last minutes. What it shows stands beside it as a table: it is a picture alone.
import { html, LitElement } from "lit";
import uPlot from "uplot";

import { t } from "../texts.js";

const HEIGHT = 128;
const EVERY = 60;
// Which of the page's colours a line has, and how it is dashed: no two differ by colour alone.
const LINES = {
  people: { colour: "--kp-accent" },
  workers: { colour: "--kp-status-running", dash: [6, 3] },
  pages: { colour: "--kp-muted", dash: [2, 3] },
  refused: { colour: "--kp-bad", dash: [1, 2] },
  p50: { colour: "--kp-status-running" },
  p95: { colour: "--kp-accent", dash: [6, 3] },
  p99: { colour: "--kp-status-terminating", dash: [2, 3] },
  writes: { colour: "--kp-past" },
};

class Chart extends LitElement {
  static properties = {
    x: { attribute: false },
    // [{label, colour, values}]: a null is a gap.
    series: { attribute: false },
    // Prints a value with its unit.
    unit: { attribute: false },
    at: { state: true },
  };

  constructor() {
    super();
    this.x = [];
    this.series = [];
    this.unit = String;
    this.at = null;
    this.redraw = () => this.build();
  }

  createRenderRoot() {
    return this;
  }

  connectedCallback() {
    super.connectedCallback();
    window.addEventListener("kp-theme", this.redraw);
    this.sizes = new ResizeObserver(() => this.plot?.setSize(this.size));
    this.sizes.observe(this);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    window.removeEventListener("kp-theme", this.redraw);
    this.sizes.disconnect();
    this.plot?.destroy();
    this.plot = null;
  }

  get size() {
    return { width: Math.max(120, Math.floor(this.clientWidth)), height: HEIGHT };
  }

  updated(changed) {
    if (!changed.has("x") && !changed.has("series")) return;
    const data = [this.x, ...this.series.map((one) => one.values)];
    const shape = this.series.map((one) => one.label).join("\n");
    if (!this.plot || shape !== this.shape) this.build();
    else this.plot.setData(data);
    this.shape = shape;
  }

  build() {
    if (!this.isConnected || !this.series.length) return;
    this.plot?.destroy();
    const style = getComputedStyle(this);
    const colour = (name) => style.getPropertyValue(name).trim();
    const grid = { stroke: colour("--kp-line"), width: 1 };
    const axis = { stroke: colour("--kp-muted"), font: `11px ${style.fontFamily}`, grid, ticks: { ...grid, size: 4 } };
    const options = {
      ...this.size,
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
      scales: { x: { time: false, range: [-300, 0] }, y: { range: (_, __, most) => [0, most > 0 ? most * 1.1 : 1] } },
      axes: [
        { ...axis, splits: () => [-300, -240, -180, -120, -60, 0], values: (_, marks) => marks.map((mark) => t.overview.minutesAgo(-mark / EVERY)), size: 24 },
        { ...axis, values: (_, marks) => marks.map((mark) => this.unit(mark)), size: 58, space: 32 },
      ],
      series: [{}, ...this.series.map((one) => this.line(one, colour))],
      hooks: { setCursor: [({ cursor }) => (this.at = cursor.idx ?? null)] },
    };
    this.plot = new uPlot(options, [this.x, ...this.series.map((one) => one.values)], this.querySelector(".kp-chart-plot"));
  }

  line({ colour: name }, colour) {
    const { colour: property, dash } = LINES[name];
    const stroke = colour(property);
    // A slot between two without requests is a point.
    return { stroke, width: 1.75, dash, points: { size: 4, fill: stroke, show: false, filter: lonely } };
  }

  render() {
    const value = ({ values }) => (this.at === null ? "" : values[this.at] === null ? "–" : this.unit(values[this.at]));
    return html`<div class="kp-chart-plot" aria-hidden="true"></div>
      <p class="kp-chart-legend" aria-hidden="true">${this.series.map((one) => html`<span data-line=${one.colour}>${one.label} <b>${value(one)}</b></span>`)}</p>`;
  }
}

/** Returns the places of values that have no neighbour to draw a line to. */
function lonely(plot, series) {
  const values = plot.data[series];
  const found = [];
  for (let at = 0; at < values.length; at += 1) {
    if (values[at] !== null && (values[at - 1] ?? null) === null && (values[at + 1] ?? null) === null) found.push(at);
  }
  return found;
}

customElements.define("kp-chart", Chart);
