import assert from "node:assert/strict";
import { test } from "node:test";

import { Announcer } from "../src/announcer.js";
import { Animations, MOST } from "../src/scene/anim.js";
import { fit, keepInSight, pan, toScreen, toWorld, zoom } from "../src/scene/camera.js";
import { Tally } from "../src/scene/tally.js";
import { backoff } from "../src/stream.js";
import { span, t } from "../src/texts.js";

test("what is under the pointer stays there while zooming", () => {
  const camera = { x: 10, y: 20, k: 2 };
  const before = toWorld(camera, 300, 200);
  const after = toWorld(zoom(camera, 1.7, 300, 200), 300, 200);
  assert.ok(Math.abs(before.x - after.x) < 1e-9 && Math.abs(before.y - after.y) < 1e-9);
});

test("a drag moves the world with the pointer", () => {
  const camera = { x: 0, y: 0, k: 4 };
  assert.deepEqual(toScreen(pan(camera, 40, -8), 0, 0), { x: 40, y: -8 });
});

test("fitting shows the whole world", () => {
  const world = { width: 900, height: 500 };
  const view = { w: 800, h: 600 };
  const camera = fit(world, view);
  const low = toScreen(camera, 0, 0);
  const high = toScreen(camera, world.width, world.height);
  assert.ok(low.x >= 0 && low.y >= 0 && high.x <= view.w && high.y <= view.h);
});

test("the world cannot be dragged out of sight", () => {
  const world = { width: 100, height: 100 };
  const view = { w: 500, h: 500 };
  const camera = keepInSight({ x: 1e6, y: -1e6, k: 1 }, world, view);
  const corner = toScreen(camera, 0, 0);
  assert.ok(corner.x > -100 && corner.y < 500);
});

test("no more than twenty things move at once; the rest is counted on its box", () => {
  const anim = new Animations();
  const box = {};
  for (let i = 0; i < MOST + 30; i += 1) anim.add("fly", `p${i}`, { from: {}, box }, 0);
  assert.equal(anim.size, MOST);
  assert.equal(anim.counts.get(box).count, 30);
  anim.alive(5000);
  assert.equal(anim.active, false);
});

test("with motion off nothing is added", () => {
  const anim = new Animations();
  anim.enabled = false;
  anim.add("flash", "p", {}, 0);
  assert.equal(anim.active, false);
});

test("what changed is said in one sentence, once for each wait", () => {
  const said = [];
  const waiting = [];
  const announcer = new Announcer((text) => said.push(text), (work) => waiting.push(work));
  announcer.note("a", "running");
  announcer.note("b", "pending");
  announcer.note("a", "crashing");
  assert.equal(waiting.length, 1);
  waiting[0]();
  assert.deepEqual(said, ["2 pods changed: 1 crashing, 1 pending."]);
});

test("waits grow from a quarter of a second to ten, with jitter", () => {
  const waits = [0, 1, 2, 20].map((n) => backoff(n, () => 0.5));
  assert.deepEqual(waits, [250, 425, 722, 10000]);
  assert.equal(backoff(20, () => 1), 12500);
});

test("texts read as sentences", () => {
  assert.equal(t.live(1302, 40), "Live · rev 1\u202f302 · 40 ms");
  assert.equal(t.paused(1), "Paused · 1 change waiting");
  assert.equal(t.gap(span(120), 431, 1735), "You were offline for 2 min; 431 changes were skipped. Reloaded at rev 1\u202f735.");
  assert.equal(t.tooFast(1, 1735), "This page could not keep up; 1 change was skipped. Reloaded at rev 1\u202f735.");
  assert.equal(span(12), "12 s");
});

test("many pods that come at once are counted, with their boxes", () => {
  const tally = new Tally();
  for (let i = 0; i < 180; i += 1) tally.note(`n${i % 12}`, 1, 1000 + i);
  assert.deepEqual(tally.said(1200), { sign: "+", count: 180, boxes: 12 });
  assert.equal(tally.said(9000), null);
});

test("twenty are shown one by one, and not counted", () => {
  const tally = new Tally();
  for (let i = 0; i < MOST; i += 1) tally.note("n1", 1, 0);
  assert.equal(tally.said(1), null);
});

test("pods that go, and pods that wait for a node, are told apart", () => {
  const tally = new Tally();
  for (let i = 0; i < 30; i += 1) tally.note("n1", -1, 0);
  assert.deepEqual(tally.said(1), { sign: "−", count: 30, boxes: 1 });
  for (let i = 0; i < 40; i += 1) tally.note("", 1, 5000);
  assert.deepEqual(tally.said(5001), { sign: "+", count: 40, boxes: 0 });
});

test("what comes later is another count", () => {
  const tally = new Tally();
  for (let i = 0; i < 30; i += 1) tally.note("n1", 1, 0);
  tally.note("n1", 1, 4000);
  assert.equal(tally.said(4001), null);
});
