import assert from "node:assert/strict";
import { test } from "node:test";

import { Lines, matches, pieces, search } from "../src/logs/buffer.js";

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
