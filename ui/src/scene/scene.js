// The picture: a canvas, a cached bitmap of the world around the view, and what is drawn when.
//
// The cache ("base") holds the clean world, half a view wider than what is seen. While one pans or
// zooms, a frame is one copy of it; 120 ms after the last move it is drawn anew, sharp. When still,
// a change redraws its own rectangle alone. Marks (selection, hover, motion) are drawn on the
// visible canvas over the copy, and wiped by copying again.
import { Animations, ease } from "./anim.js";
import { fit, keepInSight, pan, toScreen, toWorld, zoom } from "./camera.js";
import { drawBox, drawPod, drawScene, podSize, TILE_BELOW } from "./draw.js";
import { POD } from "./layout.js";

const OVERSCAN = 0.125; // of the view, on each side
const REST = 120; // ms after the last move until the world is drawn anew
const HEADS_EVERY = 400; // ms between two redraws of headings with counts
const FLASH_FRAME = 75; // ms between frames when nothing moves but a border
const TWEEN = 300; // ms in which pods go from where one lens has them to where another has
const SLOW = 12; // ms of a frame while moving, over which the cache is made coarser

export class Scene {
  constructor(canvas, store) {
    this.canvas = canvas;
    this.ctx = canvas.getContext("2d", { alpha: false });
    this.base = document.createElement("canvas");
    this.baseCtx = this.base.getContext("2d", { alpha: false });
    this.store = store;
    this.layout = null;
    this.palette = {};
    this.test = null;
    this.camera = { x: 0, y: 0, k: 1 };
    this.view = { w: 0, h: 0 };
    this.ratio = 1;
    this.selected = null;
    this.hovered = null;
    this.related = [];
    this.picked = new Set();
    this.lasso = null;
    this.tween = null;
    this.anim = new Animations();
    this.dirty = new Set();
    this.dirtyBoxes = new Set();
    this.stats = { drawn: 0, full: 0, frames: 0, slow: 0 };
    this.place = { x: 0, y: 0, k: 1, w: 0, h: 0 };
    this.needFull = true;
    this.needCopy = true;
    this.marks = [];
    this.movedAt = 0;
    this.headsAt = 0;
    this.frameId = 0;
    this.timer = 0;
    this.hidden = false;
  }

  resize(w, h, ratio) {
    this.view = { w, h };
    this.ratio = Math.min(2, ratio);
    this.canvas.width = Math.round(w * this.ratio);
    this.canvas.height = Math.round(h * this.ratio);
    this.base.width = Math.ceil(w * (1 + 2 * OVERSCAN) * this.ratio);
    this.base.height = Math.ceil(h * (1 + 2 * OVERSCAN) * this.ratio);
    this.redraw();
  }

  setLayout(layout) {
    const from = this.anim.enabled && this.layout && !this.hidden ? this.corners() : null;
    this.layout = layout;
    this.anim.clear();
    this.tween = from && { from, start: performance.now() };
    this.redraw();
  }

  /** Where each pod is on the screen now, of those that are seen. */
  corners() {
    const found = new Map();
    for (const uid of this.layout.where.keys()) {
      const corner = this.layout.corner(uid);
      const at = toScreen(this.camera, corner.x, corner.y);
      if (at.x > -50 && at.y > -50 && at.x < this.view.w && at.y < this.view.h) found.set(uid, { ...at, size: podSize(this.camera.k) });
    }
    return found;
  }

  fit() {
    this.camera = fit(this.layout, this.view);
    this.redraw();
  }

  panBy(dx, dy) {
    this.moveTo(pan(this.camera, dx, dy));
  }

  zoomBy(factor, sx = this.view.w / 2, sy = this.view.h / 2) {
    this.moveTo(zoom(this.camera, factor, sx, sy));
  }

