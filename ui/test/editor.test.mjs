// The editor's pure parts: documents, paths, problems, schemas, merging, drafts, commands.
import assert from "node:assert/strict";
import test from "node:test";

import "./page.mjs";

import { editorOf } from "../src/editor/address.js";
import { Checking, write } from "../src/editor/checking.js";
import { at, sent, split, withRevision } from "../src/editor/documents.js";
import * as drafts from "../src/editor/drafts.js";
import { Elsewhere } from "../src/editor/elsewhere.js";
import { command, fileName } from "../src/editor/kubectl.js";
import { inList } from "../src/editor/lists.js";
import { resourceOf } from "../src/editor/lives.js";
import { settle } from "../src/editor/meanwhile.js";
import { merge } from "../src/editor/merge3.js";
import { rangeOf, steps, without } from "../src/editor/paths.js";
import { conflicts, problems, spoken, waitsFor } from "../src/editor/problems.js";
import { fields, placeAt, schemaAt, typeOf, values } from "../src/editor/schema.js";
import { SNIPPETS } from "../src/editor/snippets.js";

const WEB = `# the shop
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels:
    app.kubernetes.io/name: web
spec:
  replicas: 3
  template:
    spec:
      containers:
      - name: sidecar
        image: envoy
      - name: web
        image: nginx
        ports:
        - containerPort: 80
`;
const TWO = `${WEB}---
# nothing but a comment
--- # and another one
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
`;

const only = (text) => split(text)[0];
const under = (section, path, options) => {
  const { from, to } = rangeOf(section.doc, path, options);
  return section.text.slice(from, to);
};

test("a text is split where kubectl splits it", () => {
  const found = split(TWO);
  assert.deepEqual(found.map(({ about }) => `${about.kind}/${about.name}`), ["Deployment/web", "ConfigMap/settings"]);
  assert.equal(found[1].line, 22);
  assert.ok(TWO.slice(found[1].from, found[1].to).startsWith("apiVersion: v1\nkind: ConfigMap"));
  assert.equal(at(found, 5).about.name, "web");
  assert.equal(at(found, TWO.length).about.name, "settings");
  assert.deepEqual(split("# a\n---\n\n"), []);
  assert.equal(split("data:\n  a: |\n    ---\n").length, 1, "within a text of several lines there is no separator");
});

test("a mistake in one document leaves the others as they are", () => {
  const [bad, good] = split("a: [\n---\nkind: Pod\n");
  assert.equal(bad.errors.length > 0, true);
  assert.equal(good.about.kind, "Pod");
  assert.match(only("a: 1\na: 2\n").errors[0].message, /unique/);
});

const LIST = `# all of it
apiVersion: v1
kind: List
items:
  # the first
  - apiVersion: apps/v1
    kind: Deployment
    metadata:
      name: web
    spec:
      replicas: 3
  - kind: ConfigMap
    apiVersion: v1
    metadata: {name: settings, labels: {a: b}}
  - {apiVersion: v1, kind: Service, metadata: {name: front}}
`;

test("a list is what stands in it, at its places", () => {
  const found = split(`${LIST}---\n${WEB}`);
  assert.deepEqual(found.map(({ about }) => `${about.kind}/${about.name}`), ["Deployment/web", "ConfigMap/settings", "Service/front", "Deployment/web"]);
  assert.deepEqual(found.map(({ line, index }) => [line, index]), [[6, 0], [12, 1], [15, 2], [17, 3]]);
  const [web] = found;
  assert.equal(sent(web), "    apiVersion: apps/v1\n    kind: Deployment\n    metadata:\n      name: web\n    spec:\n      replicas: 3\n");
  const { from, to } = rangeOf(web.doc, "spec.replicas");
  assert.equal(LIST.slice(web.from + from, web.from + to), "3");
  assert.equal(sent(web, "7").split("\n")[3], '      resourceVersion: "7"');
  assert.equal(at(found, LIST.indexOf("settings")).about.name, "settings");
});

