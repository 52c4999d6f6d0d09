// A document with `items` is a list: what stands in it are documents of their own, as kubectl takes them. Pure.
//
// An item's text keeps its columns: what stands before it on its first line ("  - ") becomes spaces, so that
// places in the item are places in the whole text.
import { isMap, isSeq } from "yaml";

/** Returns the items of a list document, null for another one: [{text, from, to, lead}], offsets within the document. */
export function itemsOf(doc, text) {
  const list = isMap(doc.contents) ? doc.contents.get("items", true) : null;
  if (!isSeq(list)) return null;
  const nodes = list.items.filter((one) => one?.range);
  return nodes.map((node, index) => (node.flow || list.flow ? flowing(node, text) : block(list, node, nodes[index + 1], text)));
}

function flowing({ range: [from, to] }, text) {
  return { text: text.slice(from, to), from, to, lead: "" };
}

const lineStart = (text, at) => text.lastIndexOf("\n", at - 1) + 1;

function block(list, node, next, text) {
  const from = lineStart(text, node.range[0]);
  const to = next ? dashOf(text, next.range[0]) : Math.max(list.range[1], node.range[1]);
  const lead = text.slice(from, node.range[0]);
  return { text: " ".repeat(lead.length) + text.slice(node.range[0], to), from, to, lead };
}

/** Where the line of an item's dash begins: it may stand on a line of its own. */
function dashOf(text, at) {
  const dash = text.lastIndexOf("-", at - 1);
  return lineStart(text, dash < 0 ? at : dash);
}

/** Returns what an item says it is; one that does not is of the list's kind, as in a DeploymentList. */
export function named(about, list) {
  const kind = list.kind.replace(/List$/, "");
  if ((about.apiVersion && about.kind) || !list.apiVersion || !kind) return about;
  return { ...about, apiVersion: list.apiVersion, kind };
}

/** Returns the text that is sent: with the kind, where the list alone says it. */
export function whole({ text, doc, about, implied }) {
  if (!implied) return text;
  const root = doc.contents;
  const missing = ["apiVersion", "kind"].filter((key) => !root.has(key)).map((key) => `${key}: ${JSON.stringify(about[key])}`);
  const first = root.items[0]?.key.range[0] ?? root.range[0] + 1;
  if (root.flow) return `${text.slice(0, first)}${missing.map((one) => `${one}, `).join("")}${text.slice(first)}`;
  const pad = " ".repeat(first - lineStart(text, first));
  return `${text.slice(0, first)}${missing.map((one) => `${one}\n${pad}`).join("")}${text.slice(first)}`;
}

/** Returns an item's text as it stands in the list: with the dash, and as far in as the item was. */
export function inList({ lead }, text) {
  return lead ? lead + text.slice(lead.length) : text;
}
