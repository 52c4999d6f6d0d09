// The command line, the palette's order, keys as they are written, and the dock's tabs: plain functions.
import assert from "node:assert/strict";
import { test } from "node:test";

import { aliases, complete, parse } from "../src/command/parse.js";
import { ranked } from "../src/command/rank.js";
import { beside, changed, closed, keep, opened, recalled } from "../src/dock/tabs.js";
import { caps, clash, isCharacter, pressOf } from "../src/press.js";

const kind = (plural, name, short = [], group = "", namespaced = true, version = "v1") => ({
  plural, kind: name, short, group, version, namespaced, url: `/clusters/demo/objects/${group || "core"}/${version}/${plural}`,
});
const WORLD = {
  cluster: "demo",
  kinds: [
    kind("pods", "Pod", ["po"]),
    kind("services", "Service", ["svc"]),
    kind("namespaces", "Namespace", ["ns"], "", false),
    kind("nodes", "Node", ["no"], "", false),
    kind("events", "Event", ["ev"]),
    kind("deployments", "Deployment", ["deploy"], "apps"),
    kind("events", "Event", ["ev"], "events.k8s.io"),
    kind("castles", "Castle", ["cst"], "example.com"),
  ],
  namespaces: ["default", "kube-system", "prod"],
  pages: [{ name: "topology", title: "Topology", address: "/clusters/demo/topology" }],
  clusters: [{ name: "demo", address: "/clusters/demo/topology" }, { name: "other", address: "/clusters/other/topology" }],
};
const PODS = "/clusters/demo/objects/core/v1/pods";
const goes = (text) => parse(text, WORLD).address;

test("a kind goes by short name, plural, singular and group", () => {
  for (const text of [":po", "po", ":pods", ":pod", ": Pod"]) assert.equal(goes(text), PODS);
  assert.equal(goes(":cst"), "/clusters/demo/objects/example.com/v1/castles");
  assert.equal(goes(":events.events.k8s.io"), "/clusters/demo/objects/events.k8s.io/v1/events");
  assert.equal(goes(":ev"), "/clusters/demo/objects/core/v1/events");
});

test("namespace, labels, a part of a name, an object", () => {
  assert.equal(goes(":po prod"), `${PODS}?ns=prod`);
  assert.equal(goes(":po prod app=web"), `${PODS}?ns=prod&q=app=web`);
  assert.equal(goes(":po app=web tier!=db"), `${PODS}?q=app=web,tier%21=db`);
  assert.equal(goes(":po all /web"), `${PODS}?q=web`);
  assert.equal(goes(":po -n prod -l app=web"), `${PODS}?ns=prod&q=app=web`);
  assert.equal(goes(":po prod web-0"), `${PODS}/prod/web-0`);
  assert.equal(goes(":po prod/web-0"), `${PODS}/prod/web-0`);
  assert.equal(goes(":no node-1"), "/clusters/demo/objects/core/v1/nodes/-/node-1");
});

test("a word that is no namespace is a part of a name", () => {
  assert.equal(goes(":po web"), `${PODS}?q=web`);
  assert.equal(parse(":po web", WORLD).filter, "web");
});

test("pages, clusters, and leaving", () => {
  assert.equal(goes(":topology"), "/clusters/demo/topology");
  assert.equal(goes(":ctx other"), "/clusters/other/topology");
  assert.equal(goes(":q"), "/");
  assert.deepEqual(parse(":ctx none", WORLD), { problem: "cluster", word: "none" });
  assert.deepEqual(parse(":", WORLD), {});
});

test("a slip of the finger is understood", () => {
  assert.deepEqual(parse(":deplyo", WORLD), { problem: "kind", word: "deplyo", closest: "deploy" });
  assert.equal(parse(":zzzzzz", WORLD).closest, null);
});

test("completion: kinds by any alias, then namespaces, then nothing", () => {
  assert.deepEqual(complete(":po", WORLD).map((one) => one.text), ["pods"]);
  assert.equal(complete(":dep", WORLD)[0].text, "deployments");
  assert.deepEqual(complete(":ev", WORLD).map((one) => one.text), ["events", "events.events.k8s.io"]);
  assert.equal(complete(":to", WORLD)[0].text, "topology");
  assert.deepEqual(complete(":po pr", WORLD).map((one) => one.text), ["po prod"]);
  assert.deepEqual(complete(":no n", WORLD), []);
  assert.deepEqual(complete(":ctx o", WORLD).map((one) => one.text), ["ctx other"]);
  assert.deepEqual(aliases(WORLD.kinds[5]), ["deploy", "deployments", "deployment", "deployments.apps"]);
});

