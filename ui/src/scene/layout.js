// Where every pod stands: O(n), the same for the same cluster, and stable while it changes.
//
// A pod keeps its slot as long as it stays in its box. A new pod takes the lowest free slot, a new
// box the next place in its band. Boxes move only when one has to grow, or when asked to.

import { FIT_MAX } from "./camera.js";

export const POD = 12;
export const GAP = 3;
export const PITCH = POD + GAP;
// What surrounds the pods, in pixels when the whole picture is fitted to the screen: a heading
// needs room for its text, however few or many boxes there are. In the world's units it is less
// the larger everything is drawn, and never more than `most`.
const FRAME = {
  head: { px: 34, most: 21 },
  pad: { px: 14, most: 7 },
  bandHead: { px: 26, most: 18 },
  gap: { px: 18, most: 10 },
  bandGap: { px: 20, most: 14 },
  minWidth: { px: 170, most: 96 },
  // A card of a lane: what leads to the pods.
  cardWidth: { px: 168, most: 84 },
  cardHeight: { px: 46, most: 22 },
};
// How many slots a box may have: it grows in steps, so that it seldom does.
const STEPS = [8, 15, 24, 40, 60, 84, 112, 160, 240, 360, 540, 800, 1200, 2000, 4000, 8000, 20_000];

/** Returns the least step that holds n. */
export function capacity(n) {
  return STEPS.find((step) => step >= n) ?? n;
}

const trayColumns = (slots) => Math.min(4, 1 + Math.ceil(slots / 15));

export class Layout {
  constructor(lens, store) {
    this.lens = lens;
    this.store = store;
    this.boxes = new Map();
    this.bands = new Map();
    this.where = new Map();
    this.width = 0;
    this.height = 0;
    this.wrap = 0;
    this.view = { w: 1600, h: 1000 };
    this.frame(1);
    this.stale = true;
    this.fill();
  }

  /** Places everything from nothing, in order. */
  fill() {
    const { lens, store } = this;
    if (lens.tray) this.box("");
    const keys = new Set(lens.standing(store));
    for (const pod of store.pods.values()) keys.add(lens.boxOf(pod, store));
    for (const key of [...keys].sort((a, b) => lens.order(a, b, store))) this.box(key);
    this.sortBands();
    const pods = [...store.pods.values()].sort((a, b) => (a.ns === b.ns ? (a.name < b.name ? -1 : 1) : a.ns < b.ns ? -1 : 1));
    for (const pod of pods) this.put(pod);
  }

  sortBands() {
    const sorted = [...this.bands].sort(([a], [b]) => this.lens.order(a, b, this.store));
    this.bands = new Map(sorted);
  }

  box(key) {
    let box = this.boxes.get(key);
    if (!box) {
      box = { key, band: this.lens.bandOf(key, this.store), slots: [], free: 0, count: 0, cap: capacity(1), cols: 4, rows: 3, x: 0, y: 0, w: 0, h: 0, cpu: 0, lead: 0, stages: [] };
      this.boxes.set(key, box);
      if (!this.isTray(box)) {
        if (!this.bands.has(box.band)) this.bands.set(box.band, { key: box.band, boxes: [], x: 0, y: 0 });
        this.bands.get(box.band).boxes.push(box);
      }
      this.stale = true;
    }
    return box;
  }

  isTray(box) {
    return this.lens.tray && box.key === "";
  }

  /** Places a pod, or moves it if its box is another now. Returns whether it moved. */
  put(pod) {
    const key = this.lens.boxOf(pod, this.store);
    const at = this.where.get(pod.uid);
    if (at) {
      if (at.box.key === key) {
        at.box.cpu += pod.cpu - at.cpu;
        at.cpu = pod.cpu;
        return false;
      }
      this.take(pod.uid);
    }
    const box = this.box(key);
    let slot = box.free;
    while (box.slots[slot]) slot += 1;
    box.slots[slot] = pod.uid;
    box.free = slot + 1;
    box.count += 1;
    box.cpu += pod.cpu;
    if (slot >= box.cap) {
      box.cap = capacity(slot + 1);
      this.stale = true;
    }
    this.where.set(pod.uid, { box, slot, cpu: pod.cpu });
    return true;
  }

  /** Frees a pod's slot. Returns where it was. */
  take(uid) {
    const at = this.where.get(uid);
    if (!at) return null;
    const { box, slot } = at;
    box.slots[slot] = null;
    box.free = Math.min(box.free, slot);
    box.count -= 1;
    box.cpu -= at.cpu;
    this.where.delete(uid);
    return at;
  }

  /** Drops a box that stands for something deleted, once it is empty. */
  drop(key) {
    const box = this.boxes.get(key);
    if (!box || box.count || this.isTray(box)) return;
    this.boxes.delete(key);
    const band = this.bands.get(box.band);
    band.boxes = band.boxes.filter((one) => one !== box);
    if (!band.boxes.length) this.bands.delete(box.band);
    this.stale = true;
  }

  /** Follows what the store says now, moving only what must move. */
  sync() {
    for (const uid of [...this.where.keys()]) if (!this.store.pods.has(uid)) this.take(uid);
    for (const key of this.lens.standing(this.store)) this.box(key);
    for (const pod of this.store.pods.values()) this.put(pod);
  }

