// The places of the picture that a request goes through, and what happened at each. Pure functions.
//
// A record is what the API tells of one request, a story what came of it (docs/trace.md).

export const HOPS = [
  "client",
  "authentication",
  "authorization",
  "mutating",
  "validation",
  "validating",
  "store",
  "watch",
  "controllers",
  "scheduler",
  "kubelet",
  "runtime",
  "status",
];

// What a stage of the API server belongs to.
const STAGES = {
  authentication: "authentication",
  "priority and fairness": "authorization",
  authorization: "authorization",
  decode: "mutating",
  "field managers": "mutating",
  "mutating admission": "mutating",
  validation: "validation",
  "validating admission": "validating",
  "watch opened": "watch",
};
const CAUSED = ["controllers", "scheduler", "kubelet", "runtime"];
const FORBIDDEN = "forbid";
export const DECISION = "authorization.k8s.io/decision";
export const REASON = "authorization.k8s.io/reason";

/** Tells whether a request only reads. */
export const reads = (record) => ["get", "list", "watch"].includes(record.verb);

/** Returns the code that a request ended with: that of its refusal, where a stream began well. */
export function codeOf(record) {
  return record.refusal?.code ?? record.code;
}

// After the last stage that was passed comes the place that refused.
const NEXT = {
  none: "authentication",
  authentication: "authorization",
  "priority and fairness": "authorization",
  authorization: "mutating",
  decode: "mutating",
  "field managers": "mutating",
  "mutating admission": "validation",
  validation: "validating",
};

// Where that is not so: some refusals tell by themselves who made them.
const TELLING = [
  ["authentication", ({ code }) => code === 401],
  ["authorization", ({ record }) => record.annotations[DECISION] === FORBIDDEN],
  ["watch", ({ record, code, last }) => last === "watch opened" || (code === 410 && record.verb === "watch")],
  ["store", ({ record, last }) => reads(record) && !BEFORE.has(last)],
  ["store", ({ record, last }) => last === "authorization" && record.verb.startsWith("delete")],
  // The object was not there, or not at the revision that was meant.
  ["store", (asked) => (asked.code === 404 || asked.code === 409) && !BEFORE.has(asked.last) && !ownedFields(asked) && !lacksNamespace(asked.record)],
];
const BEFORE = new Set(["none", "authentication", "priority and fairness"]);

/** Returns the place at which a request was stopped, or null. */
export function stopOf(record) {
  const code = codeOf(record);
  if (!record.refusal || code < 400) return null;
  const last = record.stages.findLast((stage) => stage.name !== "refused")?.name ?? "none";
  const telling = TELLING.find(([, test]) => test({ record, code, last }));
  return telling?.[0] ?? NEXT[last] ?? "store";
}

/** Fields that somebody else owns are found while field managers are told. */
const ownedFields = ({ record, code }) => code === 409 && record.refusal.details?.causes?.length > 0;

/** A namespace that is missing is found by admission. */
const lacksNamespace = (record) => record.refusal.details?.kind === "namespaces" && record.resource !== "namespaces";

/** Returns the places in order, each with its state: done, stopped, or nothing to do there. */
export function hopsOf(record, story = null) {
  const stop = stopOf(record);
  const stages = new Map(HOPS.map((name) => [name, []]));
  for (const stage of record.stages) {
    if (stage.name === "refused") stages.get(stop ?? "store").push(stage);
    else stages.get(STAGES[stage.name] ?? "store").push(stage);
  }
  const found = HOPS.map((name) => served(name, stages.get(name), record));
  if (story) for (const hop of found) caused(hop, record, story);
  for (const hop of found) if (hop.name === stop) hop.state = "stopped";
  return found;
}

function served(name, stages, record) {
  const micros = stages.reduce((sum, stage) => sum + stage.micros, 0);
  const done = name === "client" || stages.length > 0;
  // Defaults and generated fields are filled in where objects are validated.
  return { name, stages, micros: name === "client" ? record.seconds * 1e6 : micros, state: done ? "done" : "idle", count: 0, steps: [] };
}

function caused(hop, record, story) {
  if (hop.name === "watch") {
    hop.heard = heard(story);
    hop.count = Object.values(hop.heard).reduce((sum, n) => sum + n, 0);
    if (hop.count) hop.state = "done";
    return;
  }
  const mine = story.steps.filter((step) => placeOf(step) === hop.name);
  if (!mine.length) return;
  hop.steps = mine;
  hop.count = mine.length;
  hop.state = mine.some(failed) ? "warned" : "done";
  hop.at = mine[0].at - story.root.at;
  hop.micros = (Math.max(...mine.map((step) => step.at + step.seconds)) - mine[0].at) * 1e6;
}

/** Returns where in the picture something that a worker did is shown. */
export function placeOf(step) {
  if (step.kind === "request" && step.subresource === "status") return "status";
  return CAUSED.includes(step.place) ? step.place : "controllers";
}

/** Tells whether something that was done because of a request went wrong. */
export function failed(step) {
  if (step.kind === "request") return step.code >= 400;
  if (step.kind === "decision") return !step.node;
  return step.what !== "phase" && step.outcome !== "";
}

/** Returns who was sent the changes of a request, and how often. */
export function heard(story) {
  const found = {};
  for (const one of Object.values(story.audience ?? {})) {
    for (const [name, n] of Object.entries(one ?? {})) found[name] = (found[name] ?? 0) + n;
  }
  return found;
}

/** Returns the places that a token visits, in order: up to the stop, or to the last that did something. */
export function routeOf(hops) {
  const stop = hops.findIndex((hop) => hop.state === "stopped");
  const visited = hops.filter((hop, at) => hop.state !== "idle" && (stop < 0 || at <= stop));
  return visited.map((hop) => hop.name);
}
