// The websocket of one terminal: it knows how much of the output it has shown, and goes on from there.
//
// Binary frames from the server begin with the number of their first byte; text frames are notes.
// What is shown is confirmed, so that a program which prints without end waits for us.
import { CLOSE, Lasting } from "../stream.js";

export const GONE = 4410;
const FINAL = new Set([CLOSE.signedOut, CLOSE.forbidden, CLOSE.clusterGone, GONE]);
// What a frame may hold; the server takes no more at once.
const LARGEST = 32 * 1024;
// Confirmed in steps, not for each line.
const CONFIRM_EVERY = 16 * 1024;

export class Connection extends Lasting {
  /**
   * @param {string} url without the query
   * @param {{data: (bytes: Uint8Array, done: () => void) => void, note: (frame: object) => void, state: (state: object) => void}} owner
   */
  constructor(url, owner) {
    super();
    this.url = url;
    this.owner = owner;
    this.seq = null; // the number of the next byte that we want
    this.shown = 0;
    this.confirmed = 0;
    this.lost = false;
    this.encoder = new TextEncoder();
  }

  get isOpen() {
    return this.socket?.readyState === 1;
  }

  /** Types: text, or bytes as some mouse protocols want them. Dropped while there is no connection. */
  type(data) {
    if (!this.isOpen) return;
    const bytes = typeof data === "string" ? this.encoder.encode(data) : data;
    for (let at = 0; at < bytes.length; at += LARGEST) this.socket.send(bytes.subarray(at, at + LARGEST));
  }

  resize(rows, columns) {
    this.size = { op: "resize", rows, columns };
    this.tell(this.size);
  }

  tell(frame) {
    if (this.isOpen) this.socket.send(JSON.stringify(frame));
  }

  open() {
    clearTimeout(this.timer);
    this.timer = null;
    const socket = new WebSocket(this.seq === null ? this.url : `${this.url}?seq=${this.seq}`);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.addEventListener("open", () => {
      this.heard = this.now();
      if (this.size) this.tell(this.size);
      this.watch();
    });
    socket.addEventListener("message", (event) => socket === this.socket && this.receive(event.data));
    socket.addEventListener("close", (event) => this.closed(socket, event.code));
  }

  ping() {
    this.tell({ op: "ping" });
  }

  receive(data) {
    this.heard = this.now();
    if (typeof data !== "string") return this.output(data);
    const frame = JSON.parse(data);
    if (frame.op === "hello") return this.greeted(frame);
    if (frame.op === "gap" && this.seq !== null) {
      this.seq += frame.missed;
      this.shown = Math.max(this.shown, this.seq);
    }
    return frame.op === "pong" ? undefined : this.owner.note(frame);
  }

  greeted(frame) {
    const again = this.lost;
    this.tries = 0;
    this.lost = false;
    this.seq = frame.seq;
    this.shown = this.confirmed = frame.seq;
    this.owner.state({ name: again ? "back" : "open", missed: frame.missed, about: frame.about });
  }

  output(buffer) {
    const number = Number(new DataView(buffer).getBigUint64(0));
    const bytes = new Uint8Array(buffer, 8);
    this.seq = number + bytes.length;
    const until = this.seq;
    const socket = this.socket;
    this.owner.data(bytes, () => this.confirm(socket, until));
  }

  confirm(socket, until) {
    if (socket !== this.socket || until <= this.confirmed) return;
    this.shown = until;
    if (until - this.confirmed < CONFIRM_EVERY && until !== this.seq) return;
    this.confirmed = until;
    this.tell({ op: "shown", seq: until });
  }

  closed(socket, code) {
    if (socket !== this.socket) return;
    clearInterval(this.ticker);
    if (this.ended) return;
    if (FINAL.has(code)) {
      this.stop();
      this.owner.state({ name: "over", code, wasOpen: this.seq !== null });
      return;
    }
    this.lost = true;
    this.again();
    this.owner.state({ name: "lost", tries: this.tries });
  }
}
