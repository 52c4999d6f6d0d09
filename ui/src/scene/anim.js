// Motion that means something, and never too much of it.
//
// flash: a status changed; fly: a pod got its node; fade: a pod went. More than MOST at once are
// counted on their box instead.

export const MOST = 20;
const LASTS = { flash: 450, fly: 300, fade: 250, ripple: 1100 };

export class Animations {
  constructor() {
    this.running = [];
    this.counts = new Map();
    this.enabled = true;
    this.flown = false;
  }

  get size() {
    return this.running.length;
  }

  /** Whether something moves across the screen: then every frame counts, else every sixth does. */
  get smooth() {
    return this.running.some((one) => one.type === "fly" || one.type === "fade");
  }

  add(type, uid, details, now) {
    if (!this.enabled) return;
    if (this.running.length >= MOST) {
      if (type !== "flash" && details.box) this.ripple(details.box, type === "fade" ? -1 : 1, now);
      return;
    }
    const old = this.running.findIndex((one) => one.uid === uid && one.type === type);
    if (old >= 0) this.running.splice(old, 1);
    this.running.push({ type, uid, start: now, end: now + LASTS[type], ...details });
  }

  ripple(box, by, now) {
    const known = this.counts.get(box);
    const count = (known && known.end > now ? known.count : 0) + by;
    this.counts.set(box, { count, end: now + LASTS.ripple });
  }

  /** Drops what is over. Returns what is left to draw. */
  alive(now) {
    this.running = this.running.filter((one) => one.end > now);
    for (const [box, ripple] of this.counts) if (ripple.end <= now) this.counts.delete(box);
    return this.running;
  }

  get active() {
    return this.running.length > 0 || this.counts.size > 0;
  }

  clear() {
    this.running = [];
    this.counts.clear();
  }
}

/** Starts fast and ends softly. */
export const ease = (x) => 1 - (1 - x) ** 3;
