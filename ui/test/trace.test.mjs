// The way of a request, its stops in words, its waterfall, its token and its address.
import assert from "node:assert/strict";
import { test } from "node:test";

import { stagesOf } from "../src/trace/compare.js";
import { hopsOf, routeOf, stopOf } from "../src/trace/hops.js";
import { LIVE_MS, Player, scheduleOf } from "../src/trace/player.js";
import { addressOf, filterOf, isNarrowed, readAddress } from "../src/trace/state.js";
import { ruleOf, stopped } from "../src/trace/stops.js";
import { rowsOf, ticks, took } from "../src/trace/times.js";

const DECISION = "authorization.k8s.io/decision";
const REASON = "authorization.k8s.io/reason";
const CREATE = ["authentication", "authorization", "decode", "field managers", "mutating admission", "validation", "validating admission", "storage"];

function record(changes = {}) {
  const { stages = CREATE, ...rest } = changes;
  return {
    auditID: "a",
    at: 100,
    seconds: 0.005,
    verb: "create",
    path: "/api/v1/namespaces/prod/pods",
    group: "",
    version: "v1",
    resource: "pods",
    namespace: "prod",
    name: "",
    subresource: "",
    user: "learner",
    userAgent: "kubectl/v1.36",
    code: 201,
    cause: [],
    wrote: [],
    webhooks: [],
    annotations: { [DECISION]: "allow", [REASON]: "" },
    stages: stages.map((name) => ({ name, micros: 100, outcome: "" })),
    ...rest,
  };
}

function refused(code, passed, changes = {}) {
  const { refusal = {}, ...rest } = changes;
  return record({ code, stages: [...passed, "refused"], refusal: { code, message: "no", ...refusal }, ...rest });
}

const after = (name) => CREATE.slice(0, CREATE.indexOf(name) + 1);

test("a write goes through all places of the API server", () => {
  const hops = hopsOf(record());
  assert.deepEqual(
    hops.filter((hop) => hop.state === "done").map((hop) => hop.name),
    ["client", "authentication", "authorization", "mutating", "validation", "validating", "store"],
  );
  assert.equal(hops.find((hop) => hop.name === "mutating").micros, 300);
  assert.deepEqual(routeOf(hops).at(-1), "store");
});

const STOPS = [
  ["authentication", refused(401, [])],
  ["authorization", refused(403, ["authentication"], { annotations: { [DECISION]: "forbid", [REASON]: "" } })],
  ["authorization", refused(429, ["authentication"])],
  ["mutating", refused(400, ["authentication", "authorization"])],
  ["mutating", refused(403, after("field managers"))],
  ["mutating", refused(404, after("field managers"), { refusal: { details: { kind: "namespaces", name: "prod" } } })],
  ["mutating", refused(409, after("decode"), { verb: "patch", refusal: { details: { causes: [{ field: ".spec" }] } } })],
  ["validation", refused(422, after("mutating admission"))],
  ["validating", refused(403, after("validation"))],
  ["validating", refused(500, after("validation"))],
  ["store", refused(409, after("mutating admission"), { verb: "update" })],
  ["store", refused(409, after("validating admission"))],
  ["store", refused(404, ["authentication", "authorization"], { verb: "get" })],
  ["store", refused(404, ["authentication", "authorization"], { verb: "delete" })],
  ["watch", record({ verb: "watch", code: 200, stages: ["authentication", "authorization", "watch opened"], refusal: { code: 410, message: "too old resource version: 12 (900)" } })],
];
for (const [hop, one] of STOPS) {
  test(`${one.refusal.code} after ${one.stages.at(-2)?.name ?? "nothing"} stops at ${hop}`, () => {
    assert.equal(stopOf(one), hop);
    const hops = hopsOf(one);
    assert.equal(hops.find((each) => each.name === hop).state, "stopped");
    assert.equal(routeOf(hops).at(-1), hop);
  });
}