test("a field is taken out of an item, and the list stays a list", () => {
  const [web, settings, front] = split(LIST);
  const after = (section, path) => LIST.slice(0, section.from) + inList(section, without(section, path)) + LIST.slice(section.to);
  assert.equal(after(web, ".spec.replicas"), LIST.replace("    spec:\n      replicas: 3\n", ""));
  assert.equal(after(web, ".apiVersion"), LIST.replace("  - apiVersion: apps/v1\n    kind", "  - kind"), "the dash moves to the next field");
  for (const [section, path] of [[settings, ".metadata.labels.a"], [front, ".metadata.name"]]) {
    const left = split(after(section, path));
    assert.deepEqual(left.map(({ about }) => about.kind), ["Deployment", "ConfigMap", "Service"]);
    assert.deepEqual(left.flatMap(({ errors }) => errors), []);
  }
});

test("items of a typed list are of its kind, and are sent as such", () => {
  const [pod] = split("apiVersion: v1\nkind: PodList\nitems:\n- metadata:\n    name: a\n");
  assert.deepEqual([pod.about.apiVersion, pod.about.kind], ["v1", "Pod"]);
  assert.equal(sent(pod), '  apiVersion: "v1"\n  kind: "Pod"\n  metadata:\n    name: a\n');
  const [json] = split('{"apiVersion": "v1", "kind": "PodList", "items": [{"metadata": {"name": "a"}}]}');
  assert.deepEqual(JSON.parse(`{${sent(json).slice(1).replace(/(apiVersion|kind):/g, '"$1":')}`), { apiVersion: "v1", kind: "Pod", metadata: { name: "a" } });
});

test("an empty list is nothing to write, and a broken one says where", () => {
  assert.deepEqual(split("apiVersion: v1\nkind: List\nitems: []\n"), []);
  const [broken] = split("apiVersion: v1\nkind: List\nkind: List\nitems:\n- kind: Pod\n");
  assert.match(broken.errors[0].message, /unique/);
  const [item] = split("kind: List\nitems:\n- kind: Pod\n  a: 1\n  a: 2\n");
  assert.equal(item.about.kind, "Pod");
  assert.equal(item.errors.length > 0, true);
});

test("a revision is added as one line, and the rest stays as it was", () => {
  const sent = withRevision(only(WEB), "12");
  assert.equal(sent, WEB.replace("  name: web\n", '  resourceVersion: "12"\n  name: web\n'));
  assert.equal(withRevision(only("metadata: {name: a}\n"), "3"), 'metadata: {resourceVersion: "3", name: a}\n');
  const own = "metadata:\n  resourceVersion: '1'\n  name: a\n";
  assert.equal(withRevision(only(own), "3"), own);
});

test("paths are read as validation and server-side apply write them", () => {
  assert.deepEqual(steps("spec.containers[0].image"), ["spec", "containers", "0", "image"]);
  assert.deepEqual(steps('.spec.ports[port=80,protocol="TCP"].name'), ["spec", "ports", { port: "80", protocol: "TCP" }, "name"]);
  assert.deepEqual(steps('.metadata.finalizers[="a.b/c"]'), ["metadata", "finalizers", { "": "a.b/c" }]);
});

test("a path leads to the place in the text", () => {
  const web = only(WEB);
  assert.equal(under(web, "spec.replicas"), "3");
  assert.equal(under(web, '.spec.template.spec.containers[name="web"].image'), "nginx");
  assert.equal(under(web, "spec.template.spec.containers[0].image"), "envoy");
  assert.equal(under(web, "metadata.labels[app.kubernetes.io/name]"), "web");
  assert.equal(under(web, ".metadata.labels.app.kubernetes.io/name"), "web", "a key may hold dots");
  assert.equal(under(web, "spec.template"), "template");
  assert.equal(under(web, "spec.replicas", { key: true }), "replicas");
  assert.equal(under(web, '.spec.template.spec.containers[name="web"].ports[containerPort=80,protocol="TCP"].containerPort'), "80");
});

