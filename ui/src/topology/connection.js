// What the stream says: folded into the store, shown, and told by the freshness chip.
import { CLOSE, Stream } from "../stream.js";
import { endOf, freshness, reconnecting } from "../el/kp-freshness.js";
import { span, t } from "../texts.js";
import { apply } from "./changes.js";
import * as notices from "./notices.js";

export class Connection {
  constructor(host) {
    this.host = host;
    this.state = { name: "connecting" };
    this.refused = new Map(); // what the API says of the kinds that one may not list, or watch
    this.stream = new Stream(host.getAttribute("src"), {
      hello: () => this.hello(),
      frame: (frame) => this.receive(frame),
      state: (state) => this.streamState(state),
    });
  }

  start() {
    this.stream.start();
  }

  stop() {
    this.stream.stop();
  }

  hello() {
    const { store, ns, past, rev } = this.host;
    return { cursor: store.cursor, rev: store.rev || null, scope: { ns: ns || null }, ...(past ? { at: rev } : {}) };
  }

  /** The control plane is looked at while the page is. */
  askActivity() {
    if (!this.host.past) this.stream.send({ op: "activity", on: document.visibilityState === "visible" });
  }

  resync() {
    this.stream.send({ op: "resync" });
  }

  receive(frame) {
    const { host } = this;
    if (frame.op === "batch") this.receiveBatch(frame);
    else if (frame.op === "snapshot") this.receiveSnapshot(frame);
    else if (frame.op === "progress") host.progress = frame;
    else if (frame.op === "gap") this.receiveGap(frame);
    else if (frame.op === "beat") this.receiveBeat(frame);
    else if (frame.op === "activity") host.querySelector("kp-plane")?.take(frame);
    else if (frame.op === "error") this.receiveError(frame);
    this.tellFreshness();
  }

  receiveError({ code, kind, text }) {
    const { host, refused } = this;
    if (code === "past") host.notice = notices.noPast(host.rev, text);
    // It is tried again now and then: the same word twice is no news.
    else if (refused.get(kind) !== text) host.notice = notices.forbidden(host, refused.set(kind, text));
  }

  receiveSnapshot(frame) {
    this.state = { name: "live" };
    const { removed } = this.host.store.snapshot(frame);
    this.host.pictureCame(removed);
    if (this.host.past) this.stop(); // which does not change
  }

  receiveBatch(frame) {
    const { host } = this;
    this.state = { name: "live" };
    const changes = host.store.batch(frame);
    if (changes === false) {
      host.notice = notices.outOfStep();
      this.resync();
    } else if (changes) apply(host, changes);
    host.followUp();
  }

  /** A beat ends the catching up: whatever was missed came before it. */
  receiveBeat(frame) {
    const { host } = this;
    host.store.rev = Math.max(host.store.rev, frame.rev);
    if (host.ready) this.state = { name: "live" };
  }

  receiveGap(frame) {
    const { lostAt } = this.stream;
    const text = lostAt ? t.gap(span((Date.now() - lostAt) / 1000), frame.skipped, frame.to) : t.tooFast(frame.skipped, frame.to);
    this.host.notice = notices.gap(this.host, text, frame.from);
  }

  streamState(state) {
    if (state.name === "lost" || state.name === "ended") this.state = state;
    else if (state.name === "connecting") this.state = { name: state.lostAt ? "retrying" : "connecting" };
    else if (state.name === "open") {
      this.state = { name: "connecting" };
      this.refused.clear();
      this.askActivity();
    }
    if (state.name === "ended") this.host.notice = state.code === CLOSE.clusterGone ? notices.gone(this.host) : notices.signedOut(this.host);
    this.tellFreshness();
  }

  tellFreshness() {
    const { store, past, rev } = this.host;
    if (past) freshness("past", t.timeline.past(rev));
    else freshness(...freshnessOf(this.state, store, this.stream, this.refused));
  }
}

/** Returns the state and the words of the chip. */
export function freshnessOf(state, store, { rtt, behind, down }, refused = new Map()) {
  const { rev } = store;
  if (state.name === "ended") return ["ended", endOf(state.code)];
  if (state.name === "lost") return ["lost", reconnecting(state.wait, rev)];
  if (state.name === "retrying") return ["lost", t.reconnectingNow(rev)];
  if (state.name === "connecting") return ["waiting", rev ? t.catchingUp(behind) : t.connecting];
  if (down) return ["lost", t.upstreamDown(rev)];
  if (store.paused) return ["paused", t.paused(store.waitingCount)];
  if (behind) return ["waiting", t.catchingUp(behind)];
  if (refused.size && !rev) return ["ended", t.notAllowed];
  if (["nodes", "pods"].some((kind) => notices.unwatched(refused.get(kind)))) return ["behind", t.notFollowed(rev)];
  return ["live", t.live(rev, rtt)];
}