const BY_CODE = {
  400: "The server could not make sense of the request. Nothing was stored.",
  404: "There is no pods/web. The name, or the namespace, may be another.",
  405: "What is served at this path cannot do that.",
  406: "The server cannot answer in any of the forms that the client takes.",
  413: "The body is larger than the server takes. Nothing was stored.",
  415: "The server cannot read a body of this type. Nothing was stored.",
  429: "Too much is under way, or something has to wait its turn. Clients try again after a pause.",
  500: "Something failed inside the server, or in something that it asked. Nothing was stored.",
  503: "What had to answer is not there now. Clients try again.",
  504: "The answer did not come in time. Whether it was done is not known: look at the object.",
};

test("each refusal says why in our words, beside those of the API", () => {
  const forbidden = refused(403, ["authentication"], { annotations: { [DECISION]: "forbid", [REASON]: "" }, refusal: { message: 'pods is forbidden: User "learner" cannot create' } });
  const story = (nearest) => ({ nearest, allowedNow: false });
  const near = { how: "verbs", kind: "Role", namespace: "prod", name: "reader", verbs: ["get", "list"], bound_in: "prod" };
  const call = { name: "policy.example", failure: "context deadline exceeded", failurePolicy: "Fail", timeoutSeconds: 10, allowed: false, seconds: 10 };
  const cases = [
    [refused(401, []), null, "Who are you? The bearer token is not valid."],
    [forbidden, story(near), "No rule matched. Nearest: Role prod/reader (get, list)."],
    [forbidden, story({ ...near, how: "elsewhere", kind: "ClusterRole", namespace: "", name: "edit", bound_in: "dev" }), "No rule matched here. Nearest: ClusterRole edit (get, list), bound in dev alone."],
    [forbidden, story({ ...near, how: "unbound", kind: "ClusterRole", namespace: "", name: "edit" }), "No rule matched. ClusterRole edit would allow it, and is not bound to learner."],
    [forbidden, story(null), "No rule matched, and no role of this cluster would allow it."],
    [forbidden, { allowedNow: true }, "No rule matched then. It is allowed by now: somebody changed the rights."],
    [refused(409, after("mutating admission"), { refusal: { revisions: { sent: "1190", stored: "1196" } } }), null, "Someone saved first: you sent rev 1\u202f190, the store has 1\u202f196."],
    [refused(409, after("validating admission"), { refusal: { reason: "AlreadyExists", details: { name: "web" } } }), null, "There is already pods/web. Choose another name, or change the one that is there."],
    [refused(500, after("validation"), { webhooks: [call] }), null, "Admission webhook policy.example did not answer in 10 s (failurePolicy: Fail)."],
    [refused(400, after("validation"), { webhooks: [{ ...call, failure: "" }] }), null, "Admission webhook policy.example said no. Nothing was stored."],
    [STOPS.at(-1)[1], null, "The watch asked for rev 12, but history starts at 900. Clients list again from here."],
    [refused(401, [], { refusal: { attempted: "basic" } }), null, "Who are you? User names with passwords are not taken."],
    [forbidden, null, "No rule matched."],
    [forbidden, { only: "lea" }, "No rule matched."],
    [refused(404, ["authentication", "authorization"], { resource: "" }), null, "Nothing is served at this path."],
    [forbidden, story({ ...near, how: "names" }), "No rule matched this name. Nearest: Role prod/reader (get, list), for other names."],
    [refused(403, after("validation"), { refusal: { details: { name: "web" } } }), null, "Authorization said yes. Admission refused pods/web: a plugin, a policy or a quota is against it."],
    [refused(409, after("decode"), { refusal: { details: { causes: [{ field: ".spec" }] } } }), null, "Another field manager owns these fields. Leave them out, or take them over with --force-conflicts."],
    [refused(409, after("validation"), { name: "web" }), null, "pods/web changed while this was under way. Read it again, and send the change on top."],
    [refused(410, ["authentication", "authorization"], { refusal: { message: "The provided continue parameter is too old" } }), null, "The list asked for a revision that is no longer kept. Clients list again from the present."],
    [refused(500, after("validation"), { webhooks: [{ ...call, failure: "connection refused" }] }), null, "Admission webhook policy.example could not be asked (failurePolicy: Fail)."],
    [refused(418, after("validation")), null, "Stopped at validating admission with 418."],
    ...Object.entries(BY_CODE).map(([code, title]) => [refused(Number(code), ["authentication", "authorization"], { name: "web" }), null, title]),
  ];
  for (const [one, told, title] of cases) assert.equal(stopped(one, told).title, title);
  assert.match(stopped(forbidden).verbatim, /pods is forbidden/);
});

