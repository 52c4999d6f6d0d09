// Which of the requests that come in were typed in one's own terminals: each carries its terminal's id.
import { list } from "../terminal/api.js";
import { reads } from "./hops.js";

/**
 * The request to look at: the last that changed something, else the last of all. What one run of
 * kubectl reads after it has changed something is no reason to look away.
 */
export function chief(items, shown = null) {
  const changed = items.find((item) => !reads(item));
  if (changed) return changed;
  const [last = null] = items;
  const same = last && shown && last.session && last.session === shown.session;
  return same && !reads(shown) ? null : last;
}

export class Following {
  constructor(cluster, ask = list) {
    this.cluster = cluster;
    this.ask = ask;
    this.mine = new Set();
    this.strangers = new Set(); // ids that are known to be somebody else's
    this.none = false;
  }

  /** Asks which terminals are one's own. */
  async learn() {
    const { items } = await this.ask(this.cluster);
    this.mine = new Set(items.map((one) => one.id));
    this.none = !items.some((one) => one.running);
  }

  /** Returns those of some requests that come from one's own terminals. */
  async own(items) {
    const typed = items.filter((item) => item.terminal);
    const unknown = typed.map((item) => item.terminal).filter((id) => !this.mine.has(id) && !this.strangers.has(id));
    if (unknown.length) {
      await this.learn();
      for (const id of unknown) if (!this.mine.has(id)) this.strangers.add(id);
    }
    return typed.filter((item) => this.mine.has(item.terminal));
  }
}