test("where a path ends early, what it reached is marked", () => {
  const web = only(WEB);
  assert.equal(under(web, "spec.selector"), "spec");
  assert.equal(rangeOf(web.doc, "spec.selector").whole, false);
  assert.equal(under(web, "spec.template.spec.containers[1].command"), "name");
  assert.ok(under(web, "nothing").includes("Deployment"));
});

test("a field is taken out with its lines, and what is empty then goes too", () => {
  assert.equal(without(only(WEB), ".spec.replicas"), WEB.replace("  replicas: 3\n", ""));
  assert.equal(without(only(WEB), ".metadata.labels.app.kubernetes.io/name"), WEB.replace("  labels:\n    app.kubernetes.io/name: web\n", ""));
  const ports = '.spec.template.spec.containers[name="web"].ports';
  assert.equal(without(only(WEB), ports), WEB.replace("        ports:\n        - containerPort: 80\n", ""));
  assert.equal(without(only(WEB), ".spec.nothing"), WEB);
  assert.match(without(only("metadata: {name: a, labels: {b: c}}\n"), ".metadata.labels.b"), /^metadata: \{ ?name: a ?\}\n$/);
  assert.doesNotMatch(without(only(WEB), '.spec.template.spec.containers[name="web"].name'), /name: web\n +image/);
});

test("what the API says is shown at the fields of which it speaks", () => {
  const web = only(WEB.replace("replicas: 3", "replicas: 3\n  replcas: 4"));
  const marks = (error) => problems(web, error).map(({ from, to, message }) => [web.text.slice(from, to), message]);
  const strict = 'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: unknown field "spec.replcas"';
  assert.deepEqual(marks({ message: strict }), [["replcas", 'unknown field "spec.replcas"']]);
  const typed = "failed to create typed patch object (default/web; apps/v1, Kind=Deployment): .spec.replcas: field not declared in schema";
  assert.deepEqual(marks({ message: typed }), [["replcas", ".spec.replcas: field not declared in schema"]]);
  const causes = [{ reason: "FieldValueInvalid", field: "spec.replicas", message: "Invalid value: -1: must be 0 or more" }];
  assert.deepEqual(marks({ message: "…", causes }), [["3", "spec.replicas: Invalid value: -1: must be 0 or more"]]);
  assert.deepEqual(marks({ message: 'namespaces "x" not found' }), [["Deployment", 'namespaces "x" not found']]);
  const denied = 'admission webhook "x.example" denied the request: spec.replicas is odd';
  assert.deepEqual(marks({ message: denied }), [["Deployment", denied]]);
  const away = 'failed calling webhook "x.example": failed to call webhook';
  const internal = `Internal error occurred: ${away}`;
  assert.deepEqual(marks({ message: internal, causes: [{ message: away }] }), [["Deployment", internal]]);
  const type = "Deployment in version \"v1\" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32";
  assert.equal(spoken(type)[0].path, "spec.replicas");
});

test("conflicts name the field and its owner", () => {
  const cause = (message) => ({ causes: [{ reason: "FieldManagerConflict", field: ".spec.replicas", message }] });
  const owner = (message) => conflicts(cause(message))[0].manager;
  assert.equal(owner('conflict with "hpa-controller" using autoscaling/v2'), "hpa-controller");
  assert.equal(owner('conflict with "kube-controller-manager" with subresource "scale" using apps/v1 at 2026-11-23T09:00:00Z'), "kube-controller-manager");
  assert.deepEqual(conflicts({ causes: [{ reason: "FieldValueInvalid", field: "a", message: "b" }] }), []);
});

