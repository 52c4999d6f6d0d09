import assert from "node:assert/strict";
import { test } from "node:test";

import { age, seconds } from "../src/age.js";
import { drainOf } from "../src/list/acting.js";
import { parse, split, suggest } from "../src/list/filter.js";
import { actionCommands, getCommand, logsCommand, quote } from "../src/list/kubectl.js";
import { ListModel, nextSort, parseSort, printSort, sortKey, stateOf } from "../src/list/model.js";
import { Selection, visible } from "../src/list/selection.js";

const SERVED = [
  { name: "Name", type: "string" },
  { name: "Ready", type: "string" },
  { name: "Status", type: "string" },
  { name: "Restarts", type: "integer" },
  { name: "Age", type: "string" },
  { name: "Node", type: "string", wide: true },
];
const row = (name, { ns = "default", labels = { app: "web" }, status = "Running", restarts = 0, node = "n1", created = "2026-11-23T09:00:00Z" } = {}) => [
  `uid-${name}`, ns, name, created, labels, [name, "1/1", status, restarts, "", node],
];

function model(...rows) {
  const made = new ListModel();
  made.reset(SERVED, { across: true });
  made.add(rows);
  return made;
}

const names = (rows) => rows.map(({ name }) => name);
const PODS = model(row("web-1"), row("web-10", { status: "CrashLoopBackOff", restarts: 7 }), row("web-2", { node: "n2" }), row("dns", { ns: "kube-system", labels: { app: "dns", "k8s.io/tier": "core" } }));
const found = (text, of = PODS) => names(of.view(parse(text, of.columns).test, []));

test("ages are printed as kubectl prints them", () => {
  for (const [given, printed] of [[5, "5s"], [119, "119s"], [330, "5m30s"], [600, "10m"], [12_000, "3h20m"], [36_000, "10h"], [190_800, "2d5h"], [86_400 * 30, "30d"]]) {
    assert.equal(age(given), printed);
  }
  assert.equal(seconds("3h20m"), 12_000);
  assert.equal(seconds("web"), null);
});

test("terms of a filter are split as one writes them", () => {
  assert.deepEqual(split('app in (a, b) "two words" -x'), ["app in (a, b)", "two words", "-x"]);
});

test("words, labels, columns and their opposites", () => {
  assert.deepEqual(found("web"), ["web-1", "web-2", "web-10"]);
  assert.deepEqual(found("-web"), ["dns"]);
  assert.deepEqual(found("app=dns"), ["dns"]);
  assert.deepEqual(found("app!=web"), ["dns"]);
  assert.deepEqual(found("!k8s.io/tier web-1"), ["web-1", "web-10"]);
  assert.deepEqual(found("app in (dns, other)"), ["dns"]);
  assert.deepEqual(found("app notin (dns)"), ["web-1", "web-2", "web-10"]);
  assert.deepEqual(found("status:crash"), ["web-10"]);
  assert.deepEqual(found("-status:crash node:n1"), ["web-1", "dns"]);
  assert.deepEqual(found("restarts>3"), ["web-10"]);
  assert.deepEqual(found("restarts<=0 app=web"), ["web-1", "web-2"]);
  assert.deepEqual(found("kube-system"), ["dns"]);
});

test("fields are for the API, and selectors for kubectl", () => {
  const read = parse("app=web -tier=a spec.nodeName=n1 status.phase!=Running web", PODS.columns);
  assert.equal(read.selector, "app=web,tier!=a");
  assert.equal(read.fields, "spec.nodeName=n1,status.phase!=Running");
  assert.deepEqual(read.words, ["web"]);
  assert.equal(parse("reason=Killing", [], { events: true }).fields, "reason=Killing");
});

test("a term that makes no sense is named", () => {
  assert.deepEqual(parse("colour:red web", PODS.columns).bad, ["colour:red"]);
  assert.deepEqual(parse("restarts>many", PODS.columns).bad, ["restarts>many"]);
});

