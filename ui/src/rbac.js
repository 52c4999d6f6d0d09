// What one may not list, and the rule that one asks an administrator for.
import { t } from "./texts.js";

const NAMED = 3; // of the kinds that one may not list

const READING = ["get", "list", "watch"];

/** Names kinds in a sentence: the first, and how many more. */
export const kindsNamed = (kinds) => t.topology.kinds(kinds.slice(0, NAMED), kinds.length - NAMED);

/** A rule as it stands in a Role, ready to be pasted. */
export function ruleText({ apiGroups = ["*"], resources, verbs = READING }) {
  const listed = (values) => `[${values.map((one) => JSON.stringify(one)).join(", ")}]`;
  return `- apiGroups: ${listed(apiGroups)}\n  resources: ${listed(resources)}\n  verbs: ${listed(verbs)}`;
}
