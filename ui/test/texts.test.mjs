// Catalogues: what is translated has the keys of the English one, and says the same numbers and names.
import assert from "node:assert/strict";
import { test } from "node:test";

import { english } from "../src/texts/en.js";
import { pages } from "../src/texts/zh-hans.js";

/** Yields [path, text or function] for every sentence. */
function* sentences(tree, path = []) {
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === "object") yield* sentences(value, [...path, key]);
    else yield [[...path, key].join(" › "), value];
  }
}

/** Says a sentence with marks in the place of what is put into it; null where marks do not do. */
function said(value) {
  if (typeof value === "string") return value;
  const marks = [101, 202, 303, 404].slice(0, value.length);
  try {
    return value(...marks);
  } catch {
    return null; // it takes an object or a list
  }
}

test("every page is translated, with every key and no other", () => {
  assert.deepEqual([...sentences(pages)].map(([path]) => path).sort(), [...sentences(english)].map(([path]) => path).sort());
});

test("what is put into a sentence is in its translation too", () => {
  const translated = new Map(sentences(pages));
  for (const [path, value] of sentences(english)) {
    const other = translated.get(path);
    assert.equal(typeof other, typeof value, path);
    if (typeof value !== "function") continue;
    assert.equal(other.length, value.length, path);
    const text = said(value);
    if (text === null) continue;
    for (const mark of String(text).match(/101|202|303|404/g) ?? []) assert.ok(String(said(other)).includes(mark), `${path}: ${mark}`);
  }
});

test("no translation is empty", () => {
  for (const [path, value] of sentences(pages)) assert.ok(String(said(value) ?? "-").trim(), path);
});
