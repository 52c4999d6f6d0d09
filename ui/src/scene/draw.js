// Draws boxes and pods. A status is a shape, a colour and, close enough, a word.
//
// `ctx` is already transformed so that one unit is one CSS pixel; `place` turns the world into it.
import { worst } from "../status.js";
import { t } from "../texts.js";
import { POD } from "./layout.js";

// Pods smaller than this many pixels are not told apart: their box shows a count instead.
export const TILE_BELOW = 3.4;
const SHAPE_FROM = 8;
const CARD_FROM = 54;
const DIM = 0.16;

export function podSize(k) {
  return POD * k;
}

/** Draws everything of the layout that lies in the view. */
export function drawScene(ctx, scene, place) {
  const { layout, palette } = scene;
  ctx.fillStyle = palette.ground;
  ctx.fillRect(0, 0, place.w, place.h);
  if (layout.named) for (const band of layout.bands.values()) drawBand(ctx, scene, place, band);
  const seen = [];
  for (const box of layout.boxes.values()) if (inView(box, place)) seen.push(box);
  const tiles = podSize(place.k) < TILE_BELOW;
  for (const box of seen) drawBox(ctx, scene, place, box, tiles);
  if (!tiles) drawPods(ctx, scene, place, seen);
}

export function inView(box, place) {
  const x = (box.x - place.x) * place.k;
  const y = (box.y - place.y) * place.k;
  return x < place.w && y < place.h && x + box.w * place.k > 0 && y + box.h * place.k > 0;
}

function drawBand(ctx, scene, place, band) {
  const title = scene.layout.lens.bandTitle(band.key);
  const size = Math.min(13, 0.75 * scene.layout.bandHead * place.k);
  if (!title || size < 7) return;
  ctx.font = `600 ${size}px ${scene.palette.font}`;
  ctx.fillStyle = scene.palette.muted;
  ctx.textBaseline = "middle";
  const middle = band.y + scene.layout.bandHead * 0.42;
  ctx.fillText(title, (band.x - place.x) * place.k, (middle - place.y) * place.k);
}

export function drawBox(ctx, scene, place, box, tiles) {
  const { palette, layout, store } = scene;
  const x = Math.round((box.x - place.x) * place.k);
  const y = Math.round((box.y - place.y) * place.k);
  const w = Math.round(box.w * place.k);
  const h = Math.round(box.h * place.k);
  const state = layout.lens.state(box.key, store);
  const tray = layout.isTray(box);
  ctx.fillStyle = tray ? palette.tray : palette.tile;
  ctx.strokeStyle = { plain: palette.line, warn: palette.warn, bad: palette.failed }[state];
  ctx.lineWidth = state === "plain" ? 1 : 2;
  ctx.beginPath();
  ctx.roundRect(x + 0.5, y + 0.5, w - 1, h - 1, Math.min(6, 4 * place.k));
  ctx.fill();
  if (tray) ctx.setLineDash([4, 3]);
  ctx.stroke();
  ctx.setLineDash([]);
  drawHead(ctx, scene, place, box, { x, y, w });
  if (box.lead) drawCards(ctx, scene, place, box);
  if (tiles && box.count) drawTile(ctx, scene, place, box, { x, y, w, h });
}

