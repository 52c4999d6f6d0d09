// The websocket to the site: says hello with what it has, keeps trying, and tells how it stands.
//
// Waits 250 ms after a loss, then x1.7 with jitter up to 10 s; at once when the network or the tab
// comes back. Ends for good when the session did or the cluster is gone.

const FIRST_WAIT = 250;
const FACTOR = 1.7;
const LONGEST_WAIT = 10_000;
const PING_EVERY = 5000;
// Two beats of the server and a bit: silence for so long is a dead connection.
const SILENCE = 12_000;

// What was on its way is there with these.
const CAUGHT_UP = new Set(["snapshot", "batch", "ready"]);

export const CLOSE = { signedOut: 4401, forbidden: 4403, clusterGone: 4404, restart: 1012 };

/** Returns how long to wait before the n-th try, counted from 0. */
export function backoff(n, random = Math.random) {
  const wait = Math.min(FIRST_WAIT * FACTOR ** n, LONGEST_WAIT);
  return Math.round(wait * (0.75 + random() * 0.5));
}

/** A websocket that is opened again until it is stopped; what is said over it is for subclasses. */
export class Lasting {
  constructor() {
    this.tries = 0;
    this.socket = null;
    this.timer = null;
    this.ticker = null;
    this.heard = 0;
    this.ended = false;
    this.now = () => performance.now();
    this.wake = () => {
      if (!this.ended && this.timer && document.visibilityState === "visible") this.open();
    };
  }

  start() {
    window.addEventListener("online", this.wake);
    document.addEventListener("visibilitychange", this.wake);
    this.open();
  }

  stop() {
    this.ended = true;
    window.removeEventListener("online", this.wake);
    document.removeEventListener("visibilitychange", this.wake);
    clearTimeout(this.timer);
    clearInterval(this.ticker);
    this.socket?.close(1000);
  }

  /** Pings, and closes a connection on which nothing is heard any more. */
  watch() {
    clearInterval(this.ticker);
    this.ticker = setInterval(() => {
      if (this.now() - this.heard > SILENCE) this.socket.close(4408);
      else this.ping();
    }, PING_EVERY);
  }

  /** Opens again after a while; returns the milliseconds until then. */
  again() {
    const wait = backoff(this.tries);
    this.tries += 1;
    this.timer = setTimeout(() => this.open(), wait);
    return wait;
  }
}

export class Stream extends Lasting {
  /**
   * @param {string} path
   * @param {{hello: () => object, frame: (frame: object) => void, state: (state: object) => void}} owner
   */
  constructor(path, owner) {
    super();
    this.path = path;
    this.owner = owner;
    this.rtt = null;
    this.behind = 0; // how many changes wait for this page, as far as the site has told
    this.down = false; // whether the cluster does not answer the site
    this.lostAt = null;
  }

  send(frame) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(frame));
  }

  open() {
    clearTimeout(this.timer);
    this.timer = null;
    Object.assign(this, { behind: 0, down: false });
    this.owner.state({ name: "connecting", lostAt: this.lostAt });
    const url = new URL(this.path, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url);
    this.socket = socket;
    socket.addEventListener("open", () => {
      this.heard = this.now();
      this.send({ op: "hello", v: 1, ...this.owner.hello() });
      this.owner.state({ name: "open" });
      this.watch();
    });
    socket.addEventListener("message", (event) => this.receive(event));
    socket.addEventListener("close", (event) => this.closed(socket, event.code));
  }

  receive(event) {
    this.heard = this.now();
    this.tries = 0;
    const frame = JSON.parse(event.data);
    this.note(frame);
    if (frame.op === "pong") {
      this.rtt = Math.max(1, Math.round(this.now() - frame.t));
      return this.owner.state({ name: "beat" });
    }
    if (frame.op === "snapshot" || frame.op === "batch" || frame.op === "beat") this.lostAt = null;
    return this.owner.frame(frame);
  }

  /** Takes what a frame tells of how fresh the page is. */
  note({ op, by, skipped, upstream }) {
    if (op === "behind") this.behind = by;
    else if (op === "gap") this.behind = skipped;
    else if (op === "status") this.down = upstream === "down";
    else if (CAUGHT_UP.has(op)) Object.assign(this, { behind: 0, down: false });
    else if (op === "beat") this.behind = 0;
  }

  watch() {
    this.ping();
    super.watch();
  }

  ping() {
    this.send({ op: "ping", t: this.now() });
  }

  closed(socket, code) {
    if (socket !== this.socket) return;
    clearInterval(this.ticker);
    if (this.ended) return;
    this.lostAt ??= Date.now();
    if (code === CLOSE.signedOut || code === CLOSE.clusterGone || code === CLOSE.forbidden) {
      this.ended = true;
      this.owner.state({ name: "ended", code });
      return;
    }
    this.owner.state({ name: "lost", wait: this.again(), code });
  }
}
