// The fixed picture of a request's way: thirteen places and a token. Drawn as SVG, told by the list below it.
import { html, nothing, svg } from "lit";

import { t } from "../texts.js";
import { HOPS } from "./hops.js";
import { took } from "./times.js";

const WIDTH = 100;
const BOX = 84;
const TOP = 14;
const HEIGHT = 44;
const MIDDLE = TOP + HEIGHT / 2;
export const SIZE = { width: WIDTH * HOPS.length, height: 104 };

const left = (at) => at * WIDTH + (WIDTH - BOX) / 2;
export const middle = (name) => HOPS.indexOf(name) * WIDTH + WIDTH / 2;

const MARKS = { done: "M-5 0l3.5 3.5L5 -3.5", stopped: "M-4 -4l8 8M4 -4l-8 8", warned: "M0 -5v6M0 4v.5", idle: "M-4 0h8" };

/** Returns the picture. `place` is where the token is: {name, next, part}, or null. */
export function picture({ hops, selected, place, others, choose }) {
  return html`<svg class="kp-way" viewBox="0 0 ${SIZE.width} ${SIZE.height}" aria-hidden="true" focusable="false">
    ${hops.slice(1).map((hop, at) => line(hops[at], hop, at))} ${hops.map((hop, at) => box(hop, at, hop.name === selected, choose))}
    ${others.map((one) => svg`<circle class="kp-way-other" cx=${tokenX(one)} cy=${MIDDLE + HEIGHT / 2 + 8} r="3"></circle>`)}
    ${place ? svg`<circle class="kp-way-token" data-state=${stateAt(hops, place)} cx=${tokenX(place)} cy=${TOP - 5} r="6"></circle>` : nothing}
  </svg>`;
}

function tokenX({ name, next, part }) {
  const from = middle(name);
  return next ? from + (middle(next) - from) * part : from;
}

const stateAt = (hops, place) => hops.find((hop) => hop.name === place.name)?.state ?? "done";

function line(before, after, at) {
  const through = after.state !== "idle" && before.state !== "stopped";
  return svg`<path class="kp-way-line" data-through=${through} d="M${left(at) + BOX} ${MIDDLE}H${left(at + 1)}"></path>`;
}

function box(hop, at, selected, choose) {
  const [first, ...rest] = wrapped(t.trace.hops[hop.name]);
  return svg`<g class="kp-way-hop" data-state=${hop.state} data-hop=${hop.name} ?data-selected=${selected} @click=${() => choose(hop.name)}>
    <rect x=${left(at)} y=${TOP} width=${BOX} height=${HEIGHT} rx="8"></rect>
    <path class="kp-way-mark" transform="translate(${left(at) + 15} ${MIDDLE})" d=${MARKS[hop.state]}></path>
    <text class="kp-way-time" x=${left(at) + 27} y=${MIDDLE + 4}>${timeOf(hop)}</text>
    <text class="kp-way-name" x=${at * WIDTH + WIDTH / 2} y=${TOP + HEIGHT + 16}>${first}</text>
    ${rest.map((word, row) => svg`<text class="kp-way-name" x=${at * WIDTH + WIDTH / 2} y=${TOP + HEIGHT + 30 + row * 14}>${word}</text>`)}
  </g>`;
}

/** What a box says: how long, or how many. */
function timeOf(hop) {
  if (hop.state === "idle") return "";
  if (hop.count) return `× ${hop.count}`;
  return took(hop.micros);
}

function wrapped(name) {
  const words = name.split(" ");
  return words.length < 3 ? words : [words.slice(0, -1).join(" "), words.at(-1)];
}