/** Draws a box's heading: title, note, count, and how much of its CPU is asked for. */
export function drawHead(ctx, scene, place, box, at) {
  const { palette, layout, store } = scene;
  const high = layout.head * place.k;
  const size = Math.min(13, 0.6 * high);
  if (size < 6.5) return;
  const { x, y, w } = at;
  const pad = layout.pad * place.k;
  const middle = y + high * 0.44;
  const count = String(box.count);
  ctx.textBaseline = "middle";
  ctx.font = `500 ${size}px ${palette.font}`;
  ctx.fillStyle = palette.muted;
  ctx.textAlign = "right";
  ctx.fillText(count, x + w - pad, middle);
  ctx.textAlign = "left";
  const room = w - 2 * pad - count.length * size * 0.66 - size;
  const title = clip(layout.lens.title(box.key, store), room, size, palette.boldLetter);
  ctx.font = `600 ${size}px ${palette.font}`;
  ctx.fillStyle = palette.ink;
  ctx.fillText(title, x + pad, middle);
  const note = layout.lens.note(box.key, store);
  const used = ctx.measureText(title).width + size * 0.6;
  if (note && room - used > size * 3) {
    ctx.font = `400 ${size * 0.86}px ${palette.font}`;
    ctx.fillStyle = layout.lens.state(box.key, store) === "bad" ? palette.failed : palette.muted;
    ctx.fillText(clip(note, room - used, size * 0.86, palette.letter), x + pad + used, middle);
  }
  drawUse(ctx, scene, place, box, { x: x + pad, y: y + high * 0.78, w: w - 2 * pad });
}

/** Draws what leads to the pods of a lane: a card each, and an arrow from column to column. */
function drawCards(ctx, scene, place, box) {
  const { palette, layout } = scene;
  const size = Math.min(12, 0.26 * layout.cardHeight * place.k);
  const tone = { plain: palette.line, warn: palette.warn, bad: palette.failed };
  box.stages.forEach((cards, column) => {
    cards.forEach((card, row) => {
      const at = layout.cardAt(box, column, row);
      const x = Math.round((at.x - place.x) * place.k);
      const y = Math.round((at.y - place.y) * place.k);
      const [w, h] = [at.w * place.k, at.h * place.k];
      ctx.fillStyle = palette.card;
      ctx.strokeStyle = tone[card.state];
      ctx.lineWidth = card.state === "plain" ? 1 : 2;
      ctx.beginPath();
      ctx.roundRect(x + 0.5, y + 0.5, w - 1, h - 1, Math.min(5, 3 * place.k));
      ctx.fill();
      ctx.stroke();
      if (leads(box, column)) arrow(ctx, palette, x + w + 2, y + h / 2, layout.gap * place.k - 4);
      if (size >= 6.5) cardText(ctx, palette, card, { x: x + size * 0.7, y, w: w - size * 1.4, h, size });
    });
  });
}

/** Whether something stands right of a column of a lane. */
const leads = (box, column) => box.count > 0 || box.stages.slice(column + 1).some((cards) => cards.length);

function arrow(ctx, palette, x, y, long) {
  if (long < 4) return;
  ctx.strokeStyle = palette.muted;
  ctx.lineWidth = 1;
  path(ctx, [[x, y], [x + long, y]]);
  path(ctx, [[x + long - 4, y - 3], [x + long, y], [x + long - 4, y + 3]]);
}

function cardText(ctx, palette, card, { x, y, w, h, size }) {
  const line = (text, weight, colour, share, scale = 1) => {
    ctx.font = `${weight} ${size * scale}px ${palette.font}`;
    ctx.fillStyle = colour;
    ctx.fillText(clip(text, w, size * scale, weight === 600 ? palette.boldLetter : palette.letter), x, y + h * share);
  };
  ctx.textBaseline = "middle";
  line(card.kind, 500, palette.muted, 0.2, 0.84);
  line(card.name, 600, palette.ink, 0.5);
  line(card.note, 400, palette.muted, 0.8, 0.9);
}

function drawUse(ctx, scene, place, box, at) {
  const room = scene.layout.lens.room(box.key, scene.store);
  if (!room || place.k < 0.8) return;
  const high = Math.max(1, Math.min(3, Math.round(1.2 * place.k)));
  const share = Math.min(1, box.cpu / room);
  ctx.fillStyle = scene.palette.line;
  ctx.fillRect(at.x, at.y, at.w, high);
  ctx.fillStyle = share > 0.9 ? scene.palette.warn : scene.palette.accent;
  ctx.fillRect(at.x, at.y, at.w * share, high);
}

