// What a failure asks for, and the cluster's clock as it was told.
import assert from "node:assert/strict";
import test from "node:test";

import { clusterNow, forget, tell } from "../src/clock.js";
import { CONTROL_PLANE, defaults, FIELDS, podNames, targetOf, userNames } from "../src/failures.js";

const store = {
  nodes: new Map([["a", { name: "node-10" }], ["b", { name: "node-2" }]]),
  pods: new Map([["p", { ns: "default", name: "web-1", node: "node-2" }]]),
  services: new Map(),
};
const nothing = { nodes: new Map(), pods: new Map(), services: new Map() };

test("the selected pod and its node are offered first", () => {
  const pod = store.pods.get("p");
  assert.deepEqual(defaults("stop-node", store, pod), { node: "node-2" });
  assert.deepEqual(defaults("kill-container", store, pod), { pod: "default/web-1", container: "", again: false });
  assert.deepEqual(defaults("cut-link", store, pod), { from: "node/node-2", to: "node/node-10" });
});

test("without anything there is something to choose", () => {
  assert.equal(defaults("cut-link", nothing, null).to, CONTROL_PLANE);
  assert.equal(defaults("stop-node", nothing, null).node, "");
});

test("names are in the order of their numbers", () => {
  assert.deepEqual(userNames(store), ["system:kube-scheduler", "system:node:node-2", "system:node:node-10"]);
  assert.deepEqual(podNames(store), ["default/web-1"]);
});

test("what was left empty is not sent, and numbers are numbers", () => {
  assert.deepEqual(targetOf("kill-container", { pod: "default/a", container: "", again: false }), { pod: "default/a" });
  assert.deepEqual(targetOf("slow-api", { milliseconds: "250" }), { milliseconds: 250 });
  assert.deepEqual(targetOf("registry-down", {}), {});
});

test("every kind has defaults for its fields", () => {
  for (const kind of Object.keys(FIELDS)) assert.deepEqual(Object.keys(defaults(kind, store, null)).sort(), [...FIELDS[kind]].sort());
});

test("the cluster's time runs at its rate, or stands still", () => {
  tell({ seconds: 1000, rate: 10, paused: false }, 0);
  assert.equal(clusterNow(2000), 1_020_000);
  tell({ seconds: 1000, rate: 10, paused: true }, 0);
  assert.equal(clusterNow(2000), 1_000_000);
  forget();
  assert.ok(Math.abs(clusterNow() - Date.now()) < 1000);
});