test("a document waits for what an earlier one makes", () => {
  const sections = split("apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: shop}\n");
  const error = { status: 404, message: 'namespaces "shop" not found' };
  assert.equal(waitsFor(sections[1], sections, error).about.kind, "Namespace");
  assert.equal(waitsFor(sections[1], [sections[1]], error), null);
  assert.equal(waitsFor(sections[1], sections, { ...error, status: 403 }), null);
});

const REF = "#/components/schemas/";
const GIVEN = {
  root: "D",
  schemas: {
    D: { type: "object", properties: { kind: { type: "string" }, spec: { description: "What is wanted.", allOf: [{ $ref: `${REF}x.v1.Spec` }], default: {} }, status: { type: "object" } } },
    "x.v1.Spec": {
      type: "object",
      required: ["containers"],
      properties: {
        containers: { type: "array", items: { allOf: [{ $ref: `${REF}x.v1.Container` }] } },
        paused: { type: "boolean" },
        labels: { type: "object", additionalProperties: { type: "string" } },
      },
    },
    "x.v1.Container": { type: "object", properties: { name: { type: "string" }, pull: { type: "string", enum: ["Always", "Never", ""], default: "Always" }, port: { type: "integer", format: "int32" } } },
  },
};

/** The place of "|" in a text. */
const place = (text) => placeAt(text.replace("|", ""), text.indexOf("|"));

test("the place in a text is found by its indents", () => {
  const path = (text) => place(text)?.path.join(".");
  const spec = (line) => `kind: D\nspec:\n  containers:\n  - name: a\n    ports:\n    - port: 80\n${line}\n    pull: Always\n  paused: true\n`;
  assert.equal(path(spec("    na|")), "spec.containers.[]");
  assert.equal(path(spec("      pro|")), "spec.containers.[].ports.[]");
  assert.equal(path(spec("  - na|")), "spec.containers.[]");
  assert.equal(path(spec("    - |")), "spec.containers.[].ports.[]");
  assert.equal(path(spec("  |")), "spec");
  assert.equal(path("|"), "");
  assert.equal(path("a:\n- b:\n    c:\n    - - d|"), "a.[].b.c.[].[]");
  assert.equal(place("data:\n  a: >-\n    b|\n"), null, "a text of several lines has no fields");
  assert.equal(place("# a|"), null);
});

test("a place knows what is typed, and what is there already", () => {
  const found = place("spec:\n  paused: true\n  con|\n  labels: {}\n");
  assert.deepEqual([found.typed, found.isValue, [...found.siblings].sort()], ["con", false, ["labels", "paused"]]);
  const value = place("spec:\n  paused: t|\n");
  assert.deepEqual([value.typed, value.isValue, value.key, value.path], ["t", true, "paused", ["spec"]]);
});

test("fields and values come out of the schema", () => {
  assert.deepEqual(fields(GIVEN, [], new Set(["kind"])).map(({ name, type }) => [name, type]), [["spec", "Spec"]]);
  const [containers, paused, labels] = fields(GIVEN, ["spec"]);
  assert.deepEqual([containers.required, containers.shape, containers.type], [true, "list", "[]Container"]);
  assert.deepEqual([paused.shape, labels.type, labels.shape], ["value", "map[string]string", "map"]);
  assert.deepEqual(values(GIVEN, ["spec", "containers", "[]"], "pull"), [{ value: "Always", standard: true }, { value: "Never", standard: false }]);
  assert.deepEqual(values(GIVEN, ["spec"], "paused").map(({ value }) => value), ["true", "false"]);
  assert.equal(schemaAt(GIVEN, ["spec"]).description, "What is wanted.");
  assert.equal(schemaAt(GIVEN, ["spec", "labels", "any"]).type, "string");
  assert.equal(schemaAt(GIVEN, ["nothing", "at", "all"]), null);
  assert.equal(typeOf(GIVEN.schemas, { type: "integer", format: "int32" }), "integer (int32)");
});

const BASE = "a: 1\nb: 2\nc: 3\nd: 4\ne: 5\n";

