// The drawing of an object's relations.
import { group, plural } from "../numbers.js";

export const relations = {
  label: (n) => `Relations: ${group(n)} ${plural(n, "card", "cards")}. Arrow keys follow the lines, Enter opens.`,
  more: (n, kind) => `${group(n)} more of kind ${kind}: open them as a list`,
  plusMore: (n, kind) => `+${group(n)} more ${kind}${n === 1 || kind.endsWith("s") ? "" : "s"}`,
  asList: "open as list",
  andMore: (n) => `and ${group(n)} more`,
  // Each takes both ends of a line; the one that is read out is empty.
  verbs: {
    owns: (a, b) => (a ? `belongs to ${a}` : `owns ${b}`),
    uses: (a, b) => (a ? `is used by ${a}` : `uses ${b}`),
    runs: (a, b) => (a ? `runs ${a}` : `runs on ${b}`),
    selects: (a, b) => (a ? `is selected by ${a}` : `selects ${b}`),
    lists: (a, b) => (a ? `is listed by ${a}` : `lists ${b}`),
    endpoints: (a, b) => (a ? `has endpoints of ${a}` : `has its endpoints in ${b}`),
    applies: (a, b) => (a ? `is under the rules of ${a}` : `holds for ${b}`),
    protects: (a, b) => (a ? `is protected by ${a}` : `protects ${b}`),
    scales: (a, b) => (a ? `is scaled by ${a}` : `scales ${b}`),
    routes: (a, b) => (a ? `is reached through ${a}` : `leads to ${b}`),
    class: (a, b) => (a ? `is the class of ${a}` : `is of the class ${b}`),
    bound: (a, b) => (a ? `is bound by ${a}` : `is bound to ${b}`),
    claims: (a, b) => (a ? `is claimed by ${a}` : `claims ${b}`),
    names: (a, b) => (a ? `gives names to the pods of ${a}` : `has the names of its pods from ${b}`),
    attaches: (a, b) => (a ? `is attached by ${a}` : `attaches ${b}`),
    grants: (a, b) => (a ? `is granted by ${a}` : `grants ${b}`),
    "grants-to": (a, b) => (a ? `has rights by ${a}` : `gives them to ${b}`),
    about: (a, b) => (a ? `has the event ${a}` : `is about ${b}`),
    calls: (a, b) => (a ? `is called by ${a}` : `calls ${b}`),
    defines: (a, b) => (a ? `is defined by ${a}` : `defines ${b}`),
  },
};
