import assert from "node:assert/strict";
import { test } from "node:test";

import { statusClass, worst } from "../src/status.js";
import { added, batch, changed, deleted, node, owner, pod, snapshot, storeOf } from "./support.mjs";

test("a snapshot and what follows equal the next snapshot", () => {
  const store = storeOf({ pods: [pod("a"), pod("b")] }, 4);
  store.batch(batch(5, 7, added(pod("c")), changed(pod("a", { status: "Error" })), deleted("b")));
  const fresh = storeOf({ pods: [pod("a", { status: "Error" }), pod("c")] }, 7);
  assert.deepEqual(new Map([...store.pods].sort()), fresh.pods);
  assert.equal(store.cursor, fresh.cursor);
});

test("a batch tells what changed, from what and to what", () => {
  const store = storeOf({ pods: [pod("a")] });
  const [change] = store.batch(batch(1, 1, changed(pod("a", { status: "CrashLoopBackOff" }))));
  assert.equal(change.was.cls, "running");
  assert.equal(change.now.cls, "crash");
});

test("a batch that does not follow the last one is refused and changes nothing", () => {
  const store = storeOf({ pods: [pod("a")] }, 4);
  assert.equal(store.batch(batch(7, 8, deleted("a"))), false);
  assert.equal(store.pods.size, 1);
  assert.equal(store.number, 4);
});

test("while paused changes wait, are counted, and all come afterwards", () => {
  const store = storeOf({ pods: [pod("a")] });
  store.pause();
  assert.equal(store.batch(batch(1, 4, { ...changed(pod("a", { status: "Error" })), n: 3 }, added(pod("b")))), null);
  assert.equal(store.batch(batch(5, 5, deleted("b"))), null);
  assert.equal(store.waitingCount, 5);
  assert.equal(store.pods.get("a").status, "Running");
  assert.equal(store.resume().length, 3);
  assert.deepEqual([...store.pods.keys()], ["a"]);
  assert.equal(store.number, 5);
});

test("a new snapshot tells which pods went meanwhile", () => {
  const store = storeOf({ pods: [pod("a"), pod("b")] });
  const { removed } = store.snapshot(snapshot({ pods: [pod("b")] }, 9));
  assert.deepEqual(removed.map((one) => one.uid), ["a"]);
});

test("the owner chain goes from the ReplicaSet to the Deployment", () => {
  const store = storeOf({
    pods: [pod("p", { owner: "rs" })],
    owners: [owner("rs", "ReplicaSet", "web-1", "d"), owner("d", "Deployment", "web")],
  });
  const chain = store.chain(store.pods.get("p"));
  assert.deepEqual(chain.map((one) => one.kind), ["ReplicaSet", "Deployment"]);
  assert.equal(store.top(store.pods.get("p")).name, "web");
});

test("a service selects pods of its namespace by labels", () => {
  const store = storeOf({
    pods: [pod("p", { labels: { app: "web", tier: "x" } }), pod("q", { ns: "other", labels: { app: "web" } })],
    services: [["s", "default", "web", "ClusterIP", "", { app: "web" }, {}], ["n", "default", "none", "ClusterIP", "", {}, {}]],
  });
  assert.deepEqual(store.servicesOf(store.pods.get("p")).map((one) => one.name), ["web"]);
  assert.deepEqual(store.servicesOf(store.pods.get("q")), []);
});

test("a node that comes back under its name is the new one", () => {
  const store = storeOf({ nodes: [node("n1")] });
  store.batch(batch(1, 2, { t: "A", k: "nodes", o: node("n1", "", { uid: "new", zone: "z" }) }, { t: "D", k: "nodes", o: "uid-n1" }));
  assert.equal(store.nodeNamed("n1").zone, "z");
});

for (const [word, cls] of [
  ["Running", "running"],
  ["Completed", "succeeded"],
  ["ImagePullBackOff", "crash"],
  ["ErrImagePull", "crash"],
  ["Init:0/2", "creating"],
  ["Init:CrashLoopBackOff", "crash"],
  ["ExitCode:137", "failed"],
  ["Terminating", "terminating"],
  ["SomethingNew", "unknown"],
]) {
  test(`${word} is shown as ${cls}`, () => assert.equal(statusClass(word), cls));
}

test("a far tile shows the worst of its pods", () => {
  assert.equal(worst(["running", "crash", "pending"]), "crash");
  assert.equal(worst(["succeeded", "running"]), "running");
});
