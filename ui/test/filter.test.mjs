import assert from "node:assert/strict";
import { test } from "node:test";

import { distance, parse, suggest } from "../src/filter.js";
import { pod, storeOf } from "./support.mjs";

const store = storeOf({
  pods: [
    pod("web-1", { labels: { app: "web" }, node: "n1", restarts: 5 }),
    pod("web-2", { labels: { app: "web", canary: "yes" }, node: "n2" }),
    pod("api-1", { labels: { app: "api" }, ns: "prod", status: "Pending" }),
    pod("job-1", { labels: {}, status: "CrashLoopBackOff" }),
  ],
});
const matching = (text) => [...store.pods.values()].filter(parse(text).test ?? (() => true)).map((one) => one.name);

for (const [text, names] of [
  ["", ["web-1", "web-2", "api-1", "job-1"]],
  ["app=web", ["web-1", "web-2"]],
  ["-app=web", ["api-1", "job-1"]],
  ["app!=web", ["api-1", "job-1"]],
  ["canary=", ["web-2"]],
  ["status:pending", ["api-1"]],
  ["status:crash", ["job-1"]],
  ["node:n1", ["web-1"]],
  ["ns:prod", ["api-1"]],
  ["restarts>3", ["web-1"]],
  ["restarts<=0", ["web-2", "api-1", "job-1"]],
  ["web", ["web-1", "web-2"]],
  ["app=web -node:n1", ["web-2"]],
]) {
  test(`“${text}” finds ${names.join(", ")}`, () => assert.deepEqual(matching(text), names));
}

test("a term that makes no sense is named, and the others hold", () => {
  const read = parse("app=web colour:red");
  assert.deepEqual(read.bad, ["colour:red"]);
  assert.deepEqual(read.terms, ["app=web"]);
});

test("a slip of the finger finds what was meant", () => {
  assert.deepEqual(suggest("app=wbe", store.pods.values()), { text: "app=web", count: 2 });
  assert.equal(suggest("app=somethingelse", store.pods.values()), null);
});

test("distance counts edits and gives up early", () => {
  assert.equal(distance("wbe", "web"), 2);
  assert.equal(distance("web", "web"), 0);
  assert.equal(distance("a", "abcdefgh"), 4);
});
