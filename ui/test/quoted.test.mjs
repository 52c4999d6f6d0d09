// Every sentence about a trouble is quoted by a test: by words that no other sentence of the catalogue has.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { english } from "../src/texts/en.js";

// By page; a name that ends with a dot stands for all below it. A sentence about a new trouble comes in here.
const TROUBLES = `
  gap tooFast notFollowed outOfStep signedOut clusterGone forbidden noNodes noPodsIn badTerm nothingMatches noSuchPod deletedAt tooSlow connectProblem
  act.stopped act.noRevisions act.needsChoice act.notAllowed
  dock.loadFailed frame.visitFailed
  editor.tooLarge editor.notText editor.unreachable editor.forbidden editor.noDocument editor.noLive editor.decide
  editor.changed editor.deleted editor.settle editor.mergedBut editor.past editor.secret editor.notOpened editor.fromGone
  events.down
  logs.tooMany logs.dropped logs.notStarted logs.noPrevious logs.podGone logs.lost logs.ran logs.runsAgain logs.forever logs.badPattern
  objects.nothingMatches objects.badTerm objects.forbidden objects.notWatched objects.readOnce objects.askFor objects.refused objects.kindGone objects.down objects.past objects.notSaved
  overview.lost overview.notRead overview.notStarted overview.noMetrics overview.unseen
  palette.nothing palette.noKind palette.noCluster palette.noKinds palette.noSearch
  tries.failed tries.notEnough tries.left tries.nothing
  settings.clash settings.noAction settings.notKept
  terminal.lost terminal.backMissing terminal.restarted terminal.forgotten terminal.ended terminal.endedBecause terminal.failed terminal.inputFull
  terminal.plainTitle terminal.plainText terminal.plainWhy terminal.install terminal.splitLimit terminal.nothingToCopy terminal.noOutput
  terminal.notAllowed terminal.recordingFull terminal.badFile
  timeline.lookingAt timeline.unseen timeline.unseenAll timeline.nothingSeen timeline.noChangesSeen timeline.noDifferenceSeen timeline.compacted timeline.problem timeline.noSuchRevision timeline.badObject timeline.noWrites timeline.objectNotThere timeline.moreDiffer
  topology.notWatched topology.unseen topology.noPast topology.why.problem topology.clock.problem topology.break.problem topology.break.notAs
  trace.stops. trace.notKept trace.unreachable trace.noDetails trace.moreChanges trace.noneAbout trace.noTerminal
`.trim().split(/\s+/);
const LEAST = 2; // words in a row; of more in a row, three

const words = (text) => text.replace(/\\[nt]/g, " ").replace(/['’]/g, "").toLowerCase().match(/[a-z]+/g) ?? [];

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
  const named = [...rowsOf.keys()].filter((name) => TROUBLES.some((one) => one === name || (one.endsWith(".") && name.startsWith(one))));
  const missing = named.filter((name) => !own(name).some((row) => all.includes(` ${row} `)));
  assert.deepEqual(missing, []);
});

test("what is listed here stands in the catalogue", () => {
  const gone = TROUBLES.filter((one) => ![...rowsOf.keys()].some((name) => name === one || (one.endsWith(".") && name.startsWith(one))));
  assert.deepEqual(gone, []);
});
