import assert from "node:assert/strict";
import { test } from "node:test";

import { ownName } from "../src/scene/draw.js";
import { hit, neighbour } from "../src/scene/hit.js";
import { capacity, Layout, POD } from "../src/scene/layout.js";
import { LENSES, natural } from "../src/scene/lenses.js";
import { added, batch, changed, deleted, node, owner, pod, storeOf } from "./support.mjs";

const VIEW = { w: 1200, h: 800 };

function cluster(nodes, pods) {
  const podRows = Array.from({ length: pods }, (_, i) => pod(`p${i}`, { node: `n${i % nodes}` }));
  const nodeRows = Array.from({ length: nodes }, (_, i) => node(`n${i}`, i % 2 ? "zone-b" : "zone-a"));
  return storeOf({ nodes: nodeRows, pods: podRows });
}

function arranged(store, lens = "nodes") {
  const layout = new Layout(LENSES[lens], store);
  layout.arrange(VIEW);
  return layout;
}

const corners = (layout) => Object.fromEntries([...layout.where.keys()].sort().map((uid) => [uid, layout.corner(uid)]));

test("the same cluster looks the same, in whatever order it arrived", () => {
  const rows = [pod("a", { node: "n0" }), pod("b", { node: "n1" }), pod("c", { node: "n0" })];
  const nodes = [node("n0"), node("n1")];
  const one = arranged(storeOf({ nodes, pods: rows }));
  const other = arranged(storeOf({ nodes: [...nodes].reverse(), pods: [...rows].reverse() }));
  assert.deepEqual(corners(one), corners(other));
});

test("no two pods overlap and each stands inside its box", () => {
  for (const lens of ["nodes", "owners"]) {
    const layout = arranged(cluster(7, 300), lens);
    const seen = new Set();
    for (const [uid, { box }] of layout.where) {
      const { x, y } = layout.corner(uid);
      assert.ok(x >= box.x && y >= box.y + layout.head && x + POD <= box.x + box.w && y + POD <= box.y + box.h, uid);
      assert.ok(!seen.has(`${x},${y}`));
      seen.add(`${x},${y}`);
    }
  }
});

test("boxes do not overlap and lie within the world", () => {
  const layout = arranged(cluster(23, 200));
  const boxes = [...layout.boxes.values()];
  for (const a of boxes) {
    assert.ok(a.x >= 0 && a.y >= 0 && a.x + a.w <= layout.width + 0.01 && a.y + a.h <= layout.height + 0.01, a.key);
    for (const b of boxes) {
      const apart = a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y;
      assert.ok(a === b || apart, `${a.key} and ${b.key}`);
    }
  }
});

test("one pod more moves no other", () => {
  const store = cluster(5, 22);
  const layout = arranged(store);
  const before = corners(layout);
  store.batch(batch(1, 1, added(pod("new", { node: "n3" }))));
  layout.put(store.pods.get("new"));
  assert.equal(layout.stale, false);
  const { new: placed, ...rest } = corners(layout);
  assert.deepEqual(rest, before);
  assert.ok(placed);
});

test("a slot that came free is taken by the next pod", () => {
  const store = cluster(1, 5);
  const layout = arranged(store);
  const free = layout.corner("p2");
  store.batch(batch(1, 2, deleted("p2"), added(pod("next", { node: "n0" }))));
  layout.take("p2");
  layout.put(store.pods.get("next"));
  assert.deepEqual(layout.corner("next"), free);
});

test("a scheduled pod leaves the tray for its node", () => {
  const store = storeOf({ nodes: [node("n0")], pods: [pod("p")] });
  const layout = arranged(store);
  assert.ok(layout.isTray(layout.where.get("p").box));
  store.batch(batch(1, 1, changed(pod("p", { node: "n0" }))));
  assert.equal(layout.put(store.pods.get("p")), true);
  assert.equal(layout.where.get("p").box.key, "n0");
  assert.equal(layout.boxes.get("").count, 0);
});

test("a box counts its pods and the CPU that they ask for", () => {
  const store = cluster(2, 10);
  const layout = arranged(store);
  const box = layout.boxes.get("n0");
  assert.equal(box.count, 5);
  assert.equal(box.cpu, 500);
  layout.take("p0");
  assert.equal(box.cpu, 400);
});

test("when a box outgrows its slots, pods keep their slots in it", () => {
  const store = storeOf({ nodes: [node("n0")], pods: [] });
  const layout = arranged(store);
  for (let i = 0; i < capacity(1) + 1; i += 1) {
    store.batch(batch(i + 1, i + 1, added(pod(`p${i}`, { node: "n0" }))));
    layout.put(store.pods.get(`p${i}`));
  }
  assert.equal(layout.stale, true);
  layout.arrange();
  assert.equal(layout.where.get("p3").slot, 3);
  assert.equal(layout.stale, false);
});

test("pods of a ReplicaSet stand under the name of their Deployment", () => {
  const store = storeOf({
    pods: [pod("p", { owner: "rs" }), pod("bare")],
    owners: [owner("rs", "ReplicaSet", "web-1", "d"), owner("d", "Deployment", "web")],
  });
  const layout = arranged(store, "owners");
  const titles = [...layout.boxes.keys()].map((key) => layout.lens.title(key, store));
  assert.deepEqual(titles.sort(), ["Bare pods", "web"]);
});

test("zones are bands", () => {
  const layout = arranged(cluster(4, 4));
  assert.deepEqual([...layout.bands.keys()], ["zone-a", "zone-b"]);
});

test("a layout of 5,000 pods fits the shape of the screen", () => {
  const layout = arranged(cluster(100, 5000));
  const shape = layout.width / layout.height;
  assert.ok(shape > 1 && shape < 2.4, String(shape));
});

test("what is under the pointer is found again", () => {
  const layout = arranged(cluster(9, 120));
  for (const uid of ["p0", "p77", "p119"]) {
    const { x, y } = layout.corner(uid);
    assert.equal(hit(layout, x + POD / 2, y + POD / 2).uid, uid);
  }
  const box = layout.boxes.get("n0");
  assert.equal(hit(layout, box.x + 2, box.y + 2).uid, null);
  assert.equal(hit(layout, -50, -50), null);
});

test("arrow keys go to the neighbour and come back", () => {
  const layout = arranged(cluster(1, 8));
  const right = neighbour(layout, "p0", 1, 0);
  assert.equal(neighbour(layout, right, -1, 0), "p0");
  assert.equal(neighbour(layout, "p0", 0, -1), null);
});

test("names are ordered as people count", () => {
  assert.deepEqual(["n10", "n2", "n1", "a"].sort(natural), ["a", "n1", "n2", "n10"]);
});

test("a static pod is named without its node, which stands above it", () => {
  assert.equal(ownName({ name: "kube-scheduler-control-plane", node: "control-plane" }), "kube-scheduler");
  assert.equal(ownName({ name: "web-7c9-1", node: "control-plane" }), "web-7c9-1");
  assert.equal(ownName({ name: "web-7c9-1", node: "" }), "web-7c9-1");
});
