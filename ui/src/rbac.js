// The rule that one asks an administrator for.
export const READING = ["get", "list", "watch"];

/** A rule as it stands in a Role, ready to be pasted. */
export function ruleText({ apiGroups = ["*"], resources, verbs = READING }) {
  const listed = (values) => `[${values.map((one) => JSON.stringify(one)).join(", ")}]`;
  return `- apiGroups: ${listed(apiGroups)}\n  resources: ${listed(resources)}\n  verbs: ${listed(verbs)}`;
}