test("what each side changed is brought together", () => {
  const { text, conflicts: left } = merge(BASE, BASE.replace("a: 1", "a: 10"), BASE.replace("e: 5\n", "e: 5\nf: 6\n").replace("c: 3\n", ""));
  assert.equal(text, "a: 10\nb: 2\nd: 4\ne: 5\nf: 6\n");
  assert.deepEqual(left, []);
  assert.equal(merge(BASE, BASE, BASE.replace("2", "3")).text, BASE.replace("2", "3"));
  const same = BASE.replace("2", "3");
  assert.deepEqual(merge(BASE, same, same), { text: same, conflicts: [] });
});

test("what both changed stays as it is here, and is told", () => {
  const { text, conflicts: [one, ...more] } = merge(BASE, BASE.replace("c: 3", "c: mine"), BASE.replace("c: 3", "c: theirs").replace("a: 1", "a: 0"));
  assert.equal(text, "a: 0\nb: 2\nc: mine\nd: 4\ne: 5\n");
  assert.deepEqual([one.mine, one.theirs, more], ["c: mine", "c: theirs", []]);
  assert.equal(text.slice(one.from, one.to), "c: mine");
});

test("a line added beside one that changed is no conflict", () => {
  const mine = BASE.replace("c: 3", "x: 1\nc: 3\ny: 2");
  assert.deepEqual(merge(BASE, mine, BASE.replace("c: 3", "c: 30")), { text: mine.replace("c: 3", "c: 30"), conflicts: [] });
});

test("lines that both added at one place are a conflict", () => {
  const { text, conflicts: found } = merge(BASE, BASE.replace("b: 2\n", "b: 2\nx: 1\n"), BASE.replace("b: 2\n", "b: 2\ny: 1\n"));
  assert.ok(text.includes("x: 1") && !text.includes("y: 1"));
  assert.deepEqual(found.map(({ mine, theirs }) => [mine, theirs]), [["x: 1", "y: 1"]]);
});

test("drafts are kept by object, and Secrets not in the storage", () => {
  const kept = new Map();
  const storage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value), removeItem: (key) => kept.delete(key) };
  const key = drafts.keyOf({ cluster: "demo", user: "lea", object: { resource: "pods", namespace: "a", name: "b" } });
  assert.notEqual(key, drafts.keyOf({ cluster: "demo", user: "lea", object: null }));
  drafts.save(key, "kind: Pod\n", { revision: "1" }, storage);
  assert.deepEqual(drafts.find(key, storage), { text: "kind: Pod\n", base: { revision: "1" } });
  drafts.save(key, "kind: Secret\n", null, storage);
  assert.equal(kept.size, 0, "the browser's storage has none of it");
  assert.equal(drafts.find(key, storage).text, "kind: Secret\n", "another page leads back to it");
  drafts.forget(key, storage);
  assert.equal(drafts.find(key, storage), null);
  kept.set(key, "{");
  assert.equal(drafts.find(key, storage), null);
});

test("a tab is told while another has changes to the same object", async (t) => {
  const heard = [];
  const open = (key, tab, changed = () => {}) => {
    const made = new Elsewhere(key, changed, tab);
    t.after(() => made.stop());
    return made;
  };
  const next = () => new Promise((resolve) => heard.push(resolve));
  const one = open("pods/web", "one");
  one.tell(true);
  open("pods/api", "two", () => assert.fail("another object"));
  const told = next();
  open("pods/web", "two", (there) => heard.shift()(there));
  assert.equal(await told, true, "also of what was there before");
  const gone = next();
  one.stop();
  assert.equal(await gone, false);
});

