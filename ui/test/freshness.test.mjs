// How fresh a page is, as its stream tells it and its chip says it.
import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.HTMLElement = class {};
globalThis.customElements = { define() {} };
globalThis.window = new EventTarget();
globalThis.location = { href: "http://site/", pathname: "/", search: "" };
globalThis.history = {};

const { live, connection } = await import("../src/el/kp-freshness.js");
const { Stream } = await import("../src/stream.js");
const { freshnessOf } = await import("../src/topology/connection.js");

let said = null;
globalThis.window.addEventListener("kp-freshness", ({ detail }) => (said = [detail.state, detail.text]));

/** A stream that heard these frames. */
function heard(...frames) {
  const stream = new Stream("/ws/", { hello: () => ({}), frame() {}, state() {} });
  for (const frame of frames) stream.receive({ data: JSON.stringify(frame) });
  return stream;
}

test("a page that has read nothing yet does not say that it is live", () => {
  live(0, heard({ op: "beat", rev: 5 }));
  assert.deepEqual(said, ["waiting", "Connecting"]);
  live(5, heard());
  assert.deepEqual(said, ["live", "Live · rev 5"]);
});

test("a page that is behind says by how much, until what it missed is there", () => {
  const missed = { op: "behind", by: 412 };
  live(5, heard(missed));
  assert.deepEqual(said, ["waiting", "Catching up · 412 behind"]);
  live(9, heard(missed, { op: "batch", rev: 9 }));
  assert.equal(said[0], "live");
  live(5, heard({ op: "gap", from: 5, to: 436, skipped: 431 }, { op: "rows" }));
  assert.equal(said[1], "Catching up · 431 behind");
});

test("a cluster that does not answer is no live one, however well the site does", () => {
  const down = { op: "status", upstream: "down", text: "" };
  live(7, heard(down, { op: "beat", rev: 7 }));
  assert.deepEqual(said, ["lost", "The cluster does not answer · showing rev 7"]);
  live(8, heard(down, { op: "batch", rev: 8 }));
  assert.equal(said[0], "live");
  live(7, heard(down, { op: "status", upstream: "ok" }));
  assert.equal(said[0], "live");
});

test("what becomes of a connection is said with what one sees meanwhile", () => {
  connection({ name: "lost", wait: 3100 }, 302);
  assert.deepEqual(said, ["lost", "Reconnecting in 3 s · showing rev 302"]);
  connection({ name: "lost", wait: 250 }, 0);
  assert.deepEqual(said, ["lost", "Reconnecting"]);
  connection({ name: "connecting" }, 302);
  assert.deepEqual(said, ["waiting", "Reconnecting · showing rev 302"]);
});

test("the topology that comes back says what is missing before it says that it is live", () => {
  const store = { rev: 40, paused: false };
  const gap = heard({ op: "gap", from: 40, to: 90, skipped: 50 });
  assert.deepEqual(freshnessOf({ name: "connecting" }, store, gap), ["waiting", "Catching up · 50 behind"]);
  assert.deepEqual(freshnessOf({ name: "live" }, store, gap), ["waiting", "Catching up · 50 behind"]);
  assert.equal(freshnessOf({ name: "live" }, store, heard({ op: "snapshot" }))[0], "live");
});
