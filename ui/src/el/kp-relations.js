// The drawing of an object's relations: cards in columns, lines between them; the lists beside say the same.
import { html, LitElement, nothing, svg } from "lit";

import { CARD, joined, layout, step } from "../relations/layout.js";
import { visit } from "../router.js";
import { t } from "../texts.js";

// Letters of the font that fit a card: names are cut in the middle, where they differ least.
const FITS = 20;

/** Cuts a text that is too long for a card; its end tells most of generated names. */
export function fit(text, most = FITS) {
  if (text.length <= most) return text;
  const end = Math.floor((most - 1) / 2);
  return `${text.slice(0, most - 1 - end)}…${text.slice(-end)}`;
}

class Relations extends LitElement {
  static properties = { drawing: { type: Object }, lit: { state: true }, at: { state: true } };

  constructor() {
    super();
    this.lit = null;
  }

  createRenderRoot() {
    return this;
  }

  willUpdate(changes) {
    if (!changes.has("drawing")) return;
    this.places = layout(this.drawing);
    this.at = Math.max(0, this.drawing.nodes.findIndex((one) => one.focus));
    this.lit = null;
  }

  firstUpdated() {
    // The object itself is in sight, however wide the picture is.
    const box = this.firstElementChild;
    const { x, y } = this.places.cards[this.at];
    box.scrollTo(x + CARD.width / 2 - box.clientWidth / 2, y + CARD.height / 2 - box.clientHeight / 2);
  }

  /** Says what a card is, and how it is joined with those beside it. */
  label(i) {
    const { nodes, edges } = this.drawing;
    const named = (one) => (nodes[one].more ? t.relations.more(nodes[one].more, nodes[one].kind) : `${nodes[one].kind} ${nodes[one].name}`);
    const said = edges.flatMap(([from, to, verb, remark]) => {
      if (from !== i && to !== i) return [];
      const text = (t.relations.verbs[verb] ?? t.relations.verbs.uses)(from === i ? "" : named(from), to === i ? "" : named(to));
      return [`${text.trim()}${remark ? ` (${remark})` : ""}`];
    });
    const few = said.slice(0, 6);
    if (said.length > few.length) few.push(t.relations.andMore(said.length - few.length));
    return [named(i), nodes[i].word, ...few].filter(Boolean).join(". ");
  }

  async key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const to = step(this.drawing, this.places.cards, this.at, event.key);
    if (to === null) return;
    event.preventDefault();
    event.stopPropagation();
    this.at = this.lit = to;
    await this.updateComplete;
    this.querySelector(`[data-card="${to}"]`)?.focus();
  }

  open(event, link) {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    if (link) visit(link);
  }

  render() {
    const { width, height, cards } = this.places;
    const { nodes, edges } = this.drawing;
    const { lit } = this;
    const shown = lit === null ? null : joined(this.drawing, lit);
    return html`<div class="kp-relations-box" data-lit=${lit !== null} @keydown=${(event) => this.key(event)}>
      <svg class="kp-relations-drawing" width=${width} height=${height} role="group" aria-label=${t.relations.label(nodes.length)}>
        <defs><marker id="kp-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M1 1 7 4 1 7" /></marker></defs>
        <g aria-hidden="true">${edges.map((edge, i) => svg`<path class="kp-line" d=${this.places.lines[i]} data-verb=${edge[2]} data-on=${shown ? shown.lines.has(i) : nothing} marker-end="url(#kp-arrow)" />`)}</g>
        ${nodes.map((node, i) => this.card(node, i, cards[i], shown))}
      </svg>
    </div>`;
  }

  card(node, i, { x, y }, shown) {
    const name = node.more ? t.relations.plusMore(node.more, node.kind) : fit(node.name);
    const kind = node.more ? t.relations.asList : [node.kind, node.namespace].filter(Boolean).join(" · ");
    const light = () => (this.lit = i);
    return svg`<a href=${node.link || nothing} class="kp-card" data-card=${i} data-focus=${node.focus || nothing} data-fold=${node.more ? "" : nothing} data-on=${shown ? shown.cards.has(i) : nothing}
        tabindex=${i === this.at ? 0 : -1} role="link" aria-label=${this.label(i)} aria-current=${node.focus ? "true" : nothing} transform=${`translate(${x} ${y})`}
        @click=${(event) => this.open(event, node.link)} @pointerenter=${light} @pointerleave=${() => (this.lit = null)}
        @focus=${() => { this.at = i; light(); }} @blur=${() => (this.lit = null)}>
      <title>${this.label(i)}</title>
      <rect width=${CARD.width} height=${CARD.height} rx="7" />
      <text x="12" y="18" class="kp-card-kind">${fit(kind, node.word ? 20 : 30)}</text>
      <text x="12" y="35" class="kp-card-name">${name}</text>
      ${node.word ? svg`<text x=${CARD.width - 12} y="18" class="kp-card-word" data-state=${node.state}>${fit(node.word, 16)}</text>` : nothing}
    </a>`;
  }
}

customElements.define("kp-relations", Relations);
