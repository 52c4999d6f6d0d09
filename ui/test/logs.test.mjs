import assert from "node:assert/strict";
import { test } from "node:test";

import { Lines, matches, pieces, search } from "../src/logs/buffer.js";
import { Following } from "../src/logs/following.js";

const texts = (lines) => lines.all.map(({ text }) => text);

test("a line counts when it is complete, and keeps its time apart", () => {
  const lines = new Lines();
  lines.add("a", "2026-11-23T09:00:00.5Z one\n2026-11-23T09:00:01Z tw");
  assert.deepEqual(texts(lines), ["one"]);
  lines.add("a", "o\nplain\n");
  assert.deepEqual(texts(lines), ["one", "two", "plain"]);
  assert.equal(lines.all[0].at, "2026-11-23T09:00:00.5Z");
});

test("lines of several pods stand in the order of their times", () => {
  const lines = new Lines();
  lines.add("a", "2026-11-23T09:00:01Z a1\n2026-11-23T09:00:03Z a2\n");
  lines.add("b", "2026-11-23T09:00:02Z b1\n");
  assert.deepEqual(texts(lines), ["a1", "b1", "a2"]);
});

test("after a lost connection only what is missing is added", () => {
  const at = (s) => `2026-11-23T09:00:0${s}Z`;
  const lines = new Lines();
  lines.add("a", `${at(1)} one\n${at(2)} two\n${at(2)} two\n${at(2)} cut of`);
  lines.add("b", `${at(3)} other\n`);
  assert.equal(lines.resume(["a", "b"]), at(2), "from the one that is behind");
  // The API begins with the second that it is asked for: both lines of it come again, and a third.
  lines.add("a", `${at(2)} two\n${at(2)} two\n${at(2)} two\n${at(4)} four\n`);
  lines.add("b", `${at(3)} other\n${at(3)} other\n`);
  assert.deepEqual(texts(lines), ["one", "two", "two", "two", "other", "other", "four"]);
  assert.equal(new Lines().resume(["a"]), "");
});

test("memory has a bound, and what was let go is counted", () => {
  const lines = new Lines(3);
  lines.add("a", "1\n2\n3\n4\n5\n");
  assert.deepEqual(texts(lines), ["3", "4", "5"]);
  assert.equal(lines.dropped, 2);
});

test("a search is a text or a pattern, and what it finds is marked", () => {
  assert.deepEqual(pieces("GET /a.b 200", search("a.b").find), [["GET /", false], ["a.b", true], [" 200", false]]);
  assert.deepEqual(pieces("x1y22", search("/\\d+/").find), [["x", false], ["1", true], ["y", false], ["22", true]]);
  assert.equal(search("/(/").bad, "/(/");
  assert.equal(search("").find, null);
});

test("a pattern that could take for ever is not tried", () => {
  for (const text of ["/(a+)+$/", "/([a-z]*x)*/", "/(a{2,}){3,}/"]) assert.ok(search(text).forever, text);
  for (const text of ["/(foo|bar)+/", "/a+b+/", "/\\(a+\\)+/", "/(ab)?c{2}/"]) assert.ok(search(text).find, text);
  assert.ok(matches("x".repeat(9), search("/x/").find));
  assert.ok(!matches(`${"x".repeat(5000)}y`, search("y").find), "the end of a very long line is not searched");
});

const following = (pods, container = "") => new Following({ src: "/logs/", ns: "default", pods, container, previous: false, since: "" }, () => {});
const notes = (view) => [...view.notes.values()].map(({ text }) => text);

test("what holds a log up is said, and goes when lines come", () => {
  const view = following(["web-1"]);
  view.receive("web-1", { op: "containers", items: [["main", "main"]], chosen: "main" });
  const text = 'container "main" in pod "web-1" is waiting to start: ContainerCreating';
  view.receive("web-1", { op: "waiting", container: "main", reason: "ContainerCreating", text });
  assert.deepEqual(notes(view), ["web-1 has not started yet (ContainerCreating). Logs appear here when it does."]);
  assert.equal([...view.notes.values()][0].verbatim, text);
  view.receive("web-1", { op: "log", container: "main", text: "2026-11-23T09:00:01Z hello\n" });
  assert.deepEqual(notes(view), []);
  view.receive("web-1", { op: "ended", container: "main", code: 3, again: true });
  assert.deepEqual(notes(view), ["web-1 ended with exit code 3. It is started again; the lines of its next run appear here."]);
});

test("lines of a lost connection are asked for from the last one on", () => {
  const view = following(["web-1", "web-10"], "*");
  view.receive("web-1", { op: "containers", items: [["main", "main"], ["side", "main"]], chosen: "*" });
  assert.equal(new URLSearchParams(view.address("web-1").split("?")[1]).get("since_time"), null);
  view.receive("web-1", { op: "log", container: "main", text: "2026-11-23T09:00:04Z a\n" });
  view.receive("web-1", { op: "log", container: "side", text: "2026-11-23T09:00:02Z b\n" });
  assert.equal(new URLSearchParams(view.address("web-1").split("?")[1]).get("since_time"), "2026-11-23T09:00:02Z");
  assert.equal(new URLSearchParams(view.address("web-10").split("?")[1]).get("since_time"), null);
  assert.deepEqual([...view.lines.sources.keys()], ["web-1/main", "web-1/side"]);
});

test("a run before that never was, and a pod that is gone", () => {
  const view = following(["web-1", "web-2"]);
  view.receive("web-1", { op: "error", code: "BadRequest", text: 'previous terminated container "main" in pod "web-1" not found' });
  view.receive("web-2", { op: "error", code: "NotFound", text: 'pods "web-2" not found' });
  assert.deepEqual(notes(view), ["web-1 has not run before.", "web-2 is gone; its lines stay."]);
  assert.ok(view.ended);
});
