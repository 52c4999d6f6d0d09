// The panel of events.
import { group, plural } from "../numbers.js";

export const events = {
  all: "All",
  warnings: "Warnings",
  problems: "Refused here",
  problem: "Refused",
  hint: "back-off, -probe, pod/web-1",
  group: "Group",
  allNamespaces: "All namespaces",
  allObjects: "Events of all objects",
  last: "Last seen",
  type: "Type",
  reason: "Reason",
  object: "Object",
  message: "Message",
  objects: (n) => `${group(n)} ${plural(n, "object", "objects")}`,
  older: (n) => `${group(n)} older ${plural(n, "one", "ones")}:`,
  none: "Nothing has happened here in the last hour: Kubernetes keeps events no longer.",
  nothingMatches: "No event matches.",
  forget: "Forget what was refused",
  down: "The cluster worker does not answer. New events appear when it is back.",
};
