// What of the requests that come in is one's own, and where a command's dot leads.
import assert from "node:assert/strict";
import { test } from "node:test";

import { traceOf } from "../src/terminal/gutter.js";
import { chief, Following } from "../src/trace/following.js";

const asked = (verb, terminal = "mine", session = "run-1") => ({ auditID: `${verb}-${session}`, verb, terminal, session });

function following(terminals) {
  let times = 0;
  const made = new Following("lab", async () => {
    times += 1;
    return { items: terminals };
  });
  return { made, asked: () => times };
}

test("only what one's own terminals asked for is followed", async () => {
  const { made, asked: times } = following([{ id: "mine", running: true }]);
  const items = [asked("create"), asked("create", "another"), asked("create", "")];
  assert.deepEqual(await made.own(items), [items[0]]);
  assert.deepEqual(await made.own(items), [items[0]]);
  assert.equal(times(), 1, "who is a stranger is asked once");
});

test("a terminal that is opened later is one's own too", async () => {
  const terminals = [];
  const { made } = following(terminals);
  await made.learn();
  assert.equal(made.none, true);
  terminals.push({ id: "mine", running: true });
  assert.equal((await made.own([asked("get")])).length, 1);
  assert.equal(made.none, false);
});

test("what changed something is looked at before what was read", () => {
  const [read, write, next] = [asked("get"), asked("create"), asked("list", "mine", "run-2")];
  assert.equal(chief([read, write]), write);
  assert.equal(chief([read]), read);
  assert.equal(chief([]), null);
  assert.equal(chief([read], write), null, "the same run reads after it has written");
  assert.equal(chief([next], write), next);
});

test("the dot of a command leads to its request, among those of its run", () => {
  const [first, second] = [{ id: "a", session: "s" }, { id: "b", session: "s" }];
  assert.equal(traceOf("lab", second, [first, second]), "/clusters/lab/trace/b?session=s");
  assert.equal(traceOf("lab", first, [first]), "/clusters/lab/trace/a");
  assert.equal(traceOf("lab", { id: "c" }, [{ id: "c" }, first]), "/clusters/lab/trace/c");
});
