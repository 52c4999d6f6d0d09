// The picture as a file: SVG drawn from the layout, PNG of what is on the screen.
import { POD } from "./layout.js";

const escape = (text) => String(text).replace(/[&<>"]/g, (one) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[one]);

/** A mark inside a pod's square that says its status without colour. */
const SHAPES = {
  running: (c) => `<rect width="12" height="12" fill="${c}"/>`,
  pending: (c) => `<rect x=".7" y=".7" width="10.6" height="10.6" fill="none" stroke="${c}" stroke-width="1.4" stroke-dasharray="3 2"/>`,
  creating: (c) => `<rect x=".7" y=".7" width="10.6" height="10.6" fill="none" stroke="${c}" stroke-width="1.4"/><rect y="6" width="12" height="6" fill="${c}"/>`,
  succeeded: (c) => `<path d="M2.9 6.2 5.3 8.6 9.4 3.6M.7.7h10.6v10.6H.7z" fill="none" stroke="${c}" stroke-width="1.4"/>`,
  failed: (c, ground) => `<rect width="12" height="12" fill="${c}"/><path d="M3.4 3.4l5.2 5.2M8.6 3.4 3.4 8.6" stroke="${ground}" stroke-width="1.4"/>`,
  terminating: (c) => `<path d="M.7.7h10.6v10.6H.7zM0 12 12 0" fill="none" stroke="${c}" stroke-width="1.4"/>`,
  unknown: (c) => `<path d="M.7.7h10.6v10.6H.7z" fill="none" stroke="${c}" stroke-width="1.4"/><text x="6" y="9.4" font-size="9" text-anchor="middle" fill="${c}">?</text>`,
};
SHAPES.crash = SHAPES.failed;

/** Returns the whole world as an SVG document, with each pod's name as its title. */
export function toSvg({ layout, store, palette, test }) {
  const { lens } = layout;
  const parts = [];
  const text = (x, y, size, weight, colour, words) => parts.push(`<text x="${x}" y="${y}" font-size="${size}" font-weight="${weight}" fill="${colour}">${escape(words)}</text>`);
  for (const band of layout.bands.values()) {
    const title = layout.named && lens.bandTitle(band.key);
    if (title) text(band.x, band.y + layout.bandHead * 0.55, layout.bandHead * 0.5, 600, palette.muted, title);
  }
  for (const box of layout.boxes.values()) {
    const stroke = { plain: palette.line, warn: palette.warn, bad: palette.failed }[lens.state(box.key, store)];
    parts.push(`<rect x="${box.x}" y="${box.y}" width="${box.w}" height="${box.h}" rx="4" fill="${palette.tile}" stroke="${stroke}" stroke-width=".7"/>`);
    text(box.x + layout.pad, box.y + layout.head * 0.6, layout.head * 0.45, 600, palette.ink, `${lens.title(box.key, store)} (${box.count})`);
    box.stages.forEach((cards, column) => cards.forEach((card, row) => {
      const at = layout.cardAt(box, column, row);
      parts.push(`<rect x="${at.x}" y="${at.y}" width="${at.w}" height="${at.h}" rx="2" fill="${palette.card}" stroke="${palette.line}" stroke-width=".6"/>`);
      const size = at.h * 0.22;
      text(at.x + 3, at.y + at.h * 0.27, size * 0.85, 500, palette.muted, card.kind);
      text(at.x + 3, at.y + at.h * 0.57, size, 600, palette.ink, card.name);
      text(at.x + 3, at.y + at.h * 0.87, size * 0.85, 400, palette.muted, card.note);
    }));
  }
  for (const uid of layout.where.keys()) {
    const pod = store.pods.get(uid);
    if (!pod) continue;
    const { x, y } = layout.corner(uid);
    const dim = test && !test(pod) ? ' opacity=".16"' : "";
    parts.push(`<g transform="translate(${x} ${y}) scale(${POD / 12})"${dim}><title>${escape(`${pod.ns}/${pod.name}: ${pod.status}`)}</title>${SHAPES[pod.cls](palette[pod.cls], palette.tile)}</g>`);
  }
  const [w, h] = [layout.width + 20, layout.height + 20];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-10 -10 ${w} ${h}" width="${w * 2}" height="${h * 2}" font-family="sans-serif"><rect x="-10" y="-10" width="${w}" height="${h}" fill="${palette.ground}"/>${parts.join("")}</svg>`;
}

/** Hands a file to the browser to keep. */
export function download(name, blob) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
