// The words of the STATUS column, in eight classes that have a shape, a colour and a word each.

export const CLASSES = ["running", "pending", "creating", "succeeded", "failed", "crash", "terminating", "unknown"];

// How much a class matters: what a node's far-away tile shows is the worst of its pods.
const RANK = { succeeded: 0, running: 1, terminating: 2, creating: 3, pending: 4, unknown: 5, failed: 6, crash: 7 };

const WORDS = new Map([
  ["Running", "running"],
  ["Pending", "pending"],
  ["SchedulingGated", "pending"],
  ["ContainerCreating", "creating"],
  ["PodInitializing", "creating"],
  ["NotReady", "creating"],
  ["Succeeded", "succeeded"],
  ["Completed", "succeeded"],
  ["Failed", "failed"],
  ["Error", "failed"],
  ["OOMKilled", "failed"],
  ["Evicted", "failed"],
  ["Terminating", "terminating"],
  ["Unknown", "unknown"],
]);

/** Returns the class of a status word, which may be any reason that a container gives. */
export function statusClass(word) {
  const known = WORDS.get(word);
  if (known) return known;
  if (/BackOff|ErrImage|InvalidImage|CreateContainer/.test(word)) return "crash";
  if (/Error|Failed|ExitCode|Signal|Killed|DeadlineExceeded|Unexpected/.test(word)) return "failed";
  if (word.startsWith("Init:")) return "creating";
  return "unknown";
}

/** Returns the class that matters most. */
export function worst(classes) {
  let found = "succeeded";
  for (const one of classes) if (RANK[one] > RANK[found]) found = one;
  return found;
}