/** Far away: one mark for the worst of a box's pods, and how many there are. */
function drawTile(ctx, scene, place, box, at) {
  const classes = new Set();
  let bright = false;
  for (const uid of box.slots) {
    const pod = uid && scene.store.pods.get(uid);
    if (!pod) continue;
    classes.add(pod.cls);
    bright ||= !scene.test || scene.test(pod);
  }
  ctx.globalAlpha = bright ? 1 : DIM;
  ctx.fillStyle = scene.palette[worst(classes)];
  const share = Math.min(1, 0.25 + (0.75 * box.count) / Math.max(1, box.cap));
  const high = (at.h - 6) * share;
  ctx.fillRect(at.x + 3, at.y + at.h - 3 - high, at.w - 6, high);
  ctx.globalAlpha = 1;
}

function drawPods(ctx, scene, place, boxes) {
  // One pass per colour and brightness: changing the style costs more than filling.
  const groups = new Map();
  for (const box of boxes) {
    for (let slot = 0; slot < box.slots.length; slot += 1) {
      const pod = box.slots[slot] && scene.store.pods.get(box.slots[slot]);
      if (!pod) continue;
      const dim = Boolean(scene.test) && !scene.test(pod);
      const key = dim ? `${pod.cls}~` : pod.cls;
      let group = groups.get(key);
      if (!group) groups.set(key, (group = { cls: pod.cls, dim, list: [] }));
      group.list.push(pod, box, slot);
    }
  }
  for (const { cls, dim, list } of groups.values()) {
    ctx.globalAlpha = dim ? DIM : 1;
    for (let i = 0; i < list.length; i += 3) {
      const corner = scene.layout.slotCorner(list[i + 1], list[i + 2]);
      drawPod(ctx, scene, place, list[i], cls, corner);
    }
  }
  ctx.globalAlpha = 1;
}

/** Draws one pod at a corner of the world. */
export function drawPod(ctx, scene, place, pod, cls, corner) {
  const size = podSize(place.k);
  const x = (corner.x - place.x) * place.k;
  const y = (corner.y - place.y) * place.k;
  if (x > place.w || y > place.h || x + size < 0 || y + size < 0) return;
  const { palette } = scene;
  if (size >= CARD_FROM) drawCard(ctx, scene, pod, cls, Math.round(x), Math.round(y), Math.round(size));
  else if (size >= SHAPE_FROM) drawShape(ctx, palette, cls, Math.round(x), Math.round(y), Math.round(size), palette.tile);
  else {
    ctx.fillStyle = palette[cls];
    ctx.fillRect(x, y, size, size);
  }
}

/** Draws a status: the square says what it is, with or without colour. */
export function drawShape(ctx, palette, cls, x, y, size, ground) {
  const colour = palette[cls];
  const line = Math.max(1.2, size / 9);
  ctx.fillStyle = colour;
  ctx.strokeStyle = colour;
  ctx.lineWidth = line;
  const inset = line / 2;
  if (cls === "running") return ctx.fillRect(x, y, size, size);
  if (cls === "pending") {
    ctx.setLineDash([size / 4, size / 6]);
    ctx.strokeRect(x + inset, y + inset, size - line, size - line);
    return ctx.setLineDash([]);
  }
  if (cls === "creating") {
    ctx.strokeRect(x + inset, y + inset, size - line, size - line);
    return ctx.fillRect(x, y + size / 2, size, size / 2);
  }
  if (cls === "terminating") {
    ctx.strokeRect(x + inset, y + inset, size - line, size - line);
    return path(ctx, [[x, y + size], [x + size, y]]);
  }
  if (cls === "failed" || cls === "crash") {
    ctx.fillRect(x, y, size, size);
    ctx.strokeStyle = ground;
    const far = size * 0.72;
    const near = size * 0.28;
    path(ctx, [[x + near, y + near], [x + far, y + far]]);
    return path(ctx, [[x + far, y + near], [x + near, y + far]]);
  }
  ctx.strokeRect(x + inset, y + inset, size - line, size - line);
  if (cls === "succeeded") {
    return path(ctx, [[x + size * 0.24, y + size * 0.52], [x + size * 0.44, y + size * 0.72], [x + size * 0.78, y + size * 0.3]]);
  }
  ctx.font = `700 ${size * 0.7}px sans-serif`;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.fillText("?", x + size / 2, y + size / 2 + 0.5);
  ctx.textAlign = "left";
}

