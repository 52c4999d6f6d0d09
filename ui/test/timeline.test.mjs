// What the timeline computes: bars, scales, addresses, steps, play.
import assert from "node:assert/strict";
import { test } from "node:test";

import { barsOf, byResource, kindsOf, parseRef, place, rangeOf, refText, revAt, ticksOf } from "../src/timeline/model.js";
import { markersOf, marksOf, nextMark } from "../src/timeline/markers.js";
import { minute, momentOf, revisionAt } from "../src/timeline/moments.js";
import { Player } from "../src/timeline/player.js";
import { Steps } from "../src/timeline/steps.js";

const density = (counts) => Object.entries(counts).map(([resource, parts]) => ({ resource, parts }));

test("the busiest kinds have colours, the rest is one", () => {
  const many = Object.fromEntries([..."abcdefgh"].map((name, n) => [name, [[0, 10 - n]]]));
  const kinds = kindsOf(density(many));
  assert.deepEqual(kinds.map((kind) => [kind.resource, kind.count, kind.colour]).slice(0, 2), [["a", 10, 1], ["b", 9, 2]]);
  assert.deepEqual(kinds.at(-1), { resource: "", count: 7, colour: 0, resources: ["g", "h"] });
  assert.deepEqual(kindsOf([]), []);
});

test("bars are as tall as their changes came fast, and divided by kind", () => {
  const overview = { density: density({ pods: [[0, 4], [1, 10]], events: [[0, 6]] }), after: 100, upto: 120, width: 10, moments: [[100, 0], [110, 1], [120, 41]] };
  const kinds = kindsOf(overview.density);
  const [fast, slow] = barsOf(overview, kinds);
  assert.deepEqual([fast.from, fast.to, fast.x, fast.end, fast.height], [101, 110, 0, 0.5, 1]);
  assert.deepEqual([slow.from, slow.to, slow.total], [111, 120, 10]);
  assert.ok(Math.abs(slow.height - Math.sqrt(10 / 40) / Math.sqrt(10)) < 1e-9);
  assert.deepEqual(fast.shares, [{ colour: 1, share: 0.4 }, { colour: 2, share: 0.6 }]);
  const [without] = barsOf(overview, kinds, new Set(["pods"]));
  assert.deepEqual([without.total, without.shares], [6, [{ colour: 2, share: 1 }]]);
});

test("a span shows the last revisions, or those around where one is", () => {
  assert.deepEqual(rangeOf(0, 5, 900), { after: 5, upto: 900 });
  assert.deepEqual(rangeOf(100, 0, 900), { after: 800, upto: 900 });
  assert.deepEqual(rangeOf(100, 0, 900, 300), { after: 225, upto: 325 });
  assert.deepEqual(rangeOf(100, 0, 900, 3), { after: 0, upto: 100 });
  assert.deepEqual(rangeOf(1000, 0, 900, 3), { after: 0, upto: 900 });
});

test("places and revisions are each other's inverse", () => {
  const range = { after: 40, upto: 90 };
  for (const rev of [40, 41, 65, 90]) assert.equal(revAt(place(rev, range), range), rev);
  assert.equal(place(7, { after: 7, upto: 7 }), 1);
  assert.equal(revAt(9, range), 90);
});

test("scales have round numbers", () => {
  assert.deepEqual(ticksOf({ after: 0, upto: 548 }), [100, 200, 300, 400, 500]);
  assert.deepEqual(ticksOf({ after: 448, upto: 548 }), [460, 480, 500, 520, 540]);
  assert.deepEqual(ticksOf({ after: 3, upto: 6 }), [4, 5, 6]);
  assert.deepEqual(ticksOf({ after: 6, upto: 6 }), [6]);
});

test("moments between those that are known are told by their place", () => {
  const moments = [[10, 100], [20, 200], [30, 1000]];
  assert.deepEqual([5, 10, 15, 30, 99].map((rev) => momentOf(moments, rev)), [100, 100, 150, 1000, 1000]);
  assert.equal(revisionAt(moments, 150), 15);
  assert.equal(momentOf([], 5), null);
});

