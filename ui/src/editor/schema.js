// What a kind's schema says of a place in a text: its fields, their values, their meaning. Pure.
//
// The place is found by indents, line by line: while one writes, the text is seldom YAML.
const PREFIX = "#/components/schemas/";
const PAIR = /^(\s*)((?:- +)*)(?:("(?:[^"\\]|\\.)*"|'[^']*'|[^\s#'"{[&*!|>%@`][^#:]*?|[^\s#:]+)\s*:)?(?:\s+(.*)|$)?/;

const unquoted = (key) => key.replace(/^(["'])(.*)\1$/, "$2");

/** Reads a line: where its key begins, how many items it opens, its key, and whether it has a value. */
function read(line) {
  const [, space, dashes, key, value] = PAIR.exec(line) ?? [];
  return { indent: space.length, dashes, column: space.length + dashes.length, key: key && unquoted(key), value: value ?? "" };
}

const blank = (line) => !line.trim() || line.trim().startsWith("#");

const BLOCK = /^[|>][-+0-9]*\s*(#.*)?$/;

/** Leaves what a step at `column` ends; a list may begin where the key that it belongs to does. */
function leave(stack, column, isItem) {
  const ends = (top) => top.column > column || (top.column === column && (!isItem || top.step === "[]"));
  while (stack.length && ends(stack.at(-1))) stack.pop();
}

/** Goes into the items that a line opens. */
function enter(stack, { indent, dashes }) {
  for (const { index } of dashes.matchAll(/-/g)) {
    leave(stack, indent + index, true);
    stack.push({ step: "[]", column: indent + index });
  }
}

/** Returns the keys, and "[]" for items, that lead to a column of a line; null within a text of several lines. */
function pathTo(lines, index, found, column) {
  const stack = [];
  let block = Infinity; // deeper than this is the text of a key above
  for (const line of lines.slice(0, index)) {
    if (blank(line)) continue;
    const one = read(line);
    if (one.indent > block) continue;
    block = BLOCK.test(one.value) ? one.column : Infinity;
    enter(stack, one);
    leave(stack, one.column, false);
    if (one.key) stack.push({ step: one.key, column: one.column });
  }
  if (column > block) return null;
  enter(stack, found);
  leave(stack, column, false);
  return stack.map(({ step }) => step);
}

/**
 * Returns where an offset is: {path, key, typed, from, isValue, siblings}; null where no field can be. `path` leads
 * to the map that has the key.
 */
export function placeAt(text, offset) {
  const begin = text.lastIndexOf("\n", offset - 1) + 1;
  const lines = text.split("\n");
  const index = text.slice(0, begin).split("\n").length - 1;
  const before = text.slice(begin, offset);
  const found = read(lines[index]);
  const written = read(before);
  const column = lines[index].trim() ? found.column : before.length;
  if (before.trimStart().startsWith("#")) return null;
  const path = pathTo(lines, index, found, column);
  if (!path) return null;
  const isValue = written.key !== undefined && /:\s/.test(before);
  const from = isValue ? offset - written.value.length : begin + Math.min(column, before.length);
  return { path, key: found.key ?? "", typed: text.slice(from, offset), from, isValue, siblings: siblings(lines, index, column) };
}

/** Returns the keys that the map of a line has already. */
function siblings(lines, index, column) {
  const found = new Set();
  const look = (from, step) => {
    for (let line = from; line >= 0 && line < lines.length; line += step) {
      if (blank(lines[line])) continue;
      const one = read(lines[line]);
      if (step > 0 && (one.indent < column || (one.dashes && one.indent < column))) return;
      if (one.column === column && one.key) found.add(one.key);
      if (step < 0 && (one.indent < column || (one.dashes && one.column === column))) return;
    }
  };
  if (!read(lines[index]).dashes) look(index - 1, -1);
  look(index + 1, 1);
  return found;
}

/** Follows references, and takes what stands beside them. */
export function resolved(schemas, schema, depth = 0) {
  if (!schema || depth > 8) return schema ?? null;
  const ref = schema.$ref ?? (schema.allOf?.length === 1 ? schema.allOf[0].$ref : undefined);
  if (!ref) return schema;
  const target = resolved(schemas, schemas[ref.slice(PREFIX.length)], depth + 1);
  return target ? { ...target, description: schema.description ?? target.description } : schema;
}

/** Returns the schema of a path, or null where nothing describes it. */
export function schemaAt({ root, schemas }, path) {
  let schema = resolved(schemas, schemas[root]);
  for (const step of path) {
    if (!schema) return null;
    const next = step === "[]" ? schema.items : (schema.properties?.[step] ?? (typeof schema.additionalProperties === "object" ? schema.additionalProperties : null));
    schema = resolved(schemas, next);
  }
  return schema;
}

/** Says what may stand there: "[]Container", "map[string]string", "integer (int32)". */
export function typeOf(schemas, schema) {
  const own = resolved(schemas, schema) ?? {};
  if (own["x-kubernetes-int-or-string"] || own.format === "int-or-string" || own.oneOf) return "integer or string";
  if (own.type === "array") return `[]${typeOf(schemas, own.items ?? {})}`;
  if (own.type === "object" && typeof own.additionalProperties === "object") return `map[string]${typeOf(schemas, own.additionalProperties)}`;
  if (own.type === "object" || own.properties) return refName(schema) || "object";
  return own.format ? `${own.type} (${own.format})` : (own.type ?? "any");
}

function refName(schema) {
  const ref = schema?.$ref ?? schema?.allOf?.[0]?.$ref ?? "";
  return ref.slice(ref.lastIndexOf(".") + 1);
}

/** Tells how a key goes on: with a list, a map, or a value on the same line. */
export function shapeOf(schemas, schema) {
  const own = resolved(schemas, schema) ?? {};
  if (own.type === "array") return "list";
  if (own.type === "object" || own.properties) return "map";
  return "value";
}

/** Returns the fields that may be written at a place: [{name, required, type, shape, description}]. */
export function fields(given, path, taken = new Set()) {
  const schema = schemaAt(given, path);
  const required = new Set(schema?.required ?? []);
  return Object.entries(schema?.properties ?? {})
    .filter(([name]) => !taken.has(name) && !(path.length === 0 && name === "status"))
    .map(([name, one]) => ({
      name,
      required: required.has(name),
      type: typeOf(given.schemas, one),
      shape: shapeOf(given.schemas, one),
      description: resolved(given.schemas, one)?.description ?? "",
    }));
}

/** Returns the values that a field may have, where they are few: [{value, standard}]. */
export function values(given, path, key) {
  const schema = schemaAt(given, [...path, ...(key ? [key] : [])]);
  if (!schema) return [];
  const standard = (value) => value === schema.default;
  if (schema.type === "boolean") return [true, false].map((value) => ({ value: String(value), standard: standard(value) }));
  return (schema.enum ?? []).filter((value) => value !== "").map((value) => ({ value: String(value), standard: standard(value) }));
}
