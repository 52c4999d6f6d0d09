import assert from "node:assert/strict";
import { test } from "node:test";

import { Layout } from "../src/scene/layout.js";
import { LENSES } from "../src/scene/lenses.js";
import { rowForKey, rowForText, visibleRows } from "../src/tree.js";
import { node, pod, storeOf } from "./support.mjs";

const store = storeOf({
  nodes: [node("n1", "zone-a"), node("n2", "zone-a"), node("n3", "zone-b")],
  pods: [pod("web-1", { node: "n1" }), pod("web-2", { node: "n1", status: "Error" }), pod("late")],
});
const layout = new Layout(LENSES.nodes, store);
layout.arrange({ w: 1000, h: 600 });
const rows = (open = [], filter = null) => visibleRows(layout, store, new Set(open), filter);
const words = (list) => list.map((row) => `${row.level} ${row.text}`);

test("zones hold nodes, nodes hold pods when open", () => {
  assert.deepEqual(words(rows()), ["1 Unscheduled", "1 zone-a", "2 n1", "2 n2", "1 zone-b", "2 n3"]);
  assert.deepEqual(words(rows(["box:n1"])).slice(2, 5), ["2 n1", "3 web-1", "3 web-2"]);
});

test("a closed zone hides its nodes", () => {
  assert.deepEqual(words(rows(["shut:band:zone-a"])), ["1 Unscheduled", "1 zone-a", "1 zone-b", "2 n3"]);
});

test("positions and sizes are told for the level", () => {
  const shown = rows();
  assert.deepEqual(shown.map((row) => [row.position, row.size]), [[1, 3], [2, 3], [1, 2], [2, 2], [3, 3], [1, 1]]);
});

test("a filter leaves its matches and counts them", () => {
  const shown = rows(["box:n1"], (one) => one.status === "Error");
  assert.deepEqual(words(shown).slice(2, 4), ["2 n1", "3 web-2"]);
  assert.equal(shown[2].note, "1/2");
});

test("keys move through the rows", () => {
  const shown = rows(["box:n1"]);
  assert.equal(rowForKey(shown, 0, "ArrowDown"), 1);
  assert.equal(rowForKey(shown, 0, "ArrowUp"), 0);
  assert.equal(rowForKey(shown, 3, "ArrowLeft"), 2);
  assert.equal(rowForKey(shown, 0, "End"), shown.length - 1);
  assert.equal(rowForKey(shown, 0, "x"), null);
});

test("typing goes to the next row of that beginning", () => {
  const shown = rows(["box:n1"]);
  assert.equal(shown[rowForText(shown, 0, "n")].text, "n1");
  assert.equal(shown[rowForText(shown, 2, "n")].text, "n2");
  assert.equal(shown[rowForText(shown, 0, "web-2")].text, "web-2");
  assert.equal(rowForText(shown, 0, "q"), -1);
});