test("an invalid object lists each field", () => {
  const causes = [{ field: "spec.replicas", message: "must be >= 0" }, { field: "spec.x", message: "unknown" }];
  const found = stopped(refused(422, after("mutating admission"), { refusal: { details: { causes } } }));
  assert.deepEqual(found.fields, causes);
  assert.equal(found.title, "2 fields are wrong. Nothing was stored.");
});

test("the rule that decided is told as people read it", () => {
  const reason = 'RBAC: allowed by RoleBinding "edit/dev" of ClusterRole "edit" to User "learner"';
  const one = record({ annotations: { [DECISION]: "allow", [REASON]: reason } });
  assert.equal(ruleOf(one), "Allowed by RoleBinding dev/edit → ClusterRole edit, to User learner.");
  assert.equal(ruleOf(record()), "Allowed: members of system:masters may do everything.");
});

function story() {
  const request = (id, parent, at, more) => ({ kind: "request", id, parent, at, seconds: 0.002, who: "w", place: "controllers", verb: "create", resource: "pods", subresource: "", name: id, code: 201, revisions: [2], ...more });
  return {
    root: record({ auditID: "root", wrote: [{ revision: 1 }] }),
    audience: { 1: { "kube-scheduler": 1, "kubelet n1": 2 } },
    totals: { pods: 1, running: 1, all: 0.5, first: 0.5 },
    more: 0,
    steps: [
      request("rs", "root", 100.01),
      request("event", "rs", 100.02, { resource: "events" }),
      request("pod", "rs", 100.02),
      { kind: "decision", id: "d", parent: "pod", at: 100.03, seconds: 0.001, who: "kube-scheduler", place: "scheduler", pod: "a/b", node: "", message: "0/3 nodes" },
      { kind: "step", id: "s", parent: "pod", at: 100.1, seconds: 0.3, who: "kubelet n1", place: "runtime", what: "image", pod: "a/b", outcome: "" },
      request("status", "pod", 100.5, { place: "kubelet", verb: "patch", subresource: "status" }),
    ],
  };
}

test("what workers did stands at their places", () => {
  const hops = hopsOf(story().root, story());
  const by = Object.fromEntries(hops.map((hop) => [hop.name, hop]));
  assert.equal(by.watch.count, 3);
  assert.equal(by.controllers.count, 3);
  assert.equal(by.scheduler.state, "warned");
  assert.equal(by.runtime.state, "done");
  assert.equal(by.status.count, 1);
  assert.equal(routeOf(hops).at(-1), "status");
});

test("a waterfall hangs each row below its cause, and leaves events out until they are asked for", () => {
  const found = rowsOf(story());
  assert.deepEqual(found.rows.map((row) => [row.step.id, row.depth]), [["rs", 1], ["pod", 2], ["d", 3], ["s", 3], ["status", 3]]);
  assert.equal(found.hidden, 1);
  assert.ok(Math.abs(found.end - 0.502) < 1e-6);
  assert.equal(rowsOf(story(), true).rows.length, 6);
});

test("times are short, and lines stand at round ones", () => {
  assert.deepEqual([0, 38.2, 3240, 41_000, 1_840_000, 125e6].map(took), ["0 µs", "38 µs", "3.2 ms", "41 ms", "1.84 s", "2 min 5 s"]);
  assert.deepEqual(ticks(0.45).map((at) => Math.round(at * 1000)), [0, 200, 400]);
  assert.deepEqual(ticks(0), [0]);
});