  /** Follows what pods are placed by, where that is more than the pods themselves. */
  follow() {
    this.sync();
    const standing = new Set(this.lens.standing(this.store));
    for (const box of [...this.boxes.values()]) if (!box.count && !standing.has(box.key)) this.drop(box.key);
    for (const band of this.bands.values()) band.boxes.sort((a, b) => this.lens.order(a.key, b.key, this.store));
    this.stale = true;
  }

  /** Gives every box its place. `view` is what the picture should fill; null keeps the wrap. */
  arrange(view = null) {
    if (view) {
      this.view = view;
      // The scale depends on the frames and they on the scale: three rounds settle it.
      let scale = 1;
      for (let round = 0; round < 3; round += 1) {
        this.frame(scale);
        this.measure();
        this.wrap = this.bestWrap();
        this.flow(this.wrap);
        scale = this.scale();
      }
    } else {
      this.measure();
      this.flow(this.wrap || this.bestWrap());
    }
    this.stale = false;
  }

  /** How large the whole world would be drawn. */
  scale() {
    return Math.min(this.view.w / this.width, this.view.h / this.height, FIT_MAX);
  }

  frame(scale) {
    for (const [name, { px, most }] of Object.entries(FRAME)) this[name] = Math.min(most, px / scale);
  }

  measure() {
    let most = 1;
    if (this.lens.uniform) {
      for (const box of this.boxes.values()) if (!this.isTray(box)) most = Math.max(most, box.cap);
    }
    for (const box of this.boxes.values()) {
      const slots = this.lens.uniform && !this.isTray(box) ? most : box.cap;
      box.cols = this.isTray(box) ? trayColumns(slots) : Math.ceil(Math.sqrt(slots * 1.8));
      box.rows = Math.ceil(slots / box.cols);
      box.w = box.cols * PITCH - GAP + 2 * this.pad;
      if (!this.isTray(box)) box.w = Math.max(box.w, this.minWidth);
      box.h = this.head + box.rows * PITCH - GAP + this.pad;
      if (this.lens.columns) this.measureLane(box);
    }
  }

  /** A lane has its cards left of the pods, in columns of equal width. */
  measureLane(box) {
    box.stages = this.lens.stages(box.key, this.store);
    box.lead = box.stages.length * (this.cardWidth + this.gap);
    const most = Math.max(1, ...box.stages.map((cards) => cards.length));
    box.w += box.lead;
    if (box.lead) box.h = Math.max(box.h, this.head + most * (this.cardHeight + GAP) + this.pad);
  }

  /** Returns where a card of a lane stands in the world. */
  cardAt(box, column, row) {
    return { x: box.x + this.pad + column * (this.cardWidth + this.gap), y: box.y + this.head + row * (this.cardHeight + GAP), w: this.cardWidth, h: this.cardHeight };
  }

  /** Tries a few widths and takes the one whose picture fits the shape of the screen best. */
  bestWrap() {
    let area = 0;
    let widest = this.minWidth;
    for (const box of this.boxes.values()) {
      if (this.isTray(box)) continue;
      area += (box.w + this.gap) * (box.h + this.gap);
      widest = Math.max(widest, box.w);
    }
    const guess = Math.sqrt((area * this.view.w) / this.view.h);
    let best = { scale: 0, wrap: widest };
    for (let factor = 0.4; factor <= 4; factor *= 1.1) {
      const wrap = Math.max(widest, guess * factor);
      this.flow(wrap);
      const scale = Math.min(this.view.w / this.width, this.view.h / this.height);
      if (scale > best.scale * 1.001) best = { scale, wrap };
    }
    return best.wrap;
  }

  flow(wrap) {
    const tray = this.lens.tray ? this.boxes.get("") : null;
    const left = tray ? tray.w + 2 * this.gap : 0;
    const named = [...this.bands.keys()].some((key) => this.lens.bandTitle(key));
    let y = 0;
    let right = left;
    for (const band of this.bands.values()) {
      if (y) y += this.bandGap;
      band.x = left;
      band.y = y;
      if (named) y += this.bandHead;
      let x = left;
      let tallest = 0;
      for (const box of band.boxes) {
        if (x > left && x + box.w > left + wrap) {
          x = left;
          y += tallest + this.gap;
          tallest = 0;
        }
        box.x = x;
        box.y = y;
        x += box.w + this.gap;
        tallest = Math.max(tallest, box.h);
        right = Math.max(right, x - this.gap);
      }
      y += tallest;
    }
    if (tray) {
      tray.x = 0;
      tray.y = 0;
      tray.h = Math.max(y, this.head + tray.rows * PITCH - GAP + this.pad);
    }
    this.named = named;
    this.width = Math.max(right, tray ? tray.w : 0, this.minWidth);
    this.height = Math.max(y, tray ? tray.h : 0, this.head + PITCH);
  }

  /** Returns the corner of a pod's square in the world, or null. */
  corner(uid) {
    const at = this.where.get(uid);
    return at && this.slotCorner(at.box, at.slot);
  }

  slotCorner(box, slot) {
    return {
      x: box.x + this.pad + box.lead + (slot % box.cols) * PITCH,
      y: box.y + this.head + Math.floor(slot / box.cols) * PITCH,
    };
  }
}
