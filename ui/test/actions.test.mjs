// What the topology offers to do: shells open where the pod or the node is.
import assert from "node:assert/strict";
import { test } from "node:test";

import "./page.mjs";

import { nodeEntries, panelEntries, podEntries } from "../src/topology/actions.js";
import { t } from "../src/texts.js";

const host = (fields = {}) => ({ cluster: "lab", readonly: false, past: false, gone: false, hasPanel: () => true, ...fields });
const POD = { uid: "u", ns: "shop", name: "web-0" };

test("a shell is opened in the pod or on the node, and in nothing else", (context) => {
  const opened = [];
  context.mock.method(globalThis, "dispatchEvent", ({ detail }) => opened.push(detail));
  const of = (entries) => entries.flat().find(([text]) => text === t.topology.menu.shell)[1];
  panelEntries(host(), POD).find(([name]) => name === "shell")[2]();
  of(podEntries(host(), POD))();
  of(nodeEntries(host(), { uid: "n", name: "n1" }))();
  assert.deepEqual(
    opened.map(({ name, params }) => [name, params]),
    [
      ["terminal", { kind: "pod", ns: "shop", pod: "web-0" }],
      ["terminal", { kind: "pod", ns: "shop", pod: "web-0" }],
      ["terminal", { kind: "node", node: "n1" }],
    ],
  );
});

test("who may only look, and who looks at the past, is offered no shell", () => {
  const words = (entries) => entries.flat(2);
  assert.ok(!words(panelEntries(host({ readonly: true }), POD)).includes("shell"));
  assert.ok(!words(panelEntries(host({ past: true }), POD)).includes("shell"));
  for (const entries of [podEntries, nodeEntries]) assert.ok(!words(entries(host({ readonly: true }), POD)).includes(t.topology.menu.shell));
});
