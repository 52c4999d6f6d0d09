// Follows the object that is edited: what it is now, whoever changed it.
import { Stream } from "../stream.js";

// A controller writes several times in a row: one look at the end is enough.
const SOON = 300;

export class Following {
  /**
   * @param {string} cluster
   * @param {{path: string, namespace: string, name: string, resource: string, uid?: string}} object
   * @param {{read: () => Promise<object>, now: (live: object) => void, gone: () => void, state: (state: object) => void}} owner
   */
  constructor(cluster, object, owner) {
    Object.assign(this, { cluster, object, owner, seen: 0, uid: object.uid ?? "" });
  }

  start() {
    const query = new URLSearchParams({ path: this.object.path, fields: `metadata.name=${this.object.name}` });
    this.stream = new Stream(`/ws/clusters/${this.cluster}/list/?${query}`, {
      hello: () => ({ rev: this.seen || null }),
      frame: (frame) => this.receive(frame),
      state: (state) => this.owner.state(state),
    });
    this.stream.start();
  }

  stop() {
    clearTimeout(this.soon);
    this.stream?.stop();
  }

  receive({ op, rev, ev, rows }) {
    if (rev) this.seen = rev;
    if (op === "batch") this.fold(ev);
    else if (op === "rows") this.first(rows);
    this.owner.state({ name: "beat" });
  }

  /** The rows of now: after a loss, anything may have happened. */
  first(rows) {
    if (rows.length) this.look();
    else if (this.uid) this.vanish();
  }

  /** An event is a row, or the uid of one that is gone. */
  fold(events) {
    const there = events.filter((one) => Array.isArray(one));
    if (there.length) this.look();
    else if (events.includes(this.uid)) this.vanish();
  }

  vanish() {
    clearTimeout(this.soon);
    this.uid = "";
    this.owner.gone();
  }

  look() {
    clearTimeout(this.soon);
    this.soon = setTimeout(async () => {
      try {
        const live = await this.owner.read();
        this.uid = live.uid;
        this.owner.now(live);
      } catch (error) {
        if (error.status === 404) this.vanish();
      }
    }, SOON);
  }
}
