// What the API said of a document, at the places of which it spoke. Pure.
import { rangeOf, wholeOf } from "./paths.js";

const OWNED = "FieldManagerConflict";
// unknown field "spec.replcas", duplicate field "spec.a"
const STRICT = /(?:unknown|duplicate) field "([^"]+)"/g;
// json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32
const TYPE = /Go struct field [^. ]+\.([^ ]+) of type/;
// .spec.replcas: field not declared in schema
const TYPED = /(?:^|[\s:])(\.[A-Za-z][^\s:]*): [^\n]+/g;
// Not the value is wrong, but that there is such a field.
const NO_FIELD = /unknown field|duplicate field|not declared/;
const WHO = /conflict with "((?:[^"\\]|\\.)*)"(?: with subresource "([^"]+)")?(?: using (\S+?))?(?: at (\S+))?$/;

/** Returns the fields of which a message speaks, with what it says of each. */
export function spoken(message) {
  const strict = [...message.matchAll(STRICT)].map(([words, path]) => ({ path, words }));
  if (strict.length) return strict;
  const type = TYPE.exec(message);
  if (type) return [{ path: type[1], words: message }];
  return [...message.matchAll(TYPED)].map(([words, path]) => ({ path, words: words.replace(/^[\s:]+/, "") }));
}

/** Returns the ownership conflicts of an error: {path, manager, words}. */
export function conflicts(error) {
  return (error.causes ?? [])
    .filter((one) => one.reason === OWNED)
    .map(({ field, message }) => ({ path: field, manager: WHO.exec(message)?.[1] ?? message, words: message }));
}

/** Returns what is wrong with a document, by the words of the API: {from, to, severity, message, path?} in its own text. */
export function problems(section, error) {
  const { doc } = section;
  const here = (path, message, key = false) => {
    const { from, to } = path ? rangeOf(doc, path, { key }) : wholeOf(doc);
    return { from, to, message, path, severity: "error" };
  };
  // A cause of no field says less than the message: of a webhook that does not answer, for one.
  const causes = (error.causes ?? []).filter(({ field, reason }) => field && reason !== OWNED);
  if (causes.length) return causes.map(({ field, message }) => here(field, `${field}: ${message}`));
  const named = spoken(error.message);
  if (named.length) return named.map(({ path, words }) => here(path, words, NO_FIELD.test(words)));
  const fields = Object.entries(error.fields ?? {}).filter(([field]) => field && field !== "text");
  if (fields.length && error.code === "Invalid") return fields.map(([field, words]) => here(field, words.join(" ")));
  return [here("", error.message)];
}

/**
 * Tells whether a document waits for another one of the same text: its namespace or the definition of its
 * kind is made by that.
 */
export function waitsFor(section, sections, error) {
  if (error.status !== 404) return null;
  const others = sections.filter((one) => one.index !== section.index);
  const { namespace, apiVersion, kind } = section.about;
  if (/^namespaces "/.test(error.message)) return others.find(({ about }) => about.kind === "Namespace" && error.message.includes(`"${about.name}"`) && (!namespace || about.name === namespace)) ?? null;
  if (error.code !== "NoKindMatch") return null;
  return others.find((one) => one.about.kind === "CustomResourceDefinition" && one.doc.getIn(["spec", "names", "kind"]) === kind && one.doc.getIn(["spec", "group"]) === apiVersion.split("/")[0]) ?? null;
}
