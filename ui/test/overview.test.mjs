// The overview: addresses, series and tables out of what the site tells.
import assert from "node:assert/strict";
import test from "node:test";

import { busyQueues, filterOf, highest, lately, listOf, mean, objectOf, pauseAfter, rate, rateText, requestSeries, rowsOf, timesOf } from "../src/overview/model.js";
import { overview } from "../src/texts/en/overview.js";

const PODS = { resource: "pods", group: "", version: "v1", plural: "pods", namespaced: true };
const NODES = { resource: "nodes", group: "", version: "v1", plural: "nodes", namespaced: false };
const DEPLOYMENTS = { resource: "deployments.apps", group: "apps", version: "v1", plural: "deployments", namespaced: true };

test("a kind leads to its list, with the namespace, the filter and the revision", () => {
  assert.equal(listOf("c", PODS), "/clusters/c/objects/core/v1/pods");
  assert.equal(listOf("c", PODS, { ns: "prod", q: "status:Error", rev: "7" }), "/clusters/c/objects/core/v1/pods?ns=prod&q=status%3AError&rev=7");
  assert.equal(listOf("c", NODES, { ns: "prod" }), "/clusters/c/objects/core/v1/nodes");
});

test("a state filters the list where the list has such a column", () => {
  assert.equal(filterOf("pods", { word: "CrashLoopBackOff", level: "bad" }), "status:CrashLoopBackOff");
  assert.equal(filterOf("pods", { word: "NotReady", level: "busy" }), "");
  assert.equal(filterOf("nodes", { word: "Ready", level: "good" }), "");
  assert.equal(filterOf("nodes", { word: "Ready,SchedulingDisabled", level: "busy" }), "status:SchedulingDisabled");
  assert.equal(filterOf("deployments.apps", { word: "Available", level: "good" }), "");
});

test("kinds without a name of ours are told in the plural, by the capitals of the kind", () => {
  const named = (kind, plural) => overview.several({ kind, plural });
  assert.equal(named("NetworkPolicy", "networkpolicies"), "NetworkPolicies");
  assert.equal(named("EndpointSlice", "endpointslices"), "EndpointSlices");
  assert.equal(named("Endpoints", "endpoints"), "Endpoints");
  assert.equal(named("Goose", "geese"), "Goose");
});

test("an object has an address where its kind is served", () => {
  assert.equal(objectOf("c", DEPLOYMENTS, { namespace: "default", name: "web" }), "/clusters/c/objects/apps/v1/deployments/default/web");
  assert.equal(objectOf("c", NODES, { namespace: "", name: "n1" }, "9"), "/clusters/c/objects/core/v1/nodes/-/n1?rev=9");
  assert.equal(objectOf("c", { plural: "" }, { namespace: "", name: "x" }), "");
  assert.equal(objectOf("c", undefined, { name: "x" }), "");
});

test("sentences leave after five minutes of the cluster's time", () => {
  assert.deepEqual(lately([{ at: 1000 }, { at: 699 }], 1000), [{ at: 1000 }]);
});

test("slots have their times before now", () => {
  assert.deepEqual(timesOf({ width: 2, age: 0.5, people: [0, 0, 0] }), [-4.5, -2.5, -0.5]);
});

test("a rate is of the last seconds alone", () => {
  assert.equal(rate([100, 0, 4, 6], 2, 4), 2.5);
  assert.equal(rate([], 2, 4), 0);
  assert.deepEqual([0, 0.05, 0.25, 3.44, 120.4].map(rateText), ["0", "0.05", "0.3", "3.4", "120"]);
});

test("people and workers are always shown, others where there are any", () => {
  assert.deepEqual(requestSeries({ people: [0], workers: [0], pages: [0], refused: [0] }), ["people", "workers"]);
  assert.deepEqual(requestSeries({ people: [0], workers: [0], pages: [2], refused: [1] }), ["people", "workers", "pages", "refused"]);
});

test("the table tells minutes, the last one first", () => {
  const pace = { width: 2 };
  const rows = rowsOf(pace, { a: [1, 1, 2, 4] }, mean, 4);
  assert.deepEqual(rows, [
    { from: 0, to: 4, values: [3] },
    { from: 4, to: 8, values: [1] },
  ]);
  assert.deepEqual(rowsOf(pace, { a: [null, 3, null, null] }, highest, 4).map((row) => row.values[0]), [null, 3]);
});

test("queues in which something is come first; what is for later is counted apart", () => {
  const queues = [
    { name: "a", depths: { ready: 0, working: 0, later: 3 } },
    { name: "b", depths: { ready: 1, working: 0, later: 1 } },
    { name: "kube-scheduler", depths: { active: 0, backoff: 2, unschedulable: 1, gated: 0 } },
  ];
  const { busy, later } = busyQueues(queues);
  assert.deepEqual(busy.map(({ name }) => name), ["kube-scheduler", "b"]);
  assert.equal(later, 4);
});

test("latencies are said in the unit that fits", () => {
  assert.deepEqual([0, 0.00034, 0.0032, 0.048, 1.84].map(overview.seconds), ["0", "340 µs", "3.2 ms", "48 ms", "1.84 s"]);
});

test("who answers slowly is asked less often", () => {
  assert.deepEqual([5, 200, 500, 9000].map(pauseAfter), [2000, 2000, 5000, 15_000]);
});
