// What a failure asks for, and what is offered for it from what the page knows. Pure functions.

/** The kinds in the order in which they are offered, with the fields of each. */
export const FIELDS = {
  "kill-container": ["pod", "container", "again"],
  "stop-node": ["node"],
  "cut-link": ["from", "to"],
  "disk-full": ["node", "freeMebibytes"],
  "slow-api": ["milliseconds"],
  "image-missing": ["image", "forget"],
  "registry-down": [],
  "expire-credentials": ["user"],
};

export const NUMBERS = { milliseconds: { value: 500, min: 1, max: 30_000 }, freeMebibytes: { value: 1024, min: 0, max: 1_048_576 } };
export const CHECKS = new Set(["again", "forget"]);
// A list that is longer is typed into, not looked through.
const MOST = 1000;
export const CONTROL_PLANE = "node/control-plane";

const sorted = (texts) => [...new Set(texts)].sort((a, b) => a.localeCompare(b, "en", { numeric: true })).slice(0, MOST);

export const podNames = (store) => sorted([...store.pods.values()].map((pod) => `${pod.ns}/${pod.name}`));
export const nodeNames = (store) => sorted([...store.nodes.values()].map((node) => node.name));
export const serviceNames = (store) => sorted([...store.services.values()].map((one) => `${one.ns}/${one.name}`));

/** The users whose credentials can expire: components, kubelets. */
export function userNames(store) {
  return ["system:kube-scheduler", ...nodeNames(store).map((name) => `system:node:${name}`)];
}

/** What the form holds at first: the selected pod, and the node that it is on. */
export function defaults(kind, store, pod) {
  const nodes = nodeNames(store);
  const node = pod?.node || nodes[0] || "";
  const other = nodes.find((name) => name !== node) ?? "";
  const given = {
    pod: pod ? `${pod.ns}/${pod.name}` : podNames(store)[0] ?? "",
    node,
    from: node ? `node/${node}` : "",
    to: other ? `node/${other}` : CONTROL_PLANE,
    user: "system:kube-scheduler",
    image: "nginx",
    container: "",
  };
  const found = {};
  for (const field of FIELDS[kind]) {
    if (field in NUMBERS) found[field] = NUMBERS[field].value;
    else found[field] = CHECKS.has(field) ? false : given[field];
  }
  return found;
}

/** What is sent: fields that were left empty are left out. */
export function targetOf(kind, values) {
  const target = {};
  for (const field of FIELDS[kind]) {
    const value = values[field];
    if (value !== "" && value !== false && value !== undefined) target[field] = field in NUMBERS ? Number(value) : value;
  }
  return target;
}
