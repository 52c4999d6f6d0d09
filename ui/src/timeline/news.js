// Tells when the log has grown: by the cluster's stream, and not more often than one can read it.
import { connection, live } from "../el/kp-freshness.js";
import { Stream } from "../stream.js";

const EVERY = 1000; // ms between two readings, or as long as 20 of them take: a large log is read less often
const SHARE = 20;

export class News {
  /** `read()` reads the log; `newest()` is the revision until which it was read; `live()` whether that is shown. */
  constructor(cluster, { read, newest, live }) {
    Object.assign(this, { read, newest, live, rev: 0, pause: EVERY, timer: null, reading: false });
    this.stream = new Stream(`/ws/clusters/${encodeURIComponent(cluster)}/pulse/`, {
      hello: () => ({}),
      frame: (frame) => this.heard(frame),
      state: (state) => this.tell(state),
    });
    this.shown = () => this.soon();
  }

  start() {
    document.addEventListener("visibilitychange", this.shown);
    this.stream.start();
  }

  stop() {
    document.removeEventListener("visibilitychange", this.shown);
    clearTimeout(this.timer);
    this.stream.stop();
  }

  heard({ op, rev }) {
    if (op === "status") return this.tell({ name: "beat" });
    this.stream.down = false; // a beat is the cluster's own answer
    this.rev = rev;
    return this.soon();
  }

  tell(state) {
    if (state.name !== "beat") connection(state, this.newest());
    else if (this.stream.down) live(this.newest(), this.stream);
    else this.live();
  }

  soon() {
    if (this.rev === this.newest() || this.reading || this.timer || document.visibilityState !== "visible") return;
    this.timer = setTimeout(() => this.now(), this.last ? Math.max(0, this.last + this.pause - performance.now()) : 0);
  }

  async now() {
    this.timer = null;
    this.reading = true;
    this.last = performance.now();
    await this.read();
    this.pause = Math.max(EVERY, SHARE * (performance.now() - this.last));
    this.reading = false;
    this.soon();
  }
}
