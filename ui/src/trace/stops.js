// Why a request was stopped: the API's own words, ours beside them, and where to go on.
import { t } from "../texts.js";
import { codeOf, DECISION, REASON, stopOf } from "./hops.js";

const objectName = (record) => [record.resource, record.name || record.refusal?.details?.name].filter(Boolean).join("/");

/** Returns {hop, code, verbatim, title, fields, links} of a request that was refused, or null. */
export function stopped(record, story = null) {
  const hop = stopOf(record);
  if (!hop) return null;
  const code = codeOf(record);
  const found = { hop, code, verbatim: record.refusal.message, fields: [], revisions: null, title: "" };
  found.title = titleOf(found, record, story);
  if (code === 422) found.fields = (record.refusal.details?.causes ?? []).map(({ field, message }) => ({ field, message }));
  if (record.refusal.revisions?.sent) found.revisions = record.refusal.revisions;
  return found;
}

// By code, where one sentence does not fit all.
const TITLES = {
  401: ({ record }) => t.trace.stops.unauthorized(record.refusal.attempted ?? ""),
  403: ({ record, story }) => (record.annotations[DECISION] === "forbid" ? forbidden(record, story) : t.trace.stops.admission(objectName(record))),
  409: ({ record }) => conflict(record),
  410: ({ record }) => expired(record),
  422: ({ record }) => t.trace.stops.invalid(record.refusal.details?.causes?.length ?? 0),
};

function titleOf({ hop, code }, record, story) {
  const says = t.trace.stops;
  const asked = hooked(record, code);
  if (asked) return asked;
  if (TITLES[code]) return TITLES[code]({ record, story });
  return says[code]?.(objectName(record)) ?? says.other(code, t.trace.hops[hop]);
}

/** Says which webhook refused, or could not be asked, if one did. */
function hooked(record, code) {
  const failing = code >= 500 && record.webhooks.find((call) => call.failure && call.failurePolicy === "Fail");
  if (failing) return webhook(failing);
  const denied = record.webhooks.find((call) => !call.failure && !call.allowed);
  return denied ? t.trace.stops.denied(denied.name) : "";
}

function forbidden(record, story) {
  const says = t.trace.stops;
  if (story?.allowedNow) return says.allowedNow;
  const near = story?.nearest;
  if (!near) return story && !story.only ? says.noRole : says.noRule;
  const role = `${near.kind} ${near.namespace ? `${near.namespace}/` : ""}${near.name}`;
  return says.nearest[near.how](role, near.verbs.join(", "), near.bound_in, record.user);
}

function conflict(record) {
  const says = t.trace.stops;
  const revisions = record.refusal.revisions;
  if (revisions?.sent) return says.conflict(revisions.sent, revisions.stored);
  if (record.refusal.reason === "AlreadyExists") return says.exists(objectName(record));
  if (record.refusal.details?.causes?.length) return says.owned;
  return says.raced(objectName(record));
}

function webhook(call) {
  const says = t.trace.stops;
  const late = /deadline exceeded|timed? ?out/i.test(call.failure);
  return late ? says.webhookLate(call.name, call.timeoutSeconds, call.failurePolicy) : says.webhookFailed(call.name, call.failurePolicy);
}

function expired(record) {
  const numbers = /(\d+) \((\d+)\)/.exec(record.refusal.message);
  return numbers ? t.trace.stops.expired(numbers[1], numbers[2]) : t.trace.stops.expiredList;
}

/** Says the rule that let a request through. */
export function ruleOf(record) {
  if (record.annotations[DECISION] !== "allow") return "";
  const reason = record.annotations[REASON];
  const found = /^RBAC: allowed by (\w+) "([^"]*)" of (\w+) "([^"]*)" to (.*)$/.exec(reason ?? "");
  if (!found) return reason ? t.trace.allowedBecause(reason) : t.trace.allowedMasters;
  const [, binding, name, kind, role, subject] = found;
  // An authorizer's reason has name/namespace, as Kubernetes writes it; people read namespace/name.
  return t.trace.allowedBy(`${binding} ${name.split("/").reverse().join("/")}`, `${kind} ${role}`, subject.replaceAll('"', ""));
}
