// What changed, in a sentence every three seconds at most: for those who hear the page.
import { t } from "./texts.js";

export const EVERY = 3000;

export class Announcer {
  constructor(say, later = (work, ms) => setTimeout(work, ms)) {
    this.say = say;
    this.later = later;
    this.pods = new Map();
    this.waiting = false;
  }

  /** Notes a pod that changed, and what it is now. */
  note(uid, word) {
    this.pods.set(uid, word);
    if (this.waiting) return;
    this.waiting = true;
    this.later(() => this.flush(), EVERY);
  }

  flush() {
    this.waiting = false;
    const counts = new Map();
    for (const word of this.pods.values()) counts.set(word, (counts.get(word) ?? 0) + 1);
    const parts = [...counts].map(([word, n]) => t.partOf(n, word)).join(", ");
    const total = this.pods.size;
    this.pods.clear();
    if (total) this.say(t.changed(total, parts));
  }
}
