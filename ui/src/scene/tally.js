// How many pods came or went at once, when they are too many to be shown moving one by one.
import { MOST } from "./anim.js";

const TOGETHER = 1100; // ms: what comes within this time of the one before belongs to it
const READ = 2500; // ms that one needs to read it

export class Tally {
  constructor() {
    this.until = this.end = 0;
    this.clear();
  }

  clear() {
    this.came = this.went = this.waiting = 0;
    this.boxes = new Set();
  }

  /** Notes a pod that came into a box, or with -1 one that left it. */
  note(box, by, now) {
    if (now > this.until) this.clear();
    this.until = now + TOGETHER;
    if (by < 0) this.went += 1;
    else if (box === "") this.waiting += 1;
    else this.came += 1;
    if (box !== "") this.boxes.add(box);
    if (this.many) this.end = now + READ;
  }

  get many() {
    return Math.max(this.came, this.went, this.waiting) > MOST;
  }

  /** Returns what there is to say, or null: {sign, count, boxes}; boxes is 0 for pods without a node. */
  said(now) {
    if (now >= this.end || !this.many) return null;
    const most = Math.max(this.came, this.went, this.waiting);
    if (this.came > MOST) return { sign: "+", count: this.came, boxes: this.boxes.size };
    return most === this.went ? { sign: "−", count: this.went, boxes: this.boxes.size } : { sign: "+", count: this.waiting, boxes: 0 };
  }
}