test("the beginning of a word comes before its middle, and letters in order are enough", () => {
  const titles = ["Show events", "Vents", "deployments", "Close the dock"];
  assert.deepEqual(ranked(titles, "ev", (one) => one)[0], "Show events");
  assert.deepEqual(ranked(titles, "dpl", (one) => one), ["deployments"]);
  assert.deepEqual(ranked(titles, "zz", (one) => one), []);
  assert.deepEqual(ranked(titles, "", (one) => one), titles);
});

const press = (key, more = {}) => pressOf({ key, code: "", ...more }, false);

test("a press is written in one way, whatever the keyboard", () => {
  assert.equal(press("t"), "t");
  assert.equal(press("T", { shiftKey: true }), "Shift+t");
  assert.equal(press("?", { shiftKey: true }), "?");
  assert.equal(press(" "), "Space");
  assert.equal(press("k", { ctrlKey: true }), "Mod+k");
  assert.equal(pressOf({ key: "k", metaKey: true, code: "" }, true), "Mod+k");
  assert.equal(press("ArrowUp", { shiftKey: true }), "Shift+ArrowUp");
  assert.equal(press("л", { code: "KeyK" }), "k");
  assert.equal(press("{", { ctrlKey: true, altKey: true, getModifierState: (name) => name === "AltGraph" }), "{");
  assert.equal(press("Shift", { shiftKey: true }), null);
  assert.equal(press("a", { isComposing: true }), null);
});

test("what types a character can be switched off, the rest cannot", () => {
  assert.deepEqual(["t", "Shift+t", "?", "Space"].map(isCharacter), [true, true, true, true]);
  assert.deepEqual(["Mod+k", "Escape", "ArrowUp", "F6", "Shift+F10"].map(isCharacter), [false, false, false, false, false]);
});

test("a key is in the way of one that begins with it", () => {
  assert.ok(clash("g", "g t") && clash("g t", "g") && clash("o", "o"));
  assert.ok(!clash("g t", "g o") && !clash("g", "gg"));
});

test("caps are what is printed on keys", () => {
  assert.deepEqual(caps("Mod+k", false), [["Ctrl", "K"]]);
  assert.deepEqual(caps("Mod+k", true), [["⌘", "K"]]);
  assert.deepEqual(caps("g t", false), [["g"], ["t"]]);
  assert.deepEqual(caps("+", false), [["+"]]);
  assert.deepEqual(caps("Mod++", false), [["Ctrl", "+"]]);
  assert.deepEqual(caps("Shift+t", false), [["Shift", "T"]]);
});

const EMPTY = { tabs: [], active: null, open: false };

test("a tab gets a name of its own also where a site has no https", (t) => {
  t.mock.method(crypto, "randomUUID", () => { throw new TypeError("not in this context"); });
  const { tabs: [one, other] } = opened(opened(EMPTY, "shell", {}), "logs", { pod: "a" });
  assert.match(one.id, /^[0-9a-f]{16}$/);
  assert.notEqual(one.id, other.id);
});

test("a panel with the same parameters is shown again; others get a tab each", () => {
  let state = opened(EMPTY, "logs", { pod: "a", ns: "x" }, { id: "1" });
  state = opened(state, "logs", { pod: "b", ns: "x" }, { id: "2" });
  state = opened(state, "logs", { ns: "x", pod: "a" }, { id: "3" });
  assert.deepEqual(state.tabs.map((tab) => tab.id), ["1", "2"]);
  assert.equal(state.active, "1");
  state = opened(state, "terminal", {}, { id: "4", many: true });
  state = opened(state, "terminal", {}, { id: "5", many: true });
  assert.equal(state.tabs.length, 4);
});

test("closing shows a neighbour, and shuts the dock with the last one", () => {
  let state = ["1", "2", "3"].reduce((now, id) => opened(now, "terminal", {}, { id, many: true }), EMPTY);
  state = closed({ ...state, active: "2" }, "2");
  assert.equal(state.active, "3");
  state = closed(state, "3");
  assert.equal(state.active, "1");
  state = closed(state, "1");
  assert.deepEqual(state, { tabs: [], active: null, open: false });
  assert.equal(beside(opened(opened(EMPTY, "a", {}, { id: "1" }), "b", {}, { id: "2" }), 1), "1");
});

test("tabs are remembered by cluster; what is no panel any more is left out", () => {
  const kept = new Map();
  const storage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value), removeItem: (key) => kept.delete(key) };
  let state = opened(opened(EMPTY, "logs", { pod: "a" }, { id: "1" }), "old", {}, { id: "2" });
  state = changed(state, "1", { title: "a" });
  keep(storage, "demo", state);
  const again = recalled(storage, "demo", (name) => name === "logs");
  assert.deepEqual(again, { tabs: [{ id: "1", panel: "logs", params: { pod: "a" }, title: "a" }], active: "1", open: true });
  assert.deepEqual(recalled(storage, "other", () => true), EMPTY);
  kept.set("kp-dock:demo", "nonsense");
  assert.deepEqual(recalled(storage, "demo", () => true), EMPTY);
});