  moveTo(camera) {
    this.camera = keepInSight(camera, this.layout, this.view);
    this.movedAt = performance.now();
    this.needCopy = true;
    this.request();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.redraw(), REST);
  }

  /** Brings a pod into view, if it is not; what covers the right edge does not count as view. */
  reveal(uid, covered = 0) {
    const corner = this.layout.corner(uid);
    if (!corner) return;
    const at = toScreen(this.camera, corner.x, corner.y);
    const size = podSize(this.camera.k);
    const margin = 24;
    const dx = at.x < margin ? margin - at.x : Math.min(0, this.view.w - covered - margin - size - at.x);
    const dy = at.y < margin ? margin - at.y : Math.min(0, this.view.h - margin - size - at.y);
    if (dx || dy) this.panBy(dx, dy);
  }

  toWorld(sx, sy) {
    return toWorld(this.camera, sx, sy);
  }

  whereIs(uid) {
    const corner = this.layout.corner(uid);
    return corner && toScreen(this.camera, corner.x + POD / 2, corner.y + POD / 2);
  }

  /** Draws the whole world anew with the next frame. */
  redraw() {
    this.needFull = true;
    this.request();
  }

  changed(uid) {
    this.dirty.add(uid);
    const at = this.layout.where.get(uid);
    if (at) this.dirtyBoxes.add(at.box);
    this.request();
  }

  /** A slot is empty now: wipe it. */
  emptied(at) {
    this.dirtyBoxes.add(at.box);
    this.dirty.add(at);
    this.request();
  }

  mark(selected, related) {
    this.selected = selected;
    this.related = related;
    this.needCopy = true;
    this.request();
  }

  hover(uid) {
    if (this.hovered === uid) return;
    this.hovered = uid;
    this.request();
  }

  setHidden(hidden) {
    this.hidden = hidden;
    if (hidden) this.anim.clear();
    else this.redraw();
  }

  request() {
    if (!this.frameId && !this.hidden && this.view.w) {
      this.frameId = requestAnimationFrame(() => this.frame());
    }
  }

  frame() {
    this.frameId = 0;
    if (!this.layout || this.hidden || !this.view.w) return;
    const begun = performance.now();
    const moving = begun - this.movedAt < REST;
    this.stats.frames += 1;
    if (this.needFull && (!moving || this.outside())) this.drawBase();
    else this.drawDirty(begun);
    if (this.tween) return this.drawTween(begun);
    this.anim.alive(begun);
    if (this.needCopy || moving || this.marked) this.copyAll();
    else this.copyMarks();
    this.drawMarks(begun);
    if (moving && performance.now() - begun > SLOW) this.stats.slow += 1;
    this.again();
  }

  /** Pods on their way from one lens to another, over the new picture as it appears. */
  drawTween(now) {
    const { ctx, ratio, view, tween } = this;
    const part = (now - tween.start) / TWEEN;
    this.copyAll();
    if (part >= 1) {
      this.tween = null;
      return this.request();
    }
    const way = ease(Math.max(0, part));
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.globalAlpha = 1 - way;
    ctx.fillStyle = this.palette.ground;
    ctx.fillRect(0, 0, view.w, view.h);
    ctx.globalAlpha = 1;
    const size = podSize(this.camera.k);
    for (const [uid, from] of tween.from) {
      const pod = this.store.pods.get(uid);
      const corner = pod && this.layout.corner(uid);
      if (!corner) continue;
      const to = toScreen(this.camera, corner.x, corner.y);
      const side = from.size + (size - from.size) * way;
      ctx.fillStyle = this.palette[pod.cls];
      ctx.fillRect(from.x + (to.x - from.x) * way, from.y + (to.y - from.y) * way, side, side);
    }
    return this.request();
  }

  /** Asks for the next frame, if something still moves. */
  again() {
    if (!this.anim.active) return;
    if (this.anim.smooth) this.request();
    else setTimeout(() => this.request(), FLASH_FRAME);
  }

  /** Whether the cache lacks most of what is seen now. */
  outside() {
    const { place, camera, view } = this;
    const scale = camera.k / place.k;
    if (scale > 2.5 || scale < 0.4) return true;
    const dx = Math.abs(camera.x - place.x) * place.k;
    const dy = Math.abs(camera.y - place.y) * place.k;
    return dx > view.w || dy > view.h;
  }

  drawBase() {
    const { camera, view } = this;
    const margin = { x: Math.round(view.w * OVERSCAN), y: Math.round(view.h * OVERSCAN) };
    this.margin = margin;
    this.place = {
      k: camera.k,
      x: camera.x - margin.x / camera.k,
      y: camera.y - margin.y / camera.k,
      w: view.w + 2 * margin.x,
      h: view.h + 2 * margin.y,
    };
    this.baseCtx.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    drawScene(this.baseCtx, this, this.place);
    this.dirty.clear();
    this.dirtyBoxes.clear();
    this.needFull = false;
    this.needCopy = true;
    this.stats.full += 1;
  }

  drawDirty(now) {
    if (!this.dirty.size && !this.dirtyBoxes.size) return;
    const tiles = podSize(this.place.k) < TILE_BELOW;
    if (tiles || (this.dirtyBoxes.size && now - this.headsAt > HEADS_EVERY)) {
      this.drawDirtyBoxes(tiles, now);
    }
    if (!tiles) for (const one of this.dirty) this.drawDirtyPod(one);
    this.dirty.clear();
    if (this.dirtyBoxes.size) setTimeout(() => this.request(), HEADS_EVERY);
  }

  drawDirtyBoxes(tiles, now) {
    this.headsAt = now;
    for (const box of this.dirtyBoxes) {
      if (!this.layout.boxes.has(box.key)) continue;
      drawBox(this.baseCtx, this, this.place, box, tiles);
      if (!tiles) for (const uid of box.slots) if (uid) this.drawDirtyPod(uid, false);
      this.wipe(box.x, box.y, box.w, box.h);
    }
    this.dirtyBoxes.clear();
  }

  drawDirtyPod(one, clean = true) {
    const uid = typeof one === "string" ? one : null;
    const at = uid ? this.layout.where.get(uid) : one;
    if (!at) return;
    const corner = this.layout.slotCorner(at.box, at.slot);
    const { k, x, y } = this.place;
    if (clean) {
      const size = POD * k;
      this.baseCtx.fillStyle = this.layout.isTray(at.box) ? this.palette.tray : this.palette.tile;
      // Whole pixels: half of one would leave a trace of what was there.
      this.baseCtx.fillRect(Math.floor((corner.x - x) * k) - 1, Math.floor((corner.y - y) * k) - 1, Math.ceil(size) + 2, Math.ceil(size) + 2);
      this.wipe(corner.x, corner.y, POD, POD);
    }
    const pod = this.store.pods.get(at.box.slots[at.slot]);
    if (!pod) return;
    if (this.test && !this.test(pod)) this.baseCtx.globalAlpha = 0.16;
    drawPod(this.baseCtx, this, this.place, pod, pod.cls, corner);
    this.baseCtx.globalAlpha = 1;
    this.stats.drawn += 1;
  }

  /** Notes that a part of the world must be copied to the screen. */
  wipe(x, y, w, h) {
    const at = toScreen(this.camera, x, y);
    this.marks.push([at.x - 4, at.y - 4, w * this.camera.k + 8, h * this.camera.k + 8]);
  }

  copyAll() {
    const { ctx, ratio, camera, place, view } = this;
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    const scale = camera.k / place.k;
    const dx = (place.x - camera.x) * camera.k;
    const dy = (place.y - camera.y) * camera.k;
    const covered = dx <= 0 && dy <= 0 && dx + place.w * scale >= view.w && dy + place.h * scale >= view.h;
    if (!covered) {
      ctx.fillStyle = this.palette.ground;
      ctx.fillRect(0, 0, view.w, view.h);
    }
    ctx.imageSmoothingEnabled = scale !== 1;
    // Whole pixels keep a still picture sharp.
    const round = scale === 1 ? (v) => Math.round(v * ratio) / ratio : (v) => v;
    ctx.drawImage(this.base, round(dx), round(dy), place.w * scale, place.h * scale);
    this.marks = [];
    this.needCopy = false;
  }

  copyMarks() {
    const { ctx, ratio, margin, view } = this;
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    for (const [x, y, w, h] of this.marks) {
      const left = Math.max(0, Math.floor(x * ratio));
      const top = Math.max(0, Math.floor(y * ratio));
      const width = Math.min(Math.ceil((x + w) * ratio), view.w * ratio) - left;
      const height = Math.min(Math.ceil((y + h) * ratio), view.h * ratio) - top;
      if (width <= 0 || height <= 0) continue;
      const sx = left + margin.x * ratio;
      const sy = top + margin.y * ratio;
      ctx.drawImage(this.base, sx, sy, width, height, left, top, width, height);
    }
    this.marks = [];
  }

  drawMarks(now) {
    const { ctx, ratio } = this;
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    for (const uid of this.related) this.ring(uid, this.palette.accent, 1.5);
    for (const uid of this.picked) this.ring(uid, this.palette.select, 2);
    if (this.lasso) this.drawLasso();
    if (this.hovered && this.hovered !== this.selected) this.ring(this.hovered, this.palette.ink, 1.5);
    if (this.selected) {
      this.edges();
      this.ring(this.selected, this.palette.select, 3);
    }
    for (const one of this.anim.running) this.drawMotion(one, now);
    for (const [box, { count }] of this.anim.counts) this.drawCount(box, count);
  }

  ring(uid, colour, width) {
    const corner = this.layout.corner(uid);
    if (!corner) return;
    const at = toScreen(this.camera, corner.x, corner.y);
    const size = Math.max(4, podSize(this.camera.k));
    const out = width / 2 + 1;
    this.ctx.strokeStyle = colour;
    this.ctx.lineWidth = width;
    this.ctx.strokeRect(at.x - out, at.y - out, size + 2 * out, size + 2 * out);
    this.marks.push([at.x - 6, at.y - 6, size + 12, size + 12]);
  }

  /** Whether there is so much over the picture that it is copied anew each time. */
  get marked() {
    return this.related.length > 0 || Boolean(this.selected && this.layout.lens.columns) || this.picked.size > 0 || this.lasso !== null;
  }

  /** Rings around the pods that an action will be about. */
  pick(uids) {
    this.picked = uids;
    this.needCopy = true;
    this.request();
  }

  /** The frame that one draws around pods: {x, y, w, h} on the screen, or null. */
  frameIn(lasso) {
    this.lasso = lasso;
    this.needCopy = true;
    this.request();
  }

  drawLasso() {
    const { x, y, w, h } = this.lasso;
    this.ctx.strokeStyle = this.palette.select;
    this.ctx.lineWidth = 1.5;
    this.ctx.setLineDash([5, 4]);
    this.ctx.strokeRect(x, y, w, h);
    this.ctx.setLineDash([]);
  }

  /** The pods whose middle is in a frame of the screen. */
  within({ x, y, w, h }) {
    const found = [];
    for (const uid of this.layout.where.keys()) {
      const at = this.whereIs(uid);
      if (at.x >= x && at.x <= x + w && at.y >= y && at.y <= y + h) found.push(uid);
    }
    return found;
  }

  /** In a lane, a line from the selection to each card of its last column: what leads to it, or what it uses. */
  cardEdges(from) {
    const { layout, camera, ctx } = this;
    const box = layout.where.get(this.selected)?.box;
    const column = box?.stages.findLastIndex((cards) => cards.length) ?? -1;
    for (let row = 0; column >= 0 && row < box.stages[column].length; row += 1) {
      const card = layout.cardAt(box, column, row);
      const to = toScreen(camera, card.x + card.w, card.y + card.h / 2);
      ctx.moveTo(from.x, from.y);
      ctx.lineTo(to.x, to.y);
    }
  }

  /** Lines from the selection to what belongs to it: only when they stay readable. */
  edges() {
    const from = this.whereIs(this.selected);
    if (!from || this.related.length > 60) return;
    this.ctx.strokeStyle = this.palette.accent;
    this.ctx.lineWidth = 1;
    this.ctx.globalAlpha = 0.55;
    this.ctx.beginPath();
    for (const uid of this.related) {
      const to = this.whereIs(uid);
      if (!to) continue;
      this.ctx.moveTo(from.x, from.y);
      this.ctx.lineTo(to.x, to.y);
    }
    this.cardEdges(from);
    this.ctx.stroke();
    this.ctx.globalAlpha = 1;
  }

  drawMotion(one, now) {
    const part = Math.min(1, (now - one.start) / (one.end - one.start));
    if (one.type === "flash") {
      this.ctx.globalAlpha = 1 - part * 0.7;
      this.ring(one.uid, this.palette.accent, 2.5);
      this.ctx.globalAlpha = 1;
      return;
    }
    const size = podSize(this.camera.k);
    let corner = one.from;
    if (one.type === "fly") {
      const to = this.layout.corner(one.uid);
      if (!to) return;
      const way = ease(part);
      const from = one.from ?? toWorld(this.camera, one.screen.x, one.screen.y);
      corner = { x: from.x + (to.x - from.x) * way, y: from.y + (to.y - from.y) * way };
    }
    const at = toScreen(this.camera, corner.x, corner.y);
    this.ctx.globalAlpha = one.type === "fade" ? 1 - part : 0.9;
    this.ctx.fillStyle = this.palette[one.cls];
    this.ctx.fillRect(at.x, at.y, size, size);
    this.ctx.globalAlpha = 1;
    this.marks.push([at.x - 2, at.y - 2, size + 4, size + 4]);
  }

  drawCount(box, count) {
    if (!count) return;
    const at = toScreen(this.camera, box.x + box.w / 2, box.y + box.h / 2);
    const text = count > 0 ? `+${count}` : `−${-count}`;
    const { ctx, palette } = this;
    ctx.font = `700 14px ${palette.font}`;
    const w = ctx.measureText(text).width + 14;
    ctx.fillStyle = palette.select;
    ctx.beginPath();
    ctx.roundRect(at.x - w / 2, at.y - 12, w, 24, 12);
    ctx.fill();
    ctx.fillStyle = palette.ground;
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    ctx.fillText(text, at.x, at.y + 1);
    ctx.textAlign = "left";
    this.marks.push([at.x - w / 2 - 2, at.y - 14, w + 4, 28]);
  }

  destroy() {
    cancelAnimationFrame(this.frameId);
    clearTimeout(this.timer);
    this.layout = null;
  }
}
