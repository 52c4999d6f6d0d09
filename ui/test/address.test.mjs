// What stands in the address of a page beside what the page itself puts there.
import assert from "node:assert/strict";
import { test } from "node:test";

import { read, written } from "../src/dock/address.js";
import { opened } from "../src/dock/tabs.js";
import { optionsOf, textsOf } from "../src/logs/options.js";

const USUAL = { container: "", previous: false, since: "", grep: "", only: false, times: false, wrap: true, follow: true };

test("an address brings back how a log was read, and is short where that is as usual", () => {
  assert.deepEqual(Object.values(textsOf(USUAL)).join(""), "");
  const chosen = { ...USUAL, container: "*", previous: true, since: "rev:12", grep: "a=b, c", follow: false };
  const texts = textsOf(chosen);
  assert.equal(texts.follow, "0");
  assert.deepEqual({ ...USUAL, ...optionsOf(texts) }, chosen);
  assert.deepEqual(optionsOf({ previous: "", grep: undefined }), {}, "what has no text is left to the page");
});

test("an address brings back the panel that was open, whatever was typed in it", () => {
  const tab = { panel: "events", params: { ns: "default", q: "50%, a:b", type: "" } };
  const text = written(tab);
  assert.equal(text, "events,ns:default,q:50%25%2C a:b");
  assert.deepEqual(read(text), { panel: "events", params: { ns: "default", q: "50%, a:b" } });
  assert.deepEqual(read("events,q:100%,nonsense"), { panel: "events", params: { q: "100%" } });
  assert.deepEqual(read(""), { panel: "", params: {} });
  assert.equal(written({ panel: "logs", params: { pods: "web-1,".repeat(400) } }), "", "a long list of pods is not");
});

test("a panel is found again however it is looked at", () => {
  const view = ["grep"];
  const params = { pod: "web-1" };
  let state = opened({ tabs: [], active: null, open: false }, "logs", { ...params, grep: "error" }, { id: "1", view });
  state = opened(state, "logs", params, { id: "2", view });
  assert.deepEqual([state.tabs.length, state.active], [1, "1"]);
  state = opened(state, "logs", { ...params, container: "app" }, { id: "2", view });
  assert.equal(state.active, "2");
});