function player() {
  const frames = [];
  let now = 0;
  const made = new Player({ changed: () => {}, now: () => now, next: (work) => frames.push(work), stop: () => frames.splice(0) });
  const go = (ms) => {
    now += ms;
    frames.shift()?.();
  };
  return { made, go };
}

test("a token takes longer where it really took longer, and arrives at the end", () => {
  const hops = hopsOf(record());
  const route = routeOf(hops);
  const times = scheduleOf(hops, route);
  assert.equal(times.length, route.length);
  assert.equal(times[0], 0);
  assert.ok(Math.abs(times.at(-1) - 1) < 1e-9);
  const { made, go } = player();
  made.load(hops, route);
  made.play();
  assert.equal(made.at, 0);
  go(LIVE_MS / 2);
  assert.ok(made.at > 0 && made.at < route.length - 1);
  go(LIVE_MS);
  assert.equal(made.at, route.length - 1);
  assert.equal(made.playing, false);
});

test("a way that grows while the token is under way does not throw it back", () => {
  const hops = hopsOf(record());
  const { made, go } = player();
  made.load(hops, routeOf(hops));
  made.play();
  go(LIVE_MS / 2);
  const before = made.at;
  const longer = hopsOf(story().root, story());
  made.extend(longer, routeOf(longer));
  assert.equal(made.at, before);
  go(LIVE_MS * 2);
  assert.equal(made.route[made.at], "status");
});

test("by steps a token moves when it is told to, and begins again after the end", () => {
  const hops = hopsOf(refused(401, []));
  const { made } = player();
  made.load(hops, routeOf(hops));
  made.speed = "step";
  made.play();
  assert.equal(made.at, 0);
  made.step();
  assert.equal(made.route[made.at], "authentication");
  made.step();
  assert.equal(made.at, 0);
});

test("all that is chosen stands in the address", () => {
  const url = (path) => new URL(`http://x${path}`);
  const state = readAddress(url("/clusters/demo/trace/id%2F1?who=all&hop=store&speed=slow&details=1"));
  assert.equal(state.id, "id/1");
  assert.equal(addressOf("demo", state.id, state), "/clusters/demo/trace/id%2F1?who=all&hop=store&details=1&speed=slow");
  assert.equal(addressOf("demo", "", readAddress(url("/clusters/demo/trace?who=people&speed=bogus"))), "/clusters/demo/trace");
});

test("two requests are compared stage by stage", () => {
  const one = record({ stages: ["authentication", "authorization", "storage"] });
  const other = record({ webhooks: [{ name: "h", seconds: 0.1 }] });
  const found = stagesOf(one, other);
  assert.deepEqual(found[0], { name: "authentication", one: 100, other: 100 });
  assert.deepEqual(found.find((stage) => stage.name === "decode"), { name: "decode", one: null, other: 100 });
  assert.ok(found.some((stage) => stage.name === "webhook h" && stage.other === 1e5));
});

test("an object's requests are everybody's, unless one says whose", () => {
  const url = (path) => new URL(path, "http://site");
  const state = readAddress(url("/clusters/demo/trace?object=pods/default/web-1"));
  assert.deepEqual(filterOf(state), { who: "all", object: "pods/default/web-1" });
  assert.ok(isNarrowed(state));
  assert.equal(addressOf("demo", "", { ...state, who: "all" }), addressOf("demo", "", state));
  const people = { ...state, who: "people" };
  assert.deepEqual(filterOf(readAddress(url(addressOf("demo", "", people)))), { who: "people", object: "pods/default/web-1" });
});

test("the namespace has the name in the address that it has on other pages", () => {
  const state = readAddress(new URL("/clusters/demo/trace?ns=prod", "http://site"));
  assert.deepEqual(filterOf(state), { who: "people", namespace: "prod" });
  assert.equal(addressOf("demo", "", state), "/clusters/demo/trace?ns=prod");
  assert.ok(!isNarrowed(readAddress(new URL("/clusters/demo/trace", "http://site"))));
});
