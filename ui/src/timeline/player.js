// Plays the log: goes from revision to revision at a speed, until the newest.
import { playedIn } from "./model.js";

const TICK = 100; // ms
export const SPEEDS = [1, 5, 10, 50];

export class Player {
  /** `at()` tells where one is, `go(rev)` goes there and returns false at the end. */
  constructor(at, go, changed) {
    this.at = at;
    this.go = go;
    this.changed = changed;
    this.speed = SPEEDS[0];
    this.timer = null;
    this.owed = 0;
  }

  get playing() {
    return this.timer !== null;
  }

  toggle() {
    if (this.playing) this.stop();
    else this.start();
  }

  start() {
    this.owed = 0;
    this.timer = setInterval(() => this.tick(), TICK);
    this.changed();
  }

  stop() {
    if (!this.playing) return;
    clearInterval(this.timer);
    this.timer = null;
    this.changed();
  }

  tick() {
    this.owed += playedIn(TICK / 1000, this.speed);
    const whole = Math.floor(this.owed);
    if (!whole) return;
    this.owed -= whole;
    if (!this.go(this.at() + whole)) this.stop();
  }
}
