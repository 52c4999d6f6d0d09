// The kubectl command that does the same as a page: shown under every list and every action.

const WORD = /^[A-Za-z0-9_@%+=:,./-]+$/;

/** Quotes an argument for a POSIX shell, where it needs it. */
export function quote(text) {
  return WORD.test(text) ? text : `'${String(text).replaceAll("'", "'\\''")}'`;
}

/** How a kind is named on the command line: the group only where the name is not clear without it. */
export function kindWord({ group, plural }) {
  const clear = ["", "apps", "batch", "autoscaling", "policy", "rbac.authorization.k8s.io", "networking.k8s.io", "storage.k8s.io"];
  return clear.includes(group) ? plural : `${plural}.${group}`;
}

/** Prints a list; of the past as the API is asked for it, as `kubectl get` has no flag for a revision. */
export function getCommand(resource, { ns, selector, fields, words = [], wide, labels, watch, rev }) {
  if (rev) return pastCommand(resource, { ns, selector, fields, rev });
  const parts = ["kubectl", "get", kindWord(resource)];
  if (resource.namespaced) parts.push(...(ns ? ["-n", quote(ns)] : ["-A"]));
  if (selector) parts.push("-l", quote(selector));
  if (fields) parts.push("--field-selector", quote(fields));
  if (wide) parts.push("-o", "wide");
  if (labels) parts.push("--show-labels");
  if (watch) parts.push("-w");
  for (const word of words) parts.push("|", "grep", "-i", quote(word));
  return parts.join(" ");
}

function pastCommand({ group, version, plural, namespaced }, { ns, selector, fields, rev }) {
  const root = group ? `/apis/${group}/${version}` : `/api/${version}`;
  const query = new URLSearchParams({ resourceVersion: rev, resourceVersionMatch: "Exact", ...(selector && { labelSelector: selector }), ...(fields && { fieldSelector: fields }) });
  return `kubectl get --raw ${quote(`${root}${namespaced && ns ? `/namespaces/${ns}` : ""}/${plural}?${query}`)}`;
}

// kubectl follows so many logs at once, unless it is told.
const FOLLOWED = 5;

/** Returns the commands that show logs: of pods one by one, or of all pods that are `of` an object. */
export function logsCommand({ ns, names, of = "", ...how }) {
  const line = (...whose) => ["kubectl", "logs", "-n", quote(ns), ...whose, ...logWords(how)].join(" ");
  if (!of || names.length < 2) return names.map((name) => line(name));
  return [line(of, "--all-pods", ...(names.length > FOLLOWED ? [`--max-log-requests=${names.length}`] : []))];
}

/** `from` is when the revision was of which `since` tells: kubectl knows times alone. */
function logWords({ container, previous, times, since, from }) {
  const words = container === "*" ? ["--all-containers"] : container ? ["-c", container] : [];
  words.push(previous ? "--previous" : "-f");
  if (from) words.push(`--since-time=${from}`);
  else if (/^\d+$/.test(since)) words.push(`--since=${since}s`);
  return times ? [...words, "--timestamps"] : words;
}

const SINGLE = { pods: "pod", nodes: "node", deployments: "deployment", statefulsets: "statefulset", daemonsets: "daemonset", replicasets: "replicaset" };
const slashed = (resource, name) => `${SINGLE[resource.plural] ?? kindWord(resource)}/${name}`;

/** Returns the commands, one a namespace, that do an action to these objects. */
export function actionCommands(action, resource, targets, options = {}) {
  const spaces = new Map();
  for (const one of targets) spaces.set(one.namespace ?? "", [...(spaces.get(one.namespace ?? "") ?? []), one.name]);
  return [...spaces].flatMap(([ns, names]) => {
    const place = ns ? ["-n", quote(ns)] : [];
    const dry = options.dryRun ? ["--dry-run=server"] : [];
    const dryWords = action === "evict" ? [] : dry;
    return COMMANDS[action]({ resource, names, place, options }).map((words) => ["kubectl", ...words, ...dryWords].join(" "));
  });
}

const pairs = (changes) => Object.entries(changes ?? {}).map(([key, value]) => (value === null ? `${key}-` : quote(`${key}=${value}`)));
const each = (work) => (given) => given.names.map((name) => work({ ...given, name }));

function remove({ resource, names, place, options }) {
  const words = ["delete", kindWord(resource), ...names, ...place];
  if (options.propagation === "Orphan") words.push("--cascade=orphan");
  if (options.propagation === "Foreground") words.push("--cascade=foreground");
  if (options.force) words.push("--grace-period=0", "--force");
  else if (Number.isInteger(options.gracePeriodSeconds)) words.push(`--grace-period=${options.gracePeriodSeconds}`);
  return [words];
}

function drain({ name, options }) {
  const words = ["drain", name, "--ignore-daemonsets"];
  if (options.deleteEmptyDirData) words.push("--delete-emptydir-data");
  if (options.force) words.push("--force");
  if (Number.isInteger(options.gracePeriodSeconds)) words.push(`--grace-period=${options.gracePeriodSeconds}`);
  if (options.disableEviction) words.push("--disable-eviction");
  return words;
}

const meta = (verb) => ({ resource, names, place, options }) => [
  [verb, kindWord(resource), ...names, ...place, ...pairs(options.changes), ...(options.overwrite ? ["--overwrite"] : [])],
];

function eviction(name, { gracePeriodSeconds }) {
  const deleteOptions = Number.isInteger(gracePeriodSeconds) ? { deleteOptions: { gracePeriodSeconds } } : {};
  return { apiVersion: "policy/v1", kind: "Eviction", metadata: { name }, ...deleteOptions };
}

const COMMANDS = {
  delete: remove,
  label: meta("label"),
  annotate: meta("annotate"),
  scale: ({ resource, names, place, options }) => [["scale", `--replicas=${options.replicas ?? "N"}`, ...names.map((name) => slashed(resource, name)), ...place]],
  restart: ({ resource, names, place }) => [["rollout", "restart", ...names.map((name) => slashed(resource, name)), ...place]],
  pause: each(({ resource, name, place }) => ["rollout", "pause", slashed(resource, name), ...place]),
  resume: each(({ resource, name, place }) => ["rollout", "resume", slashed(resource, name), ...place]),
  undo: each(({ resource, name, place, options }) => [
    "rollout", "undo", slashed(resource, name), ...place, ...(options.revision ? [`--to-revision=${options.revision}`] : []),
  ]),
  suspend: each(({ resource, name, place }) => ["patch", slashed(resource, name), ...place, "-p", `'{"spec":{"suspend":true}}'`]),
  unsuspend: each(({ resource, name, place }) => ["patch", slashed(resource, name), ...place, "-p", `'{"spec":{"suspend":false}}'`]),
  trigger: each(({ name, place, options }) => ["create", "job", options.jobName ?? `${name}-manual`, `--from=cronjob/${name}`, ...place]),
  // kubectl has no command of its own for it: `drain` sends the same to each pod of a node.
  evict: each(({ name, place, options }) => ["create", "--raw", `/api/v1/namespaces/${place[1] ?? "default"}/pods/${name}/eviction`, "-f", `- <<< '${JSON.stringify(eviction(name, options))}'`]),
  cordon: ({ names }) => [["cordon", ...names]],
  uncordon: ({ names }) => [["uncordon", ...names]],
  drain: each(drain),
};
