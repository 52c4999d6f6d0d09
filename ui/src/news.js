// Tells when the cluster's log has grown: by the cluster's stream, and not more often than one can read what is new.
import { Stream } from "./stream.js";

const EVERY = 1000; // ms between two readings, or as long as 20 of them take: a large log is read less often
const SHARE = 20;

export class News {
  /**
   * `read(rev)` reads what is new, up to the revision `rev` or a later one; `newest()` is the revision until which it
   * was read; `tell(state, stream)` hears how the stream is, "beat" where it goes on.
   */
  constructor(cluster, { read, newest, tell }) {
    Object.assign(this, { read, newest, rev: 0, pause: EVERY, timer: null, reading: false, stopped: false });
    this.stream = new Stream(`/ws/clusters/${encodeURIComponent(cluster)}/pulse/`, {
      hello: () => ({}),
      frame: (frame) => this.heard(frame),
      state: (state) => this.tell(state),
    });
    this.tell = (state) => tell(state, this.stream);
    this.shown = () => this.soon();
  }

  start() {
    document.addEventListener("visibilitychange", this.shown);
    this.stream.start();
  }

  stop() {
    document.removeEventListener("visibilitychange", this.shown);
    clearTimeout(this.timer);
    this.stopped = true;
    this.stream.stop();
  }

  heard({ op, rev }) {
    if (op === "status") return this.tell({ name: "beat" });
    this.stream.down = false; // a beat is the cluster's own answer
    this.rev = rev;
    return this.soon();
  }

  soon() {
    if (this.rev === this.newest() || this.stopped || this.reading || this.timer || document.visibilityState !== "visible") return;
    this.timer = setTimeout(() => this.now(), this.last ? Math.max(0, this.last + this.pause - performance.now()) : 0);
  }

  async now() {
    this.timer = null;
    this.reading = true;
    this.last = performance.now();
    try {
      await this.read(this.rev);
    } finally {
      this.pause = Math.max(EVERY, SHARE * (performance.now() - this.last));
      this.reading = false;
    }
    this.soon();
  }
}
