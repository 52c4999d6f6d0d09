import assert from "node:assert/strict";
import { test } from "node:test";

import { CARD, GAP, joined, layout, spread, step } from "../src/relations/layout.js";

// Two ReplicaSets of a Deployment, three pods of the second, a Secret that a pod and the Deployment use.
const GRAPH = {
  nodes: [
    { column: 1, name: "old" },
    { column: 1, name: "new" },
    { column: 0, name: "web", focus: true },
    { column: 2, name: "a" },
    { column: 2, name: "b" },
    { column: 2, name: "c" },
    { column: 3, name: "tls" },
  ],
  edges: [[2, 0, "owns", ""], [2, 1, "owns", ""], [1, 3, "owns", ""], [1, 4, "owns", ""], [1, 5, "owns", ""], [4, 6, "uses", ""], [2, 6, "uses", ""]],
};

/** A graph of so many cards, made by arithmetic: the same in every run. */
function large(n) {
  const nodes = Array.from({ length: n }, (_, i) => ({ column: i % 6, name: `n${i}` }));
  const edges = nodes.flatMap((one, i) => (one.column === 5 ? [] : [[i, (((i * 7) % (n / 6)) | 0) * 6 + one.column + 1, "owns", ""]]));
  return { nodes, edges: edges.filter(([, to]) => to < n) };
}

function touching(graph, { cards }) {
  const found = [];
  graph.nodes.forEach((one, i) => {
    graph.nodes.forEach((other, j) => {
      if (i < j && one.column === other.column && Math.abs(cards[i].y - cards[j].y) < CARD.height + GAP.y - 0.01) found.push([one.name, other.name]);
    });
  });
  return found;
}

test("columns go from left to right, and no card touches another", () => {
  for (const graph of [GRAPH, large(300)]) {
    const made = layout(graph);
    graph.nodes.forEach(({ column }, i) => assert.equal(made.cards[i].x, made.cards[graph.nodes.findIndex((one) => one.column === 0)].x + column * (CARD.width + GAP.x)));
    assert.deepEqual(touching(graph, made), []);
    for (const { x, y } of made.cards) assert.ok(x >= 0 && y >= 0 && x + CARD.width <= made.width && y + CARD.height <= made.height);
  }
});

test("the same graph gives the same picture", () => {
  assert.deepEqual(layout(large(300)), layout(large(300)));
});

test("what is joined stands side by side: one that owns one is level with it", () => {
  const { cards } = layout({ nodes: [{ column: 0 }, { column: 0 }, { column: 1 }, { column: 1 }], edges: [[0, 3, "owns", ""], [1, 2, "owns", ""]] });
  assert.equal(cards[0].y, cards[3].y);
  assert.equal(cards[1].y, cards[2].y);
});

test("a line that passes a column goes between its cards", () => {
  const graph = { nodes: [{ column: 0 }, { column: 1 }, { column: 2 }], edges: [[0, 1, "owns", ""], [1, 2, "uses", ""], [0, 2, "uses", ""]] };
  const { cards, lines } = layout(graph);
  const passes = /H/.exec(lines[2]);
  assert.ok(passes, lines[2]);
  const y = Number(/ (-?[\d.]+)H/.exec(lines[2])[1]);
  assert.ok(y < cards[1].y || y > cards[1].y + CARD.height);
});

test("places are as near to the wanted ones as they can be", () => {
  assert.deepEqual(spread([0, 100], [10, 10]), [0, 100]);
  assert.deepEqual(spread([50, 50], [10, 10]), [50 - (10 + GAP.y) / 2, 50 + (10 + GAP.y) / 2]);
  assert.deepEqual(spread([], []), []);
});

test("cards of one column may own each other", () => {
  const { lines } = layout({ nodes: [{ column: 0 }, { column: 0 }], edges: [[0, 1, "owns", ""], [1, 0, "owns", ""]] });
  assert.equal(lines.length, 2);
  assert.ok(lines.every((one) => !one.includes("NaN")));
});

test("arrow keys follow lines, and go up and down a column", () => {
  const { cards } = layout(GRAPH);
  const go = (from, key) => step(GRAPH, cards, from, key);
  assert.equal(go(1, "ArrowLeft"), 2);
  assert.ok([3, 4, 5].includes(go(1, "ArrowRight")));
  assert.equal(go(0, "ArrowRight"), 0, "an old ReplicaSet has nothing to the right");
  const pods = [3, 4, 5].sort((a, b) => cards[a].y - cards[b].y);
  assert.equal(go(pods[0], "ArrowDown"), pods[1]);
  assert.equal(go(pods[2], "ArrowDown"), pods[2]);
  assert.equal(go(pods[1], "ArrowUp"), pods[0]);
  assert.equal(go(6, "Home"), 2);
  assert.equal(go(6, "x"), null);
});

test("a card is lit with all that it leads to and that leads to it", () => {
  assert.deepEqual([...joined(GRAPH, 1).cards].sort(), [1, 2, 3, 4, 5, 6]);
  assert.deepEqual([...joined(GRAPH, 3).cards].sort(), [1, 2, 3]);
  const loop = { nodes: [], edges: [[0, 1], [1, 0]] };
  assert.deepEqual([...joined(loop, 0).cards].sort(), [0, 1]);
});
