// A text of several documents: where each begins and ends, what it is about, and where its YAML is wrong. Pure.
import { isMap, isScalar, parseDocument } from "yaml";

import { itemsOf, named, whole } from "./lists.js";

const SEPARATOR = /^---[ \t]*(#.*)?$/;
// Kubernetes reads YAML 1.1: `yes` and `on` are booleans.
const OPTIONS = { version: "1.1", strict: true, uniqueKeys: true, prettyErrors: false, logLevel: "silent" };

/** Parts of a text that were parsed lately: with each key press all but one are as before. */
const parsed = new Map();
const MOST_KEPT = 400;

function parse(text) {
  let found = parsed.get(text);
  if (!found) {
    if (parsed.size >= MOST_KEPT) parsed.delete(parsed.keys().next().value);
    const doc = parseDocument(text, OPTIONS);
    found = { doc, about: aboutOf(doc), errors: doc.errors.map(errorOf), empty: doc.contents === null && doc.errors.length === 0 };
    parsed.set(text, found);
  }
  return found;
}

/** What the document says of itself; what it does not say is empty. */
function aboutOf(doc) {
  const text = (...path) => {
    const value = isMap(doc.contents) ? doc.getIn(path) : null;
    return value === null || value === undefined || typeof value === "object" ? "" : String(value);
  };
  return { apiVersion: text("apiVersion"), kind: text("kind"), namespace: text("metadata", "namespace"), name: text("metadata", "name") || text("metadata", "generateName") };
}

const errorOf = ({ message, pos: [from, to] }) => ({ from, to: Math.max(to, from + 1), message });

/** Returns what a document is to be written as: itself, or the items of a list. */
function parts(part, own) {
  const itself = { ...part, text: own, from: 0, to: own.length, lead: "", implied: false };
  const items = itemsOf(part.doc, own)?.map((item) => {
    const { about, ...found } = parse(item.text);
    const said = named(about, part.about);
    return { ...found, ...item, about: said, implied: said !== about && isMap(found.doc.contents) };
  });
  // What is wrong with a list, and not with an item of it, is said of the list.
  return !items || (part.errors.length && !items.some((one) => one.errors.length)) ? [itself] : items;
}

const linesOf = (text) => text.split("\n").length - 1;

/**
 * Returns the documents of a text, lists as their items, those left out that hold nothing. `from` and `to` are
 * offsets in the whole text; errors and the nodes of `doc` count from `from`.
 */
export function split(text) {
  const found = [];
  const lines = text.split("\n");
  let at = 0;
  let from = 0;
  let line = 1;
  const close = (to, next, nextLine) => {
    const own = text.slice(from, to);
    const part = parse(own);
    if (own.trim() && !part.empty) {
      // Items come in order: lines are counted on from the one before.
      let seen = 0;
      let here = line;
      for (const one of parts(part, own)) {
        here += linesOf(own.slice(seen, one.from));
        seen = one.from;
        found.push({ ...one, from: from + one.from, to: from + one.to, line: here, index: found.length });
      }
    }
    from = next;
    line = nextLine;
  };
  lines.forEach((one, index) => {
    if (SEPARATOR.test(one)) close(at, Math.min(at + one.length + 1, text.length), index + 2);
    at += one.length + 1;
  });
  close(text.length, text.length, lines.length);
  return found;
}

/** Returns the document in which an offset is. */
export function at(sections, offset) {
  return sections.findLast((one) => one.from <= offset) ?? sections[0];
}

/** What an outline calls a document. */
export function title({ about }) {
  return { kind: about.kind || "?", name: about.name || "?" };
}

/** Returns the text of a document as it is sent; with a revision, if it replaces one. */
export function sent(section, revision = "") {
  const text = whole(section);
  if (!revision) return text;
  return withRevision(section.implied ? { text, doc: parse(text).doc } : section, revision);
}

/**
 * Returns the text with metadata.resourceVersion, as the only line that is added: the rest is sent as it was
 * written. A text that says one itself stays.
 */
export function withRevision({ text, doc }, revision) {
  const metadata = isMap(doc.contents) ? doc.contents.get("metadata", true) : null;
  if (!isMap(metadata) || !metadata.items.length || metadata.has("resourceVersion")) return text;
  const first = metadata.items[0].key;
  if (!isScalar(first)) return text;
  const at = first.range[0];
  const line = `resourceVersion: "${revision}"`;
  if (metadata.flow) return `${text.slice(0, at)}${line}, ${text.slice(at)}`;
  const column = at - (text.lastIndexOf("\n", at - 1) + 1);
  return `${text.slice(0, at)}${line}\n${" ".repeat(column)}${text.slice(at)}`;
}
