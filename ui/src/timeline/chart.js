// The picture above the slider: bars of changes, marks, bookmarks, and where one is.
import { html, svg } from "lit";

import { t } from "../texts.js";
import { clock, momentOf } from "./moments.js";
import { barsOf, place, ticksOf } from "./model.js";

const WIDTH = 1000;
const HEIGHT = 96;
const GAP = 0.12; // of a bar's width

function bar({ x, end, height, shares, total, from, to }) {
  const width = Math.max(1.2, (end - x) * WIDTH * (1 - GAP));
  let top = HEIGHT;
  const parts = shares.map(({ colour, share }) => {
    const tall = Math.max(1, share * height * (HEIGHT - 4));
    top -= tall;
    return svg`<rect class="kp-kind-${colour}" x=${x * WIDTH} y=${top} width=${width} height=${tall}></rect>`;
  });
  return svg`<g><title>${t.timeline.densityOf(total, from, to)}</title>${parts}</g>`;
}

// As a property: an attribute would be an inline style, which our policy forbids.
const percent = (rev, range) => `left: ${(place(rev, range) * 100).toFixed(3)}%`;

function scale(overview, range) {
  return ticksOf(range).map(
    (rev) => html`<span class="kp-tl-tick" .style=${percent(rev, range)}>
      <b>${t.number(rev)}</b><span>${clock(momentOf(overview.moments, rev) ?? overview.now, overview.now)}</span>
    </span>`,
  );
}

/** A mark below the bars; keys go from one to the next, so that none is a stop for the tab key. */
function marker({ revision, kind, count, texts }, range, go) {
  const text = t.timeline.marked(texts.slice(0, 5).join(", ") + (texts.length > 5 ? " …" : ""), count, revision);
  return html`<button type="button" tabindex="-1" class="kp-tl-mark" data-mark=${kind} .style=${percent(revision, range)} title=${text} aria-label=${text} @click=${() => go(revision)}><span aria-hidden="true"></span></button>`;
}

/** Draws the density of a range with its markers; `go(rev)` is called for a marker. */
export function chart({ overview, range, kinds, hidden, rev, marks, bookmarks, markers, go }) {
  const bars = barsOf(overview, kinds, hidden);
  const at = place(rev, range) * WIDTH;
  const letters = Object.entries(marks).filter(([, revision]) => revision !== null && revision >= range.after && revision <= range.upto);
  const flags = bookmarks.filter((one) => one.revision >= range.after && one.revision <= range.upto);
  return html`
    <div class="kp-tl-flags">
      ${flags.map(
        (one) => html`<button type="button" class="kp-tl-flag" .style=${percent(one.revision, range)} title=${t.timeline.bookmarkAt(one.revision, one.note)}
          aria-label=${t.timeline.bookmarkAt(one.revision, one.note)} @click=${() => go(one.revision)}><span aria-hidden="true">⚑</span></button>`,
      )}
      ${letters.map(([letter, revision]) => html`<span class="kp-tl-letter" .style=${percent(revision, range)} aria-hidden="true">${letter}</span>`)}
    </div>
    <svg class="kp-tl-chart" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" aria-hidden="true">
      ${bars.map(bar)}
      <line class="kp-tl-head-line" x1=${at} x2=${at} y1="0" y2=${HEIGHT} vector-effect="non-scaling-stroke"></line>
    </svg>
    <div class="kp-tl-marks">${markers.map((one) => marker(one, range, go))}</div>
    <div class="kp-tl-scale" aria-hidden="true">${scale(overview, range)}</div>`;
}
