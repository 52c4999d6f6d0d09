// The token of a request: where it is, while it is played. No drawing here.
//
// Live takes some 1.4 s from end to end, slow four times as long; by steps it moves when it is told to.
// A hop's share of the time grows with how long it really took, but each is seen.

export const LIVE_MS = 1400;
const SLOW = 4;
// Two hops of which one took ten times as long: it gets twice the share.
const SHARE = (micros) => 1 + Math.log10(1 + Math.max(micros, 0) / 10);

/** Returns when a token arrives at each hop, in parts of the whole: [0, …, 1]. */
export function scheduleOf(hops, route) {
  const shares = route.slice(0, -1).map((name) => SHARE(hops.find((hop) => hop.name === name).micros));
  const total = shares.reduce((sum, one) => sum + one, 0) || 1;
  let at = 0;
  return [0, ...shares.map((share) => (at += share / total))];
}

export class Player {
  /** @param {{changed: () => void, now?: () => number, next?: (work: () => void) => number, stop?: (id: number) => void}} owner */
  constructor({ changed, now = () => performance.now(), next = (work) => requestAnimationFrame(work), stop = (id) => cancelAnimationFrame(id) }) {
    Object.assign(this, { changed, now, nextFrame: next, stopFrame: stop });
    this.route = [];
    this.times = [0];
    this.at = 0; // the hop that it is at, or left last
    this.part = 0; // how far it is to the next one
    this.speed = "live";
    this.frame = 0;
  }

  load(hops, route) {
    this.halt();
    this.route = route;
    this.times = scheduleOf(hops, route);
    this.at = Math.max(route.length - 1, 0);
    this.part = 0;
  }

  /** Takes a longer way of the same request: a token that is under way goes on, one at the end is at the new one. */
  extend(hops, route) {
    const { at, part, playing } = this;
    const ended = at >= this.route.length - 1;
    this.route = route;
    this.times = scheduleOf(hops, route);
    this.at = ended && !playing ? Math.max(route.length - 1, 0) : Math.min(at, Math.max(route.length - 1, 0));
    if (!playing) return;
    const next = this.times[Math.min(this.at + 1, route.length - 1)];
    const done = this.times[this.at] + part * (next - this.times[this.at]);
    this.began = this.now() - done * this.length;
  }

  get length() {
    return LIVE_MS * (this.speed === "slow" ? SLOW : 1);
  }

  get playing() {
    return this.frame !== 0;
  }

  play() {
    this.halt();
    this.at = 0;
    this.part = 0;
    if (this.speed === "step" || this.route.length < 2) return this.changed();
    this.began = this.now();
    this.tick();
    return undefined;
  }

  /** Goes one hop on; from the last one to the first. */
  step() {
    this.halt();
    this.at = this.at + 1 >= this.route.length ? 0 : this.at + 1;
    this.part = 0;
    this.changed();
  }

  halt() {
    if (this.frame) this.stopFrame(this.frame);
    this.frame = 0;
  }

  tick() {
    const done = Math.min((this.now() - this.began) / this.length, 1);
    const last = this.route.length - 1;
    while (this.at < last && this.times[this.at + 1] <= done) this.at += 1;
    const [from, to] = [this.times[this.at], this.times[Math.min(this.at + 1, last)]];
    this.part = this.at < last && to > from ? (done - from) / (to - from) : 0;
    this.frame = done < 1 ? this.nextFrame(() => this.tick()) : 0;
    this.changed();
  }
}
