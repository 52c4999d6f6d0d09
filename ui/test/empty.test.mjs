// What pages say where there is nothing to show.
import assert from "node:assert/strict";
import { test } from "node:test";

import { element, said } from "./page.mjs";

import { sentences } from "../src/overview/happened.js";
import { headline } from "../src/trace/headline.js";
import { waterfall } from "../src/trace/waterfall.js";
import "../src/timeline/kp-compare.js";
import "../src/timeline/kp-happened.js";
import "../src/timeline/kp-object-past.js";
import "../src/timeline/kp-timeline.js";
import "../src/trace/kp-trace.js";

test("a quiet past", () => {
  assert.match(said(sentences({ changes: [], rev: "7" })), /Nothing changed in the 5 minutes before revision 7\./);
  const happened = element("kp-happened", { facts: [], oldest: 0, rev: 5 });
  assert.match(said(happened.sentences()), /Nothing worth a sentence happened from 1 to 5\./);
  const past = element("kp-object-past", { cluster: "lab", object: "pods/default/web" });
  assert.equal(said(past.fields({ type: "DELETED" })), "The object was deleted.");
  const timeline = { bookmarks: [], allMarks: [], at: 3 };
  const { toMark } = globalThis.customElements.get("kp-timeline").prototype;
  toMark.call(timeline, 1);
  assert.equal(timeline.said, "No warning, failure or bookmark comes after this.");
  toMark.call(timeline, -1);
  assert.equal(timeline.said, "No warning, failure or bookmark comes before this.");
});

test("nothing differs", () => {
  const between = (found) => said(element("kp-compare", { cluster: "lab", found: { a: 1, b: 2, other: "", items: [], ...found } }).list());
  assert.match(between({}), /Nothing differs between/);
  assert.match(between({ other: "copy" }), /Nothing differs between .* at/);
});

const record = (fields) => ({
  auditID: "a", at: 100, seconds: 0.005, verb: "create", group: "apps", version: "v1", resource: "deployments", namespace: "shop", name: "web", subresource: "",
  user: "lea", userAgent: "kubectl/v1.36", code: 201, cause: [], wrote: [], webhooks: [], annotations: {}, details: null, stages: [], ...fields,
});

test("a trace of which nothing has come yet", () => {
  const page = element("kp-trace", { cluster: "lab", state: {} });
  assert.match(said(page.empty()), /^No requests recorded yet\./);
  page.state = { verb: "delete" };
  assert.equal(said(page.empty()), "No request matches. The last 1 000 of a cluster are kept.");
  const came = (verb) => said(waterfall({ story: { root: record({ verb }), steps: [], more: 0 }, all: false, link: () => "" }));
  assert.deepEqual(["create", "get"].map(came), ["Nothing came of this request.", "A read changes nothing, so nothing came of it."]);
  const told = (story) => said(headline({ record: record(), story: { because: [], ...story }, compare: null, link: () => "" }));
  assert.match(told({ totals: { pods: 3, running: 1, all: null, first: 0.5 } }), /1 of 3 pods run; the first after/);
  assert.match(told({ totals: { pods: 3, running: 0, all: null } }), /3 pods made, none runs yet/);
  assert.match(told({ only: "ann", totals: null }), /You look as ann: only their requests are shown/);
});