test("what was meant", () => {
  const meant = (text) => suggest(text, PODS.rows.values(), PODS.columns);
  assert.deepEqual(meant("app=wbe"), { text: "app=web", count: 3 });
  assert.deepEqual(meant("app=web status:Runing"), { text: "app=web status:Running", count: 2 });
  assert.equal(meant("nothing-like-it"), null);
});

test("numbers sort by value, names by the numbers within them, ages by their moment", () => {
  assert.deepEqual(names(PODS.view(null, [{ name: "Name", down: false }])), ["dns", "web-1", "web-2", "web-10"]);
  assert.deepEqual(names(PODS.view(null, [{ name: "Restarts", down: true }])).slice(0, 1), ["web-10"]);
  assert.ok(sortKey("9m") < sortKey("2h"));
  assert.ok(sortKey("2/10") < sortKey("10/10"));
  const aged = model(row("old", { created: "2026-11-20T00:00:00Z" }), row("new", { created: "2026-11-23T00:00:00Z" }));
  assert.deepEqual(names(aged.view(null, [{ name: "Age", down: false }])), ["new", "old"]);
});

test("several columns sort one after the other", () => {
  const order = parseSort("Status,-Name,Nothing", PODS.columns);
  assert.equal(printSort(order), "Status,-Name");
  assert.deepEqual(names(PODS.view(null, order)), ["web-10", "web-2", "web-1", "dns"]);
  assert.deepEqual(nextSort([], "Name", false), [{ name: "Name", down: false }]);
  assert.deepEqual(nextSort([{ name: "Name", down: true }], "Name", false), []);
  assert.equal(printSort(nextSort(order, "Name", true)), "Status");
  assert.equal(printSort(nextSort(order, "Age", true)), "Status,-Name,Age");
});

test("changes tell what is new, different and gone", () => {
  const made = model(row("a"), row("b"));
  const same = made.apply([row("a")]);
  assert.deepEqual(same.changed, []);
  const { changed, gone } = made.apply([row("a", { restarts: 1 }), row("c"), "uid-b", "uid-none"]);
  assert.deepEqual(changed, ["uid-a", "uid-c"]);
  assert.deepEqual(names(gone), ["b"]);
  assert.deepEqual(names(made.view(null, [])), ["a", "c"]);
});

test("a choice is a range, survives sorting, and loses what is gone", () => {
  const view = PODS.view(null, [{ name: "Name", down: false }]);
  const chosen = new Selection();
  chosen.toggle(view[1].uid);
  chosen.extend(view, 3);
  assert.equal(chosen.size, 3);
  chosen.drop([{ uid: "uid-web-2" }]);
  assert.deepEqual([...chosen.uids].sort(), ["uid-web-1", "uid-web-10"]);
  chosen.clear();
  chosen.extend(view, 2);
  assert.deepEqual([...chosen.uids], ["uid-web-2"]);
});

test("only rows in sight are drawn", () => {
  assert.deepEqual(visible({ top: 31_000, height: 310, row: 31, count: 20_000 }), { first: 992, last: 1018 });
  assert.deepEqual(visible({ top: 0, height: 600, row: 31, count: 3 }), { first: 0, last: 3 });
  assert.deepEqual(visible({ top: 900, height: 600, row: 31, count: 0 }), { first: 0, last: 0 });
});

const KIND = { group: "", version: "v1", plural: "pods", namespaced: true };
const DEPLOYMENTS = { group: "apps", version: "v1", plural: "deployments", namespaced: true };
const NODES = { group: "", version: "v1", plural: "nodes", namespaced: false };
const in_ = (namespace, ...list) => list.map((name) => ({ namespace, name }));

test("a list as kubectl would get it", () => {
  assert.equal(getCommand(KIND, {}), "kubectl get pods -A");
  assert.equal(getCommand(KIND, { ns: "a", selector: "app in (x)", wide: true }), "kubectl get pods -n a -l 'app in (x)' -o wide");
  assert.equal(getCommand({ ...KIND, group: "example.com", plural: "castles" }, { words: ["it's"] }), "kubectl get castles.example.com -A | grep -i 'it'\\''s'");
  assert.equal(quote("a b"), "'a b'");
});

