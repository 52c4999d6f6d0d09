import assert from "node:assert/strict";
import { test } from "node:test";

import { arrange, fromProblem, fromRow, tally } from "../src/happenings/model.js";
import { ListModel } from "../src/list/model.js";
import { forgetProblems, heard, note, problems, whatOf } from "../src/problems.js";

const NOW = Date.parse("2026-11-23T10:00:00Z");
const COLUMNS = ["Last Seen", "Type", "Reason", "Object", "Message", "Count"].map((name) => ({ name, type: "string" }));
const row = (id, cells, ns = "default") => [id, ns, id, "2026-11-23T09:00:00Z", {}, cells];

function events(...rows) {
  const model = new ListModel();
  model.reset(COLUMNS, { across: true, now: () => NOW });
  model.add(rows);
  return [...model.rows.values()].map((one) => fromRow(one, model.columns, NOW));
}

const SOME = events(
  row("a", ["5m", "Warning", "BackOff", "pod/web-1", "Back-off restarting", 4]),
  row("b", ["10s", "Normal", "Pulled", "pod/web-2", "Container image pulled", 1]),
  row("c", ["2m", "Warning", "BackOff", "pod/web-2", "Back-off restarting", 2], "prod"),
);
const REFUSED = fromProblem({ id: "p", at: NOW - 1000, what: "delete pods/web-1", text: 'pods "web-1" is forbidden', count: 1, link: "" });
const ids = (found) => found.map(({ id }) => id);

test("the latest event comes first, whatever order they came in", () => {
  assert.deepEqual(ids(arrange([...SOME, REFUSED], {})), ["p", "b", "c", "a"]);
  assert.equal(SOME[0].at, NOW - 300_000);
});

test("events are chosen by type, namespace, object and words", () => {
  const all = [...SOME, REFUSED];
  assert.deepEqual(ids(arrange(all, { type: "Warning" })), ["p", "c", "a"]);
  assert.deepEqual(ids(arrange(all, { type: "Error" })), ["p"]);
  assert.deepEqual(ids(arrange(all, { ns: "prod" })), ["p", "c"], "what was refused here is of no namespace");
  assert.deepEqual(ids(arrange(SOME, { object: "pod/web-2" })), ["b", "c"]);
  assert.deepEqual(ids(arrange(SOME, { q: "back-off -prod" })), ["a"]);
});

test("the same events of many objects are one line with their sum", () => {
  const [pulled, backOff] = arrange(SOME, {}, { grouped: true });
  assert.equal(pulled.objects, 1);
  assert.deepEqual([backOff.reason, backOff.count, backOff.objects, backOff.id], ["BackOff", 6, 2, "c"]);
  assert.deepEqual(tally([...SOME, REFUSED]), { Normal: 1, Warning: 2, Error: 1 });
});

function storage() {
  const kept = new Map();
  return { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) };
}

test("what was refused is kept by cluster, the same again is counted, the oldest goes", () => {
  const kept = { storage: storage() };
  for (let i = 0; i < 120; i += 1) note("demo", { what: "scale", text: `no ${i}` }, { ...kept, now: i });
  note("demo", { what: "scale", text: "no 50" }, { ...kept, now: 500 });
  const found = problems("demo", kept.storage);
  assert.equal(found.length, 100);
  assert.deepEqual([found[0].text, found[0].count, found[0].at], ["no 50", 2, 500]);
  assert.deepEqual(problems("other", kept.storage), []);
  forgetProblems("demo", kept.storage);
  assert.deepEqual(problems("demo", kept.storage), []);
});

test("a request says in a word what it was for", () => {
  const body = { action: "delete", resource: { plural: "pods" }, target: { namespace: "default", name: "web-1" } };
  assert.equal(whatOf("POST", "/api/clusters/demo/actions", body), "delete pods/web-1 -n default");
  assert.equal(whatOf("DELETE", "/api/clusters/demo/failures/f1?x=1"), "delete failures/f1");
  assert.equal(whatOf("POST", "/api/clusters/demo/clock", { action: "pause" }), "pause clock");
});

test("reads, rehearsals and what one broke off are no events", () => {
  globalThis.sessionStorage = storage();
  heard("GET", "/api/clusters/demo/permissions", undefined, new Error("no"));
  heard("POST", "/api/clusters/demo/actions", { dry_run: true }, new Error("no"));
  heard("POST", "/api/clusters/demo/actions", {}, Object.assign(new Error("no"), { name: "AbortError" }));
  heard("POST", "/api/saved-filters", {}, new Error("no"));
  assert.deepEqual(problems("demo"), []);
  heard("POST", "/api/clusters/demo/actions", {}, new Error("no"));
  assert.equal(problems("demo").length, 1);
  delete globalThis.sessionStorage;
});