test("objects are written as resource, namespace and name", () => {
  for (const text of ["deployments.apps/default/web", "nodes/-/node-1"]) assert.equal(refText(parseRef(text)), text);
  assert.deepEqual(parseRef("nodes/-/n"), { resource: "nodes", namespace: "", name: "n" });
  for (const odd of ["", null, "web", "a/b", "a/b/c/d", "a/b/c d"]) assert.equal(parseRef(odd), null);
});

test("differences stand by their resource", () => {
  const items = ["a", "b", "a"].map((resource, name) => ({ resource, name }));
  assert.deepEqual(byResource(items).map(([resource, group]) => [resource, group.length]), [["a", 2], ["b", 1]]);
});

test("one steps from one write of an object to the next, over pages", async () => {
  const revisions = Array.from({ length: 250 }, (_, n) => 10 * (250 - n));
  let asked = 0;
  const read = async (_cluster, _path, { before, limit }) => {
    asked += 1;
    const found = revisions.filter((rev) => rev < before);
    return { items: found.slice(0, limit).map((revision) => ({ revision })), more: found.length > limit };
  };
  const steps = new Steps("demo", read);
  const from = (rev, way) => steps.from("pods/a/b", rev, way, 2500);
  assert.equal(await from(2500, -1), 2490);
  assert.equal(asked, 1);
  assert.equal(await from(45, 1), 50);
  assert.equal(await from(45, -1), 40);
  assert.equal(asked, 3);
  assert.equal(await from(10, -1), null);
  assert.equal(await from(2500, 1), null);
  assert.equal(await steps.from("pods/a/c", 45, 1, 2600), 50);
});

test("playing goes on by the speed, and ends at the newest", (context) => {
  context.mock.timers.enable({ apis: ["setInterval"] });
  let rev = 0;
  const go = (to) => (rev = Math.min(30, to)) < 30;
  const player = new Player(() => rev, go, () => {});
  player.toggle();
  context.mock.timers.tick(1000);
  assert.equal(rev, 2);
  player.speed = 10;
  context.mock.timers.tick(1000);
  assert.equal(rev, 22);
  context.mock.timers.tick(1000);
  assert.deepEqual([rev, player.playing], [30, false]);
});

const words = { warningOf: ({ reason, name }) => `${reason} ${name}`, broken: (what) => `broken ${what}`, mended: (what) => `mended ${what}` };
const marked = {
  after: 0,
  upto: 1000,
  warnings: [{ revision: 503, reason: "BackOff", name: "a" }, { revision: 500, reason: "BackOff", name: "a" }, { revision: 501, reason: "Failed", name: "b" }],
  failures: [{ revision: 502, what: "n1", state: "began" }, { revision: 800, what: "n1", state: "ended" }],
};

test("marks near each other are one, of each kind", () => {
  const marks = marksOf(marked, words);
  assert.deepEqual(marks.map((one) => one.revision), [500, 501, 502, 503, 800]);
  assert.deepEqual(
    markersOf(marks, marked).map(({ revision, kind, count, texts }) => [revision, kind, count, texts]),
    [
      [500, "warning", 3, ["BackOff a", "Failed b", "BackOff a"]],
      [502, "began", 1, ["broken n1"]],
      [800, "ended", 1, ["mended n1"]],
    ],
  );
  assert.deepEqual(markersOf(marks, { after: 502, upto: 700 }).map((one) => one.revision), [503], "only those of the range");
});

test("keys go from mark to mark", () => {
  const marks = marksOf(marked, words);
  assert.equal(nextMark(marks, 503, 1).revision, 800);
  assert.equal(nextMark(marks, 800, 1), null);
  assert.equal(nextMark(marks, 503, -1).revision, 502);
  assert.equal(nextMark(marks, 500, -1), null);
});

test("a moment to the minute", () => {
  const at = new Date(2026, 10, 30, 9, 30, 12) / 1000;
  assert.equal(minute(at, at), "09:30");
  assert.equal(minute(at, at + 2 * 86400), "30 Nov 09:30");
});
