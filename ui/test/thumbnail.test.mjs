import assert from "node:assert/strict";
import { test } from "node:test";

import { grid, place } from "../src/scene/thumbnail.js";

const W = 160;
const H = 90;

test("a grid holds everything", () => {
  for (const count of [1, 2, 3, 7, 100, 1000]) {
    const { columns, rows } = grid(count, W, H);
    assert.ok(columns * rows >= count);
  }
  assert.deepEqual(grid(0, W, H), { columns: 0, rows: 0 });
});

function inside({ x, y, w, h }) {
  return x >= -0.001 && y >= -0.001 && x + w <= W + 0.001 && y + h <= H + 0.001;
}

for (const [nodes, pods] of [[1, 1], [3, 8], [6, 110], [100, 50]]) {
  test(`${nodes} nodes with ${pods} pods each stay in the picture`, () => {
    const data = [["", ""], ...Array.from({ length: nodes }, (_, n) => [`n${n}`, "r".repeat(pods)])];
    const found = place(data, W, H);
    assert.equal(found.tiles.length, nodes);
    assert.equal(found.pods.length, nodes * pods);
    assert.ok(found.tiles.every(inside));
    assert.ok(found.pods.every(({ x, y, size }) => inside({ x, y, w: size * 0.8, h: size * 0.8 })));
  });
}

test("pods without a node stand at the left", () => {
  const { tiles, pods } = place([["", "ppp"], ["n1", "r"]], W, H);
  assert.ok(pods.filter(({ letter }) => letter === "p").every(({ x }) => x < tiles[0].x));
});

test("a cluster without nodes is empty", () => {
  assert.deepEqual(place([["", ""]], W, H), { tiles: [], pods: [] });
});
