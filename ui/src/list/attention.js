// What a list draws attention to: rows that changed light up, and a voice says how many, not which.
import { t } from "../texts.js";

const FLASH_MS = 1300;
const MOST_FLASHES = 20;
const SAY_EVERY = 3000;

export class Attention {
  constructor(list) {
    this.list = list;
    this.flashing = new Map();
    this.unsaid = 0;
  }

  has(uid) {
    return this.flashing.has(uid);
  }

  flash(uids) {
    if (uids.length > MOST_FLASHES) return;
    for (const uid of uids) this.flashing.set(uid, performance.now() + FLASH_MS);
    setTimeout(() => {
      const now = performance.now();
      for (const [uid, end] of this.flashing) if (end <= now) this.flashing.delete(uid);
      this.list.requestUpdate();
    }, FLASH_MS + 20);
  }

  say(n) {
    this.unsaid += n;
    this.saying ??= setTimeout(() => {
      this.list.querySelector("[aria-live]").textContent = t.objects.changed(this.unsaid);
      this.unsaid = 0;
      this.saying = null;
    }, SAY_EVERY);
  }

  stop() {
    clearTimeout(this.saying);
    this.saying = null;
  }
}
