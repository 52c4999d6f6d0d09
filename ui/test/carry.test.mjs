// Links of a page of the past stay there.
import assert from "node:assert/strict";
import { test } from "node:test";

import { carry, stay } from "../src/carry.js";

const SITE = "https://kg.example";
const PAST = `${SITE}/clusters/a/objects/core/v1/pods?rev=7`;
const to = (address, here = PAST) => stay(address, here).href.slice(SITE.length);

test("an address within the cluster stays at the revision", () => {
  assert.equal(to("/clusters/a/topology"), "/clusters/a/topology?rev=7");
  assert.equal(to("/clusters/a/topology?lens=traffic#x"), "/clusters/a/topology?lens=traffic&rev=7#x");
  assert.equal(to("?tab=yaml"), "/clusters/a/objects/core/v1/pods?tab=yaml&rev=7");
  assert.equal(to("/clusters/a"), "/clusters/a?rev=7");
});

test("a revision of its own wins", () => {
  assert.equal(to("/clusters/a/topology?rev=3"), "/clusters/a/topology?rev=3");
});

test("what lies elsewhere is left alone", () => {
  for (const address of ["/", "/settings", "/clusters/b/topology", "/clusters/ab", "/api/clusters/a/recording"]) assert.equal(to(address), address);
  assert.equal(stay("https://kubernetes.io/clusters/a", PAST).href, "https://kubernetes.io/clusters/a");
});

test("the present adds nothing", () => {
  assert.equal(to("/clusters/a/topology", `${SITE}/clusters/a/objects?q=x`), "/clusters/a/topology");
  assert.equal(to("/clusters/a/topology", `${SITE}/?rev=7`), "/clusters/a/topology");
});

test("the namespace goes along, unless one chooses another or a script goes there", () => {
  const here = `${PAST}&ns=default`;
  assert.equal(to("/clusters/a/topology", here), "/clusters/a/topology?ns=default&rev=7");
  assert.equal(to("/clusters/a/topology?ns=", here), "/clusters/a/topology?ns=&rev=7");
  assert.equal(stay("/clusters/a/topology", here, ["rev"]).search, "?rev=7");
  assert.equal(stay("/clusters/a/topology", here, ["ns"]).search, "?ns=default");
});

test("a link that carries has the namespace and the revision of now, and none from before", () => {
  assert.equal(carry("/clusters/a/topology?ns=old&rev=1", `${PAST}&ns=default`).search, "?ns=default&rev=7");
  assert.equal(carry("/clusters/a/topology?ns=old&rev=1&lens=owners", `${SITE}/clusters/a/trace`).search, "?lens=owners");
});