test("a list of the past is asked of the API, as kubectl get has no flag for a revision", () => {
  const past = { ns: "a", selector: "app=web", rev: 600 };
  assert.equal(getCommand(KIND, past), "kubectl get --raw '/api/v1/namespaces/a/pods?resourceVersion=600&resourceVersionMatch=Exact&labelSelector=app%3Dweb'");
  assert.equal(getCommand({ ...KIND, group: "apps", plural: "deployments" }, { rev: 7 }), "kubectl get --raw '/apis/apps/v1/deployments?resourceVersion=7&resourceVersionMatch=Exact'");
});

test("logs as kubectl would show them", () => {
  assert.deepEqual(logsCommand({ ns: "a", names: ["x"], container: "*", since: "60" }), ["kubectl logs -n a x --all-containers -f --since=60s"]);
  assert.deepEqual(logsCommand({ ns: "a", names: ["x", "y"], previous: true }), ["kubectl logs -n a x --previous", "kubectl logs -n a y --previous"]);
  const web = { ns: "a", names: ["1", "2", "3", "4", "5", "6"], of: "deployment/web" };
  const from = "2026-11-30T12:00:00+00:00";
  assert.deepEqual(logsCommand({ ...web, since: "rev:600", from, times: true }), [`kubectl logs -n a deployment/web --all-pods --max-log-requests=6 -f --since-time=${from} --timestamps`]);
});

test("actions as kubectl would do them", () => {
  const commands = (action, resource, targets, options) => actionCommands(action, resource, targets, options);
  assert.deepEqual(commands("delete", KIND, [...in_("a", "x", "y"), ...in_("b", "z")], { force: true }), [
    "kubectl delete pods x y -n a --grace-period=0 --force",
    "kubectl delete pods z -n b --grace-period=0 --force",
  ]);
  assert.deepEqual(commands("scale", DEPLOYMENTS, in_("a", "web"), { replicas: 3 }), ["kubectl scale --replicas=3 deployment/web -n a"]);
  assert.deepEqual(commands("restart", DEPLOYMENTS, in_("a", "web", "api")), ["kubectl rollout restart deployment/web deployment/api -n a"]);
  assert.deepEqual(commands("undo", DEPLOYMENTS, in_("a", "web"), { revision: 2 }), ["kubectl rollout undo deployment/web -n a --to-revision=2"]);
  assert.deepEqual(commands("label", KIND, in_("a", "x"), { changes: { k: "v w", old: null }, overwrite: true }), ["kubectl label pods x -n a 'k=v w' old- --overwrite"]);
  assert.deepEqual(commands("drain", NODES, in_("", "n1"), { deleteEmptyDirData: true, force: true }), ["kubectl drain n1 --ignore-daemonsets --delete-emptydir-data --force"]);
  assert.ok(commands("evict", KIND, in_("a", "x"), { gracePeriodSeconds: 3 })[0].includes('"metadata":{"name":"x"},"deleteOptions":{"gracePeriodSeconds":3}}'));
  assert.deepEqual(commands("scale", DEPLOYMENTS, in_("a", "web", "api"), {}), ["kubectl scale --replicas=N deployment/web deployment/api -n a"]);
  assert.deepEqual(commands("cordon", NODES, in_("", "n1", "n2"), { dryRun: true }), ["kubectl cordon n1 n2 --dry-run=server"]);
});

test("a drain leaves DaemonSets and asks about what would be lost", () => {
  const pods = [{ kind: "owned" }, { kind: "owned", local: true }, { kind: "bare" }, { kind: "daemon", local: true }, { kind: "mirror" }, { kind: "ended" }];
  const asked = drainOf(pods, {});
  assert.deepEqual([asked.evict.length, asked.blocked.length, asked.daemons], [3, 2, 1]);
  const all = drainOf(pods, { force: true, deleteEmptyDirData: true });
  assert.deepEqual([all.evict.length, all.blocked.length], [4, 0]);
});

test("a status has a colour", () => {
  assert.deepEqual(["Running", "CrashLoopBackOff", "Pending", "Ready,SchedulingDisabled", "Completed", "Init:0/1"].map(stateOf), ["good", "bad", "waiting", "waiting", "plain", "waiting"]);
});