test("the same with kubectl", () => {
  const line = (more) => command({ how: "apply", namespace: "default", force: false, file: "web.yaml", named: false, ...more });
  assert.equal(line({}), "kubectl apply --server-side --field-manager=kubeground-editor -f web.yaml");
  assert.equal(line({ force: true, namespace: "shop" }), "kubectl apply --server-side --field-manager=kubeground-editor --force-conflicts -n shop -f web.yaml");
  assert.equal(line({ how: "replace", force: true, named: true, namespace: "shop" }), "kubectl replace -f web.yaml");
  assert.equal(fileName(split(TWO)), "all.yaml");
  assert.equal(fileName(split(WEB)), "web.yaml");
  assert.equal(fileName([]), "new.yaml");
});

test("the editor of an object has an address, of the past and from it too", () => {
  const apps = { group: "apps", plural: "deployments" };
  const at = { ns: "shop", name: "web" };
  assert.equal(editorOf("demo", apps, at, { from: "12" }), "/clusters/demo/editor?kind=deployments.apps&namespace=shop&name=web&from=12");
  assert.equal(editorOf("demo", { group: "core", plural: "nodes" }, { ns: "", name: "n1" }, { rev: 3 }), "/clusters/demo/editor?kind=nodes&name=n1&rev=3");
});

test("a kind is found whatever its version", () => {
  const kinds = [["autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers.autoscaling", true], ["v1", "Node", "nodes", false]];
  assert.equal(resourceOf(kinds, { apiVersion: "autoscaling/v1", kind: "HorizontalPodAutoscaler" }).title, "horizontalpodautoscalers.autoscaling");
  assert.equal(resourceOf(kinds, { apiVersion: "v1", kind: "Pod" }), null);
});

test("every snippet is one whole document", () => {
  for (const { name, text } of SNIPPETS) {
    const found = split(text.replace(/\$\{\d+:([^}]*)\}/g, "$1"));
    assert.deepEqual([found.length, found[0].about.kind, found[0].errors], [1, name, []]);
    assert.ok(found[0].about.name, name);
  }
});

const SETTINGS = { how: "apply", namespace: "default" };
const refusal = (status, more) => Object.assign(new Error(more.message ?? ""), { status, ...more });

test("only what changed is asked for again", async () => {
  const sent = [];
  const checking = new Checking({ changed: () => {}, send: async ({ text }) => (sent.push(text), { result: "", warnings: [] }) });
  await checking.run(split(TWO), SETTINGS);
  await checking.run(split(TWO.replace("settings", "other")), SETTINGS);
  assert.equal(sent.length, 3);
  assert.equal(checking.of(split(WEB)[0], { ...SETTINGS, how: "create" }).state, "waiting", "another way is another question");
});

test("kinds that must say which revision they replace are tried and written with the newest", async () => {
  const asked = [];
  const refused = Object.assign(new Error("must be specified for an update"), { status: 422, causes: [{ field: "metadata.resourceVersion", reason: "FieldValueInvalid", message: "must be specified for an update" }] });
  const send = async ({ text }) => {
    asked.push(text.includes('resourceVersion: "9"'));
    if (!asked.at(-1)) throw refused;
    return { result: "", warnings: [] };
  };
  const boat = only("kind: Boat\napiVersion: h/v1\nmetadata:\n  name: argo\n");
  const replacing = { how: "replace", namespace: "shop" };
  const checking = new Checking({ send, changed: () => {}, newest: async () => "9" });
  await checking.run([boat], replacing);
  assert.deepEqual(asked, [false, true]);
  assert.equal(checking.of(boat, replacing).state, "good");
  const [good] = await write([boat], { ...replacing, forced: () => false, revisionOf: () => "", newest: async () => "9" }, send, () => {});
  assert.deepEqual([good.state, asked], ["good", [false, true, false, true]]);
  const [bad] = await write([boat], { ...replacing, forced: () => false, revisionOf: () => "", newest: async () => "" }, send, () => {});
  assert.deepEqual([bad.state, bad.error], ["bad", refused], "of what is not there, the API has the word");
});

