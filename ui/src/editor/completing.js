// Completion and explanation of fields, out of the cluster's own OpenAPI. Loaded a moment after the text.
import {
  acceptCompletion, autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, insertCompletionText, snippet, snippetCompletion, startCompletion,
} from "@codemirror/autocomplete";
import { hoverTooltip, keymap } from "@codemirror/view";

import { t } from "../texts.js";
import { at } from "./documents.js";
import { fields, placeAt, resolved, schemaAt, typeOf, values } from "./schema.js";
import { SNIPPETS } from "./snippets.js";

/** Goes on behind a key: with the value, or the first field or item below it. */
function written({ name, shape }, column, hasColon) {
  if (hasColon) return name;
  const pad = " ".repeat(column);
  if (shape === "map") return `${name}:\n${pad}  `;
  if (shape === "list") return `${name}:\n${pad}- `;
  return `${name}: `;
}

const apply = (field, column, hasColon) => (view, completion, from, to) => {
  view.dispatch(insertCompletionText(view.state, written(field, column, hasColon), from, to));
  if (!hasColon) setTimeout(() => startCompletion(view));
};

function keyOptions(given, place, column, hasColon) {
  return fields(given, place.path, place.siblings).map((field) => ({
    label: field.name,
    detail: field.required ? `${field.type} · ${t.editor.required}` : field.type,
    info: field.description || undefined,
    boost: field.required ? 2 : 0,
    apply: apply(field, column, hasColon),
  }));
}

const valueOptions = (given, { path, key }) => values(given, path, key).map(({ value, standard }) => ({ label: value, detail: standard ? t.editor.standard : undefined }));

/** The head of a document: its kind and version, as the cluster serves them. */
function headOptions(kinds, { key }, about) {
  if (key === "kind") {
    const fitting = kinds.filter(([version]) => !about.apiVersion || version === about.apiVersion);
    return (fitting.length ? fitting : kinds).map(([version, kind]) => ({ label: kind, detail: version }));
  }
  const versions = new Set(kinds.filter(([, kind]) => !about.kind || kind === about.kind).map(([version]) => version));
  return [...versions].map((label) => ({ label }));
}

const plain = ["apiVersion", "kind", "metadata", "spec"];

/** Snippets where a document begins; the other keys of its head where it goes on. */
function beginnings(section, siblings, column) {
  const heads = plain.filter((label) => !siblings.has(label)).map((label) => ({ label, apply: label === "metadata" || label === "spec" ? `${label}:\n${" ".repeat(column + 2)}` : `${label}: ` }));
  if (section?.text.trim().includes("\n")) return heads;
  return [...SNIPPETS.map(({ name, text }) => snippetCompletion(text, { label: name, detail: t.editor.snippet, boost: -1 })), ...heads];
}

/** Puts a snippet into a text, as a document of its own. */
export function insertSnippet(view, { text }) {
  const now = view.state.doc.toString();
  const end = now.length;
  const before = now.trim() ? `${now.endsWith("\n") ? "" : "\n"}---\n` : "";
  snippet(before + text)(view, null, end, end);
  view.focus();
}

/** On an empty line at the left, nobody asked. */
const idle = ({ typed, isValue, path }) => !typed && !isValue && !path.length;

/** Returns what CodeMirror is to be given: `sections` is called for the documents of now. */
export function assistance(given) {
  const { complete, explain } = sources(given);
  return [
    autocompletion({ override: [complete], icons: false }),
    hoverTooltip(explain),
    closeBrackets(),
    keymap.of([...closeBracketsKeymap, ...completionKeymap, { key: "Tab", run: acceptCompletion }]),
  ];
}

function sources({ schemas, kinds, sections }) {
  const found = (offset) => {
    const section = at(sections(), offset);
    return section && offset >= section.from && offset <= section.to + 1 ? section : null;
  };

  async function complete(context) {
    const section = found(context.pos);
    const base = section?.from ?? context.state.doc.lineAt(context.pos).from;
    const lead = section?.lead.length ?? 0;
    const place = placeAt(" ".repeat(lead) + context.state.sliceDoc(base + lead, section?.to ?? context.pos), context.pos - base);
    if (!place || (!context.explicit && idle(place))) return null;
    const from = base + place.from;
    const options = await optionsFor(context, section, place, section?.about ?? {}, from);
    return options.length ? { from, options, validFor: /^[\w.\-/]*$/ } : null;
  }

  async function optionsFor(context, section, place, about, from) {
    if (place.isValue && !place.path.length && (place.key === "kind" || place.key === "apiVersion")) return headOptions(kinds, place, about);
    const given = await schemas.of(about);
    if (context.aborted) return [];
    if (place.isValue) return given ? valueOptions(given, place) : [];
    const line = context.state.doc.lineAt(from);
    if (!given) return place.path.length ? [] : beginnings(section, place.siblings, from - line.from);
    const rest = context.state.sliceDoc(context.pos, line.to);
    const keys = keyOptions(given, place, from - line.from, /^[\w.-]*\s*:/.test(rest));
    // An item of a list of plain values.
    return keys.length ? keys : valueOptions(given, { path: place.path, key: "" });
  }

  async function explain(view, pos) {
    const section = found(pos);
    if (!section) return null;
    const place = placeAt(section.text, pos - section.from);
    if (!place?.key) return null;
    const given = await schemas.of(section.about);
    const parent = given && schemaAt(given, place.path);
    const schema = parent && schemaAt(given, [...place.path, place.key]);
    if (!schema) return null;
    const raw = parent.properties?.[place.key] ?? parent.additionalProperties;
    const line = view.state.doc.lineAt(pos);
    return { pos: line.from + line.text.search(/[^\s-]/), end: line.to, above: true, create: () => ({ dom: card(place, typeOf(given.schemas, raw), resolved(given.schemas, raw), schema) }) };
  }

  return { complete, explain };
}

/** What is known of a field. */
function card({ path, key }, type, own, schema) {
  const dom = document.createElement("div");
  dom.className = "cm-kp-field";
  const add = (tag, text, className = "") => Object.assign(dom.appendChild(document.createElement(tag)), { textContent: text, className });
  add("code", [...path, key].join(".").replaceAll(".[]", "[]"));
  add("span", ` ${type}`, "cm-kp-type");
  if (own?.description) add("p", own.description);
  if (schema.enum) add("p", t.editor.oneOf(schema.enum.filter(Boolean).join(", ")));
  if (["string", "number", "boolean"].includes(typeof schema.default)) add("p", t.editor.standardIs(String(schema.default)));
  return dom;
}