function path(ctx, points) {
  ctx.beginPath();
  points.forEach(([x, y], i) => (i ? ctx.lineTo(x, y) : ctx.moveTo(x, y)));
  ctx.stroke();
}

/** Near: a card with the words. */
function drawCard(ctx, scene, pod, cls, x, y, size) {
  const { palette } = scene;
  ctx.fillStyle = palette.card;
  ctx.strokeStyle = palette[cls];
  ctx.lineWidth = cls === "running" ? 1 : 1.6;
  if (cls === "pending") ctx.setLineDash([5, 3]);
  ctx.beginPath();
  ctx.roundRect(x + 0.5, y + 0.5, size - 1, size - 1, 3);
  ctx.fill();
  ctx.stroke();
  ctx.setLineDash([]);
  const pad = Math.max(3, size * 0.06);
  const font = Math.max(8, Math.min(13, size / 8.5));
  const mark = Math.round(font * 0.95);
  drawShape(ctx, palette, cls, Math.round(x + pad), Math.round(y + pad), mark, palette.card);
  ctx.textBaseline = "alphabetic";
  ctx.font = `500 ${font}px ${palette.font}`;
  ctx.fillStyle = palette.muted;
  ctx.fillText(clip(pod.status, size - 2.6 * pad - mark, font, palette.letter), x + pad * 1.6 + mark, y + pad + font * 0.82);
  ctx.fillStyle = palette.ink;
  ctx.font = `600 ${font}px ${palette.font}`;
  const lines = nameLines(ownName(pod), size - 2 * pad, font, palette.boldLetter);
  let at = y + pad + font * 2.1;
  for (const line of lines) {
    ctx.fillText(line, x + pad, at);
    at += font * 1.2;
  }
  ctx.font = `400 ${font * 0.92}px ${palette.font}`;
  ctx.fillStyle = palette.muted;
  const rest = [pod.ready, pod.restarts ? t.restartsOf(pod.restarts) : "", pod.ip].filter(Boolean);
  for (const line of rest) {
    if (at > y + size - pad * 0.5) break;
    ctx.fillText(clip(line, size - 2 * pad, font * 0.92, palette.letter), x + pad, at);
    at += font * 1.2;
  }
}

/** Returns a pod's name; a static pod's ends with its node's, which stands above it. */
export const ownName = (pod) => (pod.node && pod.name.endsWith(`-${pod.node}`) ? pod.name.slice(0, -1 - pod.node.length) : pod.name);

/** Breaks a name over two lines at a dash, as its end tells pods apart. */
function nameLines(name, room, font, letter) {
  // A name's end may have wide letters only, such as "mmw4w": a tenth is left for them.
  const fits = Math.floor(room / (font * letter * 1.1));
  if (name.length <= fits) return [name];
  const cut = name.lastIndexOf("-", fits);
  const at = cut > 2 ? cut + 1 : fits;
  const rest = name.slice(at);
  return [name.slice(0, at), rest.length > fits ? `…${rest.slice(1 - fits)}` : rest];
}

/** Shortens a text to a width, by the mean width of its letters. */
export function clip(text, room, size, letter) {
  const fits = Math.floor(room / (size * letter));
  if (text.length <= fits) return text;
  return fits < 2 ? "" : `${text.slice(0, fits - 1)}…`;
}
