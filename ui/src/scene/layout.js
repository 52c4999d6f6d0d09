// Where every pod stands: O(n), the same for the same cluster, and stable while it changes.
//
// A pod keeps its slot as long as it stays in its box. A new pod takes the lowest free slot, a new
// box the next place in its band. Boxes move only when one has to grow, or when asked to.

export const POD = 12;
export const GAP = 3;
export const PITCH = POD + GAP;
export const PAD = 7;
export const HEAD = 21;
const BAND_HEAD = 18;
const BOX_GAP = 10;
const BAND_GAP = 14;
const MIN_WIDTH = 96;
// How many slots a box may have: it grows in steps, so that it seldom does.
const STEPS = [12, 24, 40, 60, 84, 112, 160, 240, 360, 540, 800, 1200, 2000, 4000, 8000, 20_000];

/** Returns the least step that holds n. */
export function capacity(n) {
  return STEPS.find((step) => step >= n) ?? n;
}

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
    this.aspect = 1.6;
    this.stale = true;
    this.fill();
  }

  /** Places everything from nothing, in order. */
  fill() {
    const { lens, store } = this;
    if (lens.tray) this.box("");
    const keys = new Set(lens.standing(store));
    for (const pod of store.pods.values()) keys.add(lens.boxOf(pod));
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
      box = { key, band: this.lens.bandOf(key, this.store), slots: [], free: 0, count: 0, cap: capacity(1), cols: 4, rows: 3, x: 0, y: 0, w: 0, h: 0, cpu: 0 };
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
    const key = this.lens.boxOf(pod);
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

  /** Gives every box its place. `aspect` is what the picture should have; null keeps the wrap. */
  arrange(aspect = null) {
    this.measure();
    if (aspect) {
      this.aspect = aspect;
      this.wrap = this.bestWrap();
    }
    this.flow(this.wrap || this.bestWrap());
    this.stale = false;
  }

  measure() {
    let most = 1;
    if (this.lens.uniform) {
      for (const box of this.boxes.values()) if (!this.isTray(box)) most = Math.max(most, box.cap);
    }
    for (const box of this.boxes.values()) {
      const slots = this.lens.uniform && !this.isTray(box) ? most : box.cap;
      box.cols = this.isTray(box) ? 4 : Math.max(6, Math.ceil(Math.sqrt(slots * 1.7)));
      box.rows = Math.ceil(slots / box.cols);
      box.w = Math.max(MIN_WIDTH, box.cols * PITCH - GAP + 2 * PAD);
      if (this.isTray(box)) box.w = 4 * PITCH - GAP + 2 * PAD;
      box.h = HEAD + box.rows * PITCH - GAP + PAD;
    }
  }

  /** Tries a few widths and takes the one whose picture fits the shape of the screen best. */
  bestWrap() {
    let area = 0;
    let widest = MIN_WIDTH;
    for (const box of this.boxes.values()) {
      area += (box.w + BOX_GAP) * (box.h + BOX_GAP);
      widest = Math.max(widest, box.w);
    }
    const guess = Math.sqrt(area * this.aspect);
    let best = { scale: 0, wrap: widest };
    for (let factor = 0.5; factor <= 2.4; factor *= 1.12) {
      const wrap = Math.max(widest, guess * factor);
      this.flow(wrap);
      const scale = Math.min(this.aspect / this.width, 1 / this.height);
      if (scale > best.scale * 1.001) best = { scale, wrap };
    }
    return best.wrap;
  }

  flow(wrap) {
    const tray = this.lens.tray ? this.boxes.get("") : null;
    const left = tray ? tray.w + 2 * BOX_GAP : 0;
    const named = [...this.bands.keys()].some((key) => this.lens.bandTitle(key));
    let y = 0;
    let right = left;
    for (const band of this.bands.values()) {
      if (y) y += BAND_GAP;
      band.x = left;
      band.y = y;
      if (named) y += BAND_HEAD;
      let x = left;
      let tallest = 0;
      for (const box of band.boxes) {
        if (x > left && x + box.w > left + wrap) {
          x = left;
          y += tallest + BOX_GAP;
          tallest = 0;
        }
        box.x = x;
        box.y = y;
        x += box.w + BOX_GAP;
        tallest = Math.max(tallest, box.h);
        right = Math.max(right, x - BOX_GAP);
      }
      y += tallest;
    }
    if (tray) {
      tray.x = 0;
      tray.y = 0;
      tray.h = Math.max(tray.h, y, HEAD + 3 * PITCH);
    }
    this.named = named;
    this.width = Math.max(right, tray ? tray.w : 0, MIN_WIDTH);
    this.height = Math.max(y, tray ? tray.h : 0, HEAD + PITCH);
  }

  /** Returns the corner of a pod's square in the world, or null. */
  corner(uid) {
    const at = this.where.get(uid);
    return at && this.slotCorner(at.box, at.slot);
  }

  slotCorner(box, slot) {
    return {
      x: box.x + PAD + (slot % box.cols) * PITCH,
      y: box.y + HEAD + Math.floor(slot / box.cols) * PITCH,
    };
  }
}