test("with conflicts, the result is what it were if all were taken", async () => {
  const causes = [{ reason: "FieldManagerConflict", field: ".spec.replicas", message: 'conflict with "hpa"' }];
  const send = async ({ force }) => {
    if (!force) throw refusal(409, { causes });
    return { result: "taken", warnings: [] };
  };
  const checking = new Checking({ changed: () => {}, send });
  await checking.run(split(WEB), SETTINGS);
  const found = checking.of(only(WEB), SETTINGS);
  assert.deepEqual([found.state, found.result, found.conflicts[0].manager], ["owned", "taken", "hpa"]);
});

test("a cluster that does not answer is no mistake of the text", async () => {
  for (const why of [new TypeError("Failed to fetch"), refusal(503, { message: "The cluster worker does not answer" })]) {
    const checking = new Checking({ changed: () => {}, send: () => Promise.reject(why) });
    await checking.run(split(WEB), SETTINGS);
    assert.deepEqual([checking.of(only(WEB), SETTINGS).state, checking.of(only(WEB), SETTINGS).problems], ["unknown", []]);
  }
});

test("a refused document keeps the others from nothing", async () => {
  const send = async ({ text }) => {
    if (text.includes("Deployment")) throw refusal(403, { message: "forbidden" });
    return { outcome: "created" };
  };
  const states = [];
  const answers = await write(split(TWO), { ...SETTINGS, forced: () => false, revisionOf: () => "" }, send, (all) => states.push(all.map(({ state }) => state).join()));
  assert.deepEqual(answers.map(({ state }) => state), ["bad", "good"]);
  assert.equal(states[0], "busy,waiting");
});

test("a replaced object may have a new status, not a new text", async () => {
  const sent = [];
  const send = async ({ text }) => {
    sent.push(/resourceVersion: "(\d+)"/.exec(text)?.[1]);
    if (sent.length === 1) throw refusal(409, { code: "Conflict", message: "the object has been modified" });
    return { outcome: "replaced" };
  };
  const settings = { how: "replace", namespace: "default", forced: () => false, revisionOf: () => "7" };
  const [good] = await write(split(WEB), { ...settings, renewed: async () => "8" }, send, () => {});
  assert.deepEqual([good.state, sent], ["good", ["7", "8"]]);
  sent.length = 0;
  const [bad] = await write(split(WEB), { ...settings, renewed: async () => null }, send, () => {});
  assert.deepEqual([bad.state, sent], ["bad", ["7"]]);
});

/** Takes theirs at every place that both changed, the last one first or the first one. */
function takeAll(base, mine, theirs, order) {
  const { text, conflicts } = merge(base, mine, theirs);
  const editor = { text, merging: conflicts, base: { revision: 7 }, notes: {}, draw() {} };
  editor.code = { change: (from, to, lines) => (editor.text = editor.text.slice(0, from) + lines + editor.text.slice(to)) };
  for (const one of order([...conflicts])) settle(editor, one, true);
  return editor.text;
}

test("taking theirs takes it where it stands, in any order", () => {
  // The same line stands before, and several places are settled.
  const base = "x: 1\nk: a\ny: 1\nk: a\nz: 1\nk: a\nend: 1\n";
  const line = (text, n, to) => text.split("\n").map((one, i) => (i === n ? to : one)).join("\n");
  const mine = line(line(base, 3, "k: mine"), 5, "k: mine");
  const theirs = line(line(base, 3, "k: of them"), 5, "k: of others");
  for (const order of [(all) => all, (all) => all.reverse()]) assert.equal(takeAll(base, mine, theirs, order), theirs);
});

test("taking theirs where one side has no lines leaves none of the other", () => {
  const shorter = BASE.replace("c: 3\n", "");
  const other = BASE.replace("c: 3", "c: 30");
  assert.equal(takeAll(BASE, shorter, other, (all) => all), other);
  assert.equal(takeAll(BASE, other, shorter, (all) => all), shorter);
});
