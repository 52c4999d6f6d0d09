import assert from "node:assert/strict";
import { test } from "node:test";

import { Plane } from "../src/topology/plane.js";

const quiet = { revision: 7, requests: 0, refused: 0, from: {}, watches: 40, controllers: {}, scheduler: { active: 0, backoff: 0, unschedulable: 0, gated: 0 }, kubelets: { running: 3, all: 3 } };
const texts = (plane, now = 0) => Object.fromEntries(plane.parts(now).map(({ name, text }) => [name, text]));

test("before anything is known there is room for it", () => {
  assert.equal(new Plane().parts(0).map(({ text }) => text).join(""), "……………");
});

test("a quiet control plane says so", () => {
  const plane = new Plane();
  plane.take(quiet, 0);
  assert.deepEqual(texts(plane), { api: "idle", store: "rev 7", controllers: "idle", scheduler: "idle", kubelets: "3 of 3" });
});

test("requests are counted over some seconds, and forgotten", () => {
  const plane = new Plane();
  plane.take({ ...quiet, requests: 20 }, 0);
  plane.take({ ...quiet, requests: 30 }, 1000);
  assert.equal(texts(plane, 1500).api, "10/s");
  assert.equal(texts(plane, 5500).api, "6/s");
  assert.equal(texts(plane, 9000).api, "idle");
});

test("few requests are not rounded to none", () => {
  const plane = new Plane();
  plane.take({ ...quiet, requests: 1 }, 0);
  assert.equal(texts(plane, 1).api, "<1/s");
});

test("each part beats when it was heard of, and the store with each revision", () => {
  const plane = new Plane();
  plane.take(quiet, 0);
  plane.take({ ...quiet, revision: 9, requests: 3, from: { people: 1, scheduler: 2 } }, 1);
  assert.deepEqual(plane.beats, { api: 1, store: 1, controllers: 0, scheduler: 1, kubelets: 0 });
  plane.take({ ...quiet, revision: 9, requests: 1, from: { kubelet: 1 } }, 2);
  assert.deepEqual(plane.beats, { api: 2, store: 1, controllers: 0, scheduler: 1, kubelets: 1 });
});

test("what waits is told by queue", () => {
  const plane = new Plane();
  const scheduler = { active: 2, backoff: 1, unschedulable: 4, gated: 5 };
  plane.take({ ...quiet, controllers: { "job-controller": 2, "replicaset-controller": 1 }, scheduler }, 0);
  const [, , controllers, waiting] = plane.parts(0);
  assert.equal(controllers.text, "3 queued");
  assert.equal(controllers.more, "job-controller 2\nreplicaset-controller 1");
  assert.equal(waiting.text, "3 queued · 4 unschedulable · 5 gated");
  assert.equal(waiting.state, "warn");
});

test("a kubelet that is missing is a warning", () => {
  const plane = new Plane();
  plane.take({ ...quiet, kubelets: { running: 2, all: 3 } }, 0);
  const kubelets = plane.parts(0).at(-1);
  assert.deepEqual([kubelets.text, kubelets.state], ["2 of 3", "warn"]);
});

test("who may not read what the control plane does is told so, until they may", () => {
  const plane = new Plane();
  plane.take({ forbidden: 'User "lea" cannot get path "/metrics"' }, 0);
  assert.match(plane.forbidden, /metrics/);
  plane.take(quiet, 1);
  assert.equal(plane.forbidden, "");
  assert.equal(texts(plane, 1).store, "rev 7");
});
