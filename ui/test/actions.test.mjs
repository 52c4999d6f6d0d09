// What the topology offers to do: shells open where the pod or the node is.
import assert from "node:assert/strict";
import { test } from "node:test";

import { said } from "./page.mjs";

import { nodeEntries, panelEntries, podEntries } from "../src/topology/actions.js";
import { openMenu, renderMenu } from "../src/topology/menu.js";
import { t } from "../src/texts.js";

const host = (fields = {}) => ({ cluster: "lab", readonly: false, past: false, gone: false, hasPanel: () => true, rights: { breaking: "", shell: () => "" }, ...fields });
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

test("what one may not do is offered with the reason, and does nothing", () => {
  const rights = { breaking: "not as ann", shell: (plural, ns = "-") => `no shell for ${plural} in ${ns}` };
  const reasons = (entries) => Object.fromEntries(entries.flat().filter((one) => one[2]).map(([text, , reason]) => [text, reason]));
  const { shell, kill, cut, stop, disk, unheard } = t.topology.menu;
  assert.deepEqual(reasons(podEntries(host({ rights }), POD)), { [shell]: "no shell for pods in shop", [kill]: "not as ann", [cut]: "not as ann" });
  assert.deepEqual(reasons(nodeEntries(host({ rights }), { uid: "n", name: "n1" })), { [shell]: "no shell for nodes in -", [stop]: "not as ann", [disk]: "not as ann", [unheard]: "not as ann" });
  assert.equal(panelEntries(host({ rights }), POD).find(([name]) => name === "shell")[3], "no shell for pods in shop");
});

test("a menu that is open says why not, once that is known", () => {
  const rights = { breaking: "", shell: () => "" };
  const one = host({ rights, picked: new Set(), selected: null, contains: () => false, updateComplete: new Promise(() => {}) });
  openMenu(one, { x: 0, y: 0, pod: POD });
  assert.doesNotMatch(said(renderMenu(one)), /no shell/);
  rights.shell = () => "no shell for you";
  assert.match(said(renderMenu(one)), /no shell for you/);
});

test("who may only look, and who looks at the past, is offered no shell", () => {
  const words = (entries) => entries.flat(2);
  assert.ok(!words(panelEntries(host({ readonly: true }), POD)).includes("shell"));
  assert.ok(!words(panelEntries(host({ past: true }), POD)).includes("shell"));
  for (const entries of [podEntries, nodeEntries]) assert.ok(!words(entries(host({ readonly: true }), POD)).includes(t.topology.menu.shell));
});
