// Every sentence about a trouble is quoted by a test: by words that no other sentence of the catalogue has.
//
// A sentence is about a trouble if it says no. Those of templates and of the site's own code are held by
// tests/playground/test_quoted.py.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { english } from "../src/texts/en.js";

const SAYS_NO = /\b(no|not|none|nobody|nothing|never|cannot|too|wrong|lost|fail(s|ed)?|refused?|denied|gone|missing|deleted|already|unknown|older|larger|forbidden|broken|needs?|must|could|ended|does|longer|first)\b/;
const SHORTEST = 4; // words: less is a label
// A name that ends with a dot stands for all below it. Troubles whose sentences say no no:
const ALSO = names(`
  gap noPodsIn nothingMatches noSuchPod tooSlow dock.loadFailed
  editor.changed editor.elsewhere editor.mergedBut editor.secret logs.lost logs.badPattern
  objects.notSaved objects.past objects.nothingMatches objects.askFor
  terminal.plainTitle terminal.plainText terminal.install terminal.splitLimit terminal.nothingToCopy
  timeline.lookingAt timeline.compacted timeline.noSuchRevision trace.stops.
`);
// What says no and is no trouble: titles of keys and choices, counts, that all is quiet.
const CALM = names(`
  act.finished act.propagations. act.disableEviction actions. editor.escape editor.states. objects.selectedHidden
  overview.noRequestsLately overview.allEmpty timeline.failures topology.plane. topology.break.kinds. trace.idle trace.warned
`);
const LEAST = 2; // words in a row; of more in a row, three

const words = (text) => text.replace(/\\[nt]/g, " ").replace(/['’]/g, "").toLowerCase().match(/[a-z]+/g) ?? [];

function names(text) {
  return text.trim().split(/\s+/);
}

const among = (name, list) => list.some((one) => one === name || (one.endsWith(".") && name.startsWith(one)));

/** Yields [name, sentence or function] of all that the catalogue says. */
function* sentences(tree, path = []) {
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === "object") yield* sentences(value, [...path, key]);
    else yield [[...path, key].join("."), value];
  }
}

/** The texts within a function's source, also those within what is put into other texts. */
function texts(source) {
  const found = [""];
  const within = ["code"];
  for (let at = 0; at < source.length; at += 1) {
    const [mode, one] = [within.at(-1), source[at]];
    const opens = mode === "code" ? { '"': '"', "`": "`", "{": "code" }[one] : mode === "`" && source.startsWith("${", at) && "code";
    if (opens) within.push(opens);
    else if (one === mode || (mode === "code" && one === "}")) within.pop();
    else if (mode !== "code") {
      found[found.length - 1] += one;
      continue;
    }
    if (mode === "`" && opens) at += 1;
    found.push("");
  }
  return found;
}

/** What of a sentence always stands there, in rows of words. */
function rows(value) {
  const parts = typeof value === "string" ? [value] : texts(String(value));
  return parts.flatMap((part) => {
    const all = words(part);
    const size = Math.min(all.length, LEAST + 1);
    return size < LEAST ? [] : all.slice(0, all.length - size + 1).map((_, at) => all.slice(at, at + size).join(" "));
  });
}

const rowsOf = new Map([...sentences(english)].map(([name, value]) => [name, new Set(rows(value))]));
const counts = new Map();
for (const row of [...rowsOf.values()].flatMap((all) => [...all])) counts.set(row, (counts.get(row) ?? 0) + 1);

function saysNo(value) {
  const said = (typeof value === "string" ? [value] : texts(String(value))).flatMap(words);
  return said.length >= SHORTEST && SAYS_NO.test(said.join(" "));
}

/** Where one says the same as another page, the words of both count for both. */
function own(name) {
  const all = [...rowsOf.get(name)];
  const alone = all.filter((row) => counts.get(row) === 1);
  return alone.length ? alone : all;
}

function tests() {
  const root = new URL("../../", import.meta.url);
  const files = ["tests", "ui/test"].flatMap((folder) => readdirSync(new URL(folder, root), { recursive: true }).map((file) => `${folder}/${file}`));
  const read = files.filter((file) => /\.(py|mjs)$/.test(file) && !file.endsWith("quoted.test.mjs"));
  return ` ${read.flatMap((file) => words(readFileSync(new URL(file, root), "utf8"))).join(" ")} `;
}

test("each sentence about a trouble is quoted by a test", () => {
  const all = tests();
  const troubles = [...sentences(english)].filter(([name, value]) => among(name, ALSO) || (saysNo(value) && !among(name, CALM)));
  assert.ok(troubles.length > 150);
  const missing = troubles.map(([name]) => name).filter((name) => !own(name).some((row) => all.includes(` ${row} `)));
  assert.deepEqual(missing, []);
});

test("what is listed here stands in the catalogue", () => {
  const all = [...rowsOf.keys()];
  assert.deepEqual([...ALSO, ...CALM].filter((one) => !all.some((name) => among(name, [one]))), []);
});
