// The API's names of fields, and where in a document they stand. Pure.
//
//   spec.template.spec.containers[0].image       validation counts
//   .spec.template.spec.containers[name="web"]   server-side apply names
//   metadata.labels[app.kubernetes.io/name]      a key of a map
import { isMap, isNode, isScalar, isSeq } from "yaml";

/** Returns the steps of a path: texts, or objects of keys for an item that is named by them. */
export function steps(path) {
  const found = [];
  const pattern = /\.?([^.[\]]+)|\[([^\]]*)\]/g;
  for (const [, name, bracket] of path.matchAll(pattern)) found.push(name ?? inBrackets(bracket));
  return found;
}

function inBrackets(text) {
  const keys = [...text.matchAll(/([^=,"]*)=("(?:[^"\\]|\\.)*"|[^,]*)/g)];
  if (!keys.length) return text.replace(/^"(.*)"$/, "$1");
  const pairs = keys.map(([, key, value]) => [key, value.startsWith('"') ? JSON.parse(value) : value]);
  return pairs.length === 1 && pairs[0][0] === "" ? { "": String(pairs[0][1]) } : Object.fromEntries(pairs);
}

const textOf = (node) => (isScalar(node) ? String(node.value) : "");

/** Finds an item of a list by its place, its keys, or its value. */
function item(list, step) {
  if (typeof step === "string") return /^\d+$/.test(step) ? Number(step) : -1;
  if ("" in step) return list.items.findIndex((one) => textOf(one) === step[""]);
  return list.items.findIndex((one) => isMap(one) && Object.entries(step).every(([key, value]) => matches(one, key, value)));
}

// A key that stands at its default is not written: the API names it all the same.
const matches = (node, key, value) => (node.has(key) ? textOf(node.get(key, true)) === String(value) : key === "protocol" && value === "TCP");

/** Finds a pair of a map; a key may hold dots, so it may take several steps. Returns [pair, steps taken]. */
function pairOf(map, left) {
  for (let taken = left.length; taken > 0; taken--) {
    const part = left.slice(0, taken);
    if (part.some((one) => typeof one !== "string")) continue;
    const pair = map.items.find((one) => textOf(one.key) === part.join("."));
    if (pair) return [pair, taken];
  }
  return [null, 0];
}

/**
 * Follows a path as far as the document has it. Returns the nodes passed: {key?, value, parent, index}, and
 * whether it is all there.
 */
export function follow(doc, path) {
  const passed = [];
  let node = doc.contents;
  let left = steps(path);
  while (left.length) {
    if (isMap(node)) {
      const [pair, taken] = pairOf(node, left);
      if (!pair) break;
      passed.push({ key: pair.key, value: pair.value, parent: node, index: node.items.indexOf(pair) });
      node = pair.value;
      left = left.slice(taken);
    } else if (isSeq(node)) {
      const index = item(node, left[0]);
      if (!node.items[index]) break;
      passed.push({ value: node.items[index], parent: node, index });
      node = node.items[index];
      left = left.slice(1);
    } else break;
  }
  return { passed, whole: left.length === 0 };
}

/** Returns what to underline for a path: the value where it is short, else the key; {from, to, whole}. `key` asks for the key. */
export function rangeOf(doc, path, { key = false } = {}) {
  const { passed, whole } = follow(doc, path);
  const last = passed.at(-1);
  const range = last && marked(last, whole && !key);
  if (!range) return { ...wholeOf(doc), whole };
  return { from: range[0], to: Math.max(range[1], range[0] + 1), whole };
}

/** A short value, the key, or what an item begins with. */
function marked({ key, value }, wantsValue) {
  const short = isScalar(value) && value.range?.[1] > value.range?.[0];
  if (key?.range && !(wantsValue && short)) return key.range;
  const first = isMap(value) ? value.items[0]?.key : value;
  return first?.range ?? value?.range ?? null;
}

/** Where a document says its kind: what is wrong with it as a whole is shown there. */
export function wholeOf(doc) {
  const kind = isMap(doc.contents) ? doc.contents.items.find((pair) => textOf(pair.key) === "kind") : null;
  if (kind?.value?.range) return { from: kind.value.range[0], to: kind.value.range[1] };
  const first = isMap(doc.contents) ? doc.contents.items[0]?.key : null;
  return first?.range ? { from: first.range[0], to: first.range[1] } : { from: 0, to: 1 };
}

/** Returns the document without a field; what holds nothing any more goes too. */
export function without(section, path) {
  const { passed, whole } = follow(section.doc, path);
  if (!whole) return section.text;
  let depth = passed.length - 1;
  while (depth > 0 && passed[depth].parent.items.length === 1) depth--;
  const { key, value, parent } = passed[depth];
  return cut(section.text, parent, key, value) ?? rewritten(section, passed.slice(0, depth + 1));
}

/** Cuts whole lines, where the field has lines of its own. */
function cut(text, parent, key, value) {
  if (!key?.range || parent.flow) return null;
  const begin = text.lastIndexOf("\n", key.range[0] - 1) + 1;
  if (text.slice(begin, key.range[0]).trim()) return null;
  const last = isNode(value) && value.range ? value.range[1] : key.range[1];
  const end = text[last - 1] === "\n" ? last : text.indexOf("\n", last) + 1 || text.length;
  return text.slice(0, begin) + text.slice(end);
}

function rewritten({ doc, lead = "" }, passed) {
  const copy = doc.clone();
  const path = passed.map(({ key, index }) => (key ? key.value : index));
  copy.deleteIn(path);
  // An item of a list stays as far in as it was.
  return copy.toString().replace(/^(?=.)/gm, " ".repeat(lead.length));
}
