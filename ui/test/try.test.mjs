// What would help an object, tried on copies: idle, under way, done, failed.
import assert from "node:assert/strict";
import { test } from "node:test";

import { said } from "./page.mjs";
import "../src/el/kp-try.js";

const COST = "Takes about 2 s and a copy of the cluster for each change, deleted afterwards. This cluster is not touched.";
const fix = (text, tried, command = "") => ({ text, command, tried });

function offered(src) {
  const element = new (globalThis.customElements.get("kp-try"))();
  return Object.assign(element, { src, changes: 2 });
}

/** Answers the request for a trial when the test says so. */
function answering(t) {
  const asked = [];
  t.mock.method(globalThis, "fetch", (url) => new Promise((resolve) => asked.push({ url, answer: (body, status = 200) => resolve(Response.json(body, { status })) })));
  return asked;
}

test("it is tried once, and each change says what came of it, also where the tab was read anew", async (t) => {
  const asked = answering(t);
  const element = offered("/why/a?try=true");
  assert.equal(said(element.render()), `Try 2 changes on copies ${COST}`);
  element.run();
  element.run();
  assert.equal(asked.length, 1);
  assert.equal(said(element.render()), `Trying… ${COST} 2 changes are being tried: each on a copy of its own, whose time goes on by up to 90 s.`);
  const again = offered("/why/a?try=true");
  again.follow(element.trial);
  const left = ["1 of its pods is not ready.", "1 of its pods is not ready."];
  const fixes = [fix("Go back to revision 1.", { helped: true, left: [] }, "kubectl rollout undo"), fix("Look.", null), fix("Ask for less.", { helped: false, left })];
  asked[0].answer({ asWanted: false, causes: [{ fixes }] });
  await element.trial.over;
  for (const one of [element, again]) {
    assert.match(said(one.render()), /Try again .* Tried at \d\d:\d\d:\d\d Helped: Go back to revision 1\. kubectl rollout undo Not enough: Ask for less\. What was the matter then: 1 of its pods is not ready\.$/);
  }
});

test("what is as wanted by now, or can be tried no more, says so", async (t) => {
  const asked = answering(t);
  for (const [at, asWanted, words] of [[0, true, /It is as wanted by now: there is nothing left to try\.$/], [1, false, /no single change does it\.$/]]) {
    const element = offered(`/why/b${at}`);
    element.run();
    asked[at].answer({ asWanted, causes: [] });
    await element.trial.over;
    assert.match(said(element.render()), words);
  }
});

test("what could not be tried says why, and can be tried again", async (t) => {
  const asked = answering(t);
  const element = offered("/why/c");
  element.run();
  asked[0].answer({ error: { code: "x", message: "The cluster worker does not answer." } }, 503);
  await element.trial.over;
  assert.match(said(element.render()), /Try again .* It could not be tried\. This cluster is as it was\. The site says: The cluster worker does not answer\.$/);
  element.run();
  assert.equal(asked.length, 2);
});
