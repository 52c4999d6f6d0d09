// What pages say when something is not as it should be, provoked where it is said.
import assert from "node:assert/strict";
import { test } from "node:test";

import { element, printed, said } from "./page.mjs";

import * as drafts from "../src/editor/drafts.js";
import { changedTo } from "../src/editor/meanwhile.js";
import { page } from "../src/editor/page.js";
import { parse as parsePods } from "../src/filter.js";
import { chooseKeys } from "../src/keys.js";
import { parse } from "../src/list/filter.js";
import { fieldsOf } from "../src/list/forms.js";
import { FRAMES, told } from "../src/list/frames.js";
import { notices } from "../src/list/parts.js";
import { Following } from "../src/logs/following.js";
import { note, problems } from "../src/problems.js";
import { Connection as TerminalConnection, GONE } from "../src/terminal/connection.js";
import { noteBar } from "../src/terminal/notes.js";
import { Connection } from "../src/topology/connection.js";
import * as topology from "../src/topology/notices.js";
import { Rights } from "../src/topology/rights.js";
import * as board from "../src/timeline/board.js";
import { headline } from "../src/trace/headline.js";
import { hopDetail } from "../src/trace/hoplist.js";
import "../src/command/kp-palette.js";
import "../src/dock/kp-events.js";
import "../src/editor/kp-editor.js";
import "../src/el/kp-clock.js";
import "../src/el/kp-connect.js";
import "../src/el/kp-keys-editor.js";
import "../src/el/kp-list.js";
import "../src/el/kp-logs.js";
import "../src/el/kp-object.js";
import "../src/el/kp-why.js";
import "../src/overview/kp-overview.js";
import "../src/timeline/kp-compare.js";
import "../src/timeline/kp-happened.js";
import "../src/timeline/kp-object-past.js";
import "../src/trace/kp-trace.js";

/** Answers requests with a refusal of the site, while a test runs. */
function refusing(t, message, status = 503) {
  t.mock.method(globalThis, "fetch", async () => Response.json({ error: { code: "x", message } }, { status }));
}

function unreachable(t) {
  t.mock.method(globalThis, "fetch", async () => {
    throw new TypeError("Failed to fetch");
  });
}

// -- lists -------------------------------------------------------------------------------------------

const COLUMNS = [{ name: "Name", first: true }, { name: "Status" }];

function list(fields = {}) {
  return {
    config: { cluster: "lab" },
    resource: { group: "", version: "v1", plural: "pods", kind: "Pod", namespaced: true },
    ns: "",
    q: "",
    rev: 7,
    command: "kubectl get pods -A",
    complete: false,
    view: [],
    model: { rows: new Map(), columns: COLUMNS },
    stream: { stop() {} },
    notices: new Map(),
    notice(name, what) {
      if (what) this.notices.set(name, what);
      else this.notices.delete(name);
    },
    live() {},
    ...fields,
  };
}

test("a list says what ended it", () => {
  const cases = [
    [4401, "Your session ended. What you see is the last state before that. Sign in again"],
    [4404, "This cluster was deleted. What you see is its last state. All clusters"],
  ];
  for (const [code, words] of cases) {
    const one = list();
    told(one, { name: "ended", code });
    assert.equal(said(notices(one)), words);
  }
});

test("a list says what the API refused", () => {
  const one = list({ ns: "prod" });
  FRAMES.error(one, { code: 403, text: "pods is forbidden" });
  assert.match(said(notices(one)), /^You may not list pods in prod\. pods is forbidden Ask for: get, list, watch on pods\./);
  const kind = list({ resource: { group: "harbour.example", plural: "boats", kind: "Boat" } });
  Object.assign(one, { complete: true, rev: 7 });
  FRAMES.error(one, { code: 403, text: 'User "ann" cannot watch resource "pods"' });
  assert.match(said(notices(one)), /^You may not watch pods in prod: this is how they were at rev 7\. Read again /);
  FRAMES.error(kind, { code: 404, text: "page not found" });
  assert.match(said(notices(kind)), /^The API refused, in its own words: page not found/);
  kind.model.rows.set("a", {});
  FRAMES.error(kind, { code: 404, text: "page not found" });
  assert.match(said(notices(kind)), /^The cluster serves no boats any more\. What you see is the last state\. page not found/);
});

test("a list says what cannot be reached and what it could not follow", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const one = list();
  FRAMES.status(one, { upstream: "down", text: "connection refused" });
  assert.equal(said(notices(one)), "The cluster worker does not answer. Nothing is lost; this list goes on when it is back. connection refused");
  FRAMES.status(one, { upstream: "ok" });
  FRAMES.gap(one, { skipped: 12, to: 99 });
  assert.equal(said(notices(one)), "This page could not keep up; 12 changes were skipped. Reloaded at rev 99.");
  t.mock.timers.tick(60_000);
  assert.equal(said(notices(one)), "");
});

test("a list says which part of a filter is none", () => {
  const parsedNow = parse("restarts>many", COLUMNS);
  const words = "“restarts>many” is no filter. Use app=web, !app, status:running, restarts>3, spec.nodeName=n1, or a part of a name.";
  assert.equal(said(notices(list({ parsedNow }))), words);
});

test("a list says why a filter was not saved", async (t) => {
  refusing(t, "You have 30 saved filters for this list.", 422);
  const one = element("kp-list", { config: { cluster: "lab", rev: null, resource: { group: "", plural: "pods" } }, ns: "", q: "", sortText: "", shown: null, saved: [] });
  assert.equal(await one.saveFilter("mine"), false);
  assert.equal(said(notices(one)), "The saved filters are as they were: You have 30 saved filters for this list.");
  t.mock.method(globalThis, "fetch", async () => Response.json({ items: [] }));
  assert.equal(await one.saveFilter("mine"), true);
  assert.equal(said(notices(one)), "");
});

test("without an earlier revision there is nothing to go back to, and a drain waits for what may be lost", () => {
  const dialog = { action: { name: "undo" }, options: {}, plan: { form: { revisions: [{ revision: 1, current: true }] } } };
  assert.equal(said(fieldsOf(dialog)), "There is no earlier revision to go back to.");
  const drain = { evict: [], daemons: 2, blocked: ["bare-0"] };
  const drained = said(fieldsOf({ action: { name: "drain" }, options: {}, plan: { form: { pods: [{ kind: "bare" }] } }, drain }));
  assert.match(drained, /^0 pods will be evicted\. 2 pods of DaemonSets stay\./);
  assert.match(drained, /Delete 1 pod that no controller makes again/);
  assert.match(drained, /Choose above what may be lost: until then the drain cannot begin\.$/);
});

// -- the topology ------------------------------------------------------------------------------------

const picture = (fields) => ({
  cluster: "lab",
  ns: "",
  query: "",
  notice: null,
  parsed: { bad: [] },
  store: { rev: 9, nodes: new Map(), pods: new Map() },
  getAttribute: (name) => ({ home: "/", objects: "/clusters/lab/objects", signin: "/sign-in", src: "/ws/" })[name],
  ...fields,
});

const refusal = (kind, text = `${kind} is forbidden`) => ({ op: "error", code: "forbidden", kind, text });

test("the topology says what the API refused, of all kinds at once, and of the past", (t) => {
  const chips = [];
  t.mock.method(globalThis, "dispatchEvent", ({ detail }) => chips.push(detail.text));
  const host = picture({ ready: true, lens: "nodes" });
  host.connection = new Connection(host);
  for (const kind of ["pods", "nodes", "jobs", "events"]) host.connection.receive(refusal(kind));
  assert.match(said(topology.render(host)), /^You may not list pods, nodes, jobs and 1 other kind in this cluster\. Ask for: .* on pods, nodes, jobs and 1 other kind\. Lists of one namespace may be open to you pods is forbidden Copy the RBAC rule ×$/);
  assert.match(host.notice.copy, /resources: \["pods", "nodes", "jobs", "events"\]/);
  assert.equal(said(topology.emptyState(host)), "Nothing is drawn here: you may not list pods.");
  host.notice = null;
  host.connection.receive(refusal("pods"));
  assert.equal(host.notice, null, "what was read and put away does not come again");
  host.store.rev = 0;
  host.connection.state = { name: "live" };
  host.connection.tellFreshness();
  assert.equal(chips.at(-1), "Forbidden");
  const past = picture({ past: true, rev: 12 });
  new Connection(past).receive({ op: "error", code: "past", text: "revision 12 was compacted" });
  assert.equal(said(topology.render(past)), "Revision 12 cannot be shown. The API says why: revision 12 was compacted ×");
});

test("the topology says what is read without being followed", (t) => {
  const chips = [];
  t.mock.method(globalThis, "dispatchEvent", ({ detail }) => chips.push(detail.text));
  const host = picture();
  const connection = new Connection(host);
  connection.state = { name: "live" };
  connection.receive(refusal("pods", 'pods is forbidden: User "ann" cannot watch resource "pods"'));
  assert.match(said(topology.render(host)), /^You may not watch pods: what you see of them is read again every few seconds\./);
  assert.equal(chips.at(-1), "Read at rev 9 · not followed");
});

test("an object that one may read and not follow says so", (t) => {
  const chips = [];
  t.mock.method(globalThis, "dispatchEvent", ({ detail }) => chips.push(detail.text));
  const page = element("kp-object", { kind: "Pod", plural: "pods", group: "", seen: 12, stream: { stop() {} } });
  page.receive({ op: "error", code: 403, text: "pods is forbidden" });
  assert.match(said(page.render()), /^You may not follow this Pod: what you see is how it was when the page was read\. Read again pods is forbidden/);
  page.seen = 0;
  page.tell({ name: "ended", code: 4403 });
  assert.deepEqual(chips, ["Read at rev 12 · not followed", "Forbidden"]);
});

test("who looks as somebody else breaks nothing, and opens the shells that those may open", async (t) => {
  t.mock.method(globalThis, "fetch", async () => Response.json({ actions: [], shell: { allowed: false, reason: "You may not do this. Ask for: create on pods/exec in prod." } }));
  const host = { cluster: "lab", viewing: "ann" };
  const asked = new Promise((resolve) => (host.requestUpdate = resolve));
  const rights = new Rights(host);
  assert.equal(rights.breaking, "You look as ann, and no right of Kubernetes is for breaking a cluster. Be yourself again to do it.");
  assert.equal(rights.shell("pods", "prod"), "");
  await asked;
  assert.equal(rights.shell("pods", "prod"), "You may not do this. Ask for: create on pods/exec in prod.");
  assert.equal(new Rights({ viewing: null }).shell("pods", "prod"), "");
});

test("the topology says what ended it, what it missed, and what it does not know", () => {
  const host = picture();
  const connection = new Connection(host);
  connection.streamState({ name: "ended", code: 4401 });
  assert.equal(said(topology.render(host)), "Your session ended. What you see is the last state before that. Sign in again ×");
  assert.equal(host.notice.link.href, "/sign-in?next=%2Fclusters%2Flab%2Fpage%3Fq%3D1");
  connection.streamState({ name: "ended", code: 4404 });
  assert.equal(said(topology.render(host)), "This cluster was deleted. What you see is its last state. All clusters ×");
  connection.receive({ op: "gap", skipped: 3, to: 12 });
  assert.equal(said(topology.render(host)), "This page could not keep up; 3 changes were skipped. Reloaded at rev 12. ×");
  host.notice = topology.missing("prod", "web-9");
  assert.equal(said(topology.render(host)), "No pod web-9 in prod. ×");
  host.notice = null;
  host.parsed = parsePods("restarts>many");
  assert.match(said(topology.render(host)), /^“restarts>many” is no filter\. Use app=web, -app=web, status:pending, node:worker-1/);
});

test("what the scheduler remembers, and a clock that cannot be changed", async (t) => {
  refusing(t, "gone fishing");
  const why = element("kp-why", { cluster: "lab", uid: "u", node: "n1" });
  await why.read();
  assert.match(said(why.render()), /What the scheduler remembers could not be read: gone fishing/);
  const clock = element("kp-clock", { cluster: "lab", clock: { seconds: 1, rate: 1, paused: false, ahead: 0 } });
  await clock.change({ action: "pause" });
  assert.match(said(clock.render()), /The clock could not be changed: gone fishing/);
});

// -- the overview and the timeline -------------------------------------------------------------------

test("the overview says what it could not read, and what it shows meanwhile", async (t) => {
  refusing(t, "gone fishing");
  const page = element("kp-overview", { cluster: "lab" });
  page.problem = new Error("gone fishing");
  assert.match(said(page.trouble()), /^The overview could not be read: gone fishing Try again/);
  page.found = { unseen: ["secrets"] };
  assert.match(said(page.trouble()), /^The site does not answer\. What you see is the last state; it is asked again every few seconds\. gone fishing/);
  assert.equal(said(page.unseen()), "You may not list secrets.");
  assert.equal(said(page.control({ control: null })), "You may not read what the control plane does. Ask for: get on the path /metrics.");
  page.refused = "namespaces is forbidden";
  assert.match(said(page.idle()), /It was not created: namespaces is forbidden$/);
});

test("the timeline says what it could not read, and that it shows a part", () => {
  const compared = element("kp-compare", { cluster: "lab", a: 1, b: 2, other: "" });
  compared.found = { a: 1, b: 2, more: true, other: "", items: [{ resource: "pods", namespace: "default", name: "web", kind: "changed" }] };
  assert.match(said(compared.list()), /Only the first 1 are shown\. Choose a namespace to see fewer\./);
});

test("the timeline says what one may not see of it, and that there may be more", () => {
  const text = 'pods is forbidden: User "ann" cannot list resource "pods"';
  const kinds = ["pods", "deployments.apps", "services", "secrets"];
  assert.equal(said(board.unseen({ unseen: null })), "");
  assert.equal(
    said(board.unseen({ unseen: { kinds, all: false, text } })),
    `Changes of pods, deployments.apps, services and 1 other kind are left out where you may not list them. Ask for: get, list, watch on pods, deployments.apps, services and 1 other kind. - apiGroups: ["*"] resources: ["pods", "deployments", "services", "secrets"] verbs: ["get", "list", "watch"] Copy the RBAC rule ${text}`,
  );
  assert.match(said(board.unseen({ unseen: { kinds, all: true, text } })), /^You may list no kind in all namespaces: only changes that you may list in one of them are shown\./);
  const happened = element("kp-happened", { rev: 9, oldest: 0, partly: true, facts: [], changes: [] });
  assert.match(said(happened.render()), /Nothing that you may see happened from 1 to 9\. .*There are no writes before this that you may see\.$/);
  const compared = element("kp-compare", { cluster: "lab", a: 1, b: 2, other: "", partly: true });
  compared.found = { a: 1, b: 2, more: false, other: "", items: [] };
  assert.match(said(compared.list()), /Nothing that you may see differs between 1 and 2\./);
});

test("what an object was before cannot always be read", async (t) => {
  refusing(t, "gone fishing");
  const past = element("kp-object-past", { cluster: "lab", object: "pods/default/web", fixed: true, writes: [{ revision: 7 }] });
  past.both = () => "its writes";
  await past.loadMore();
  assert.equal(said(past.render()), "The history could not be read: gone fishing its writes");
  past.fixed = false;
  past.wrong = "web";
  assert.match(said(past.render()), /“web” is no object\. Write resource\/namespace\/name, as in deployments\.apps\/default\/web/);
});

// -- the trace ---------------------------------------------------------------------------------------

const conflict = {
  auditID: "a", at: 100, seconds: 0.005, verb: "update", group: "apps", version: "v1", resource: "deployments", namespace: "prod", name: "web", subresource: "",
  user: "lea", userAgent: "kubectl/v1.36", code: 409, cause: [], wrote: [], webhooks: [], annotations: {}, details: null,
  stages: ["authentication", "authorization", "mutating admission", "validation", "refused"].map((name) => ({ name, micros: 9, outcome: "" })),
  refusal: { code: 409, message: "the object has been modified", revisions: { sent: "1190", stored: "1196" } },
};

test("a write that came too late leads to both revisions, and to another try", () => {
  const page = element("kp-trace", { cluster: "lab", editor: "/clusters/lab/editor" });
  const story = { nearest: null, because: [], totals: { pods: 0 } };
  const drawn = headline({ record: conflict, story, compare: null, link: (step) => page.link(step), onConflict: (...of) => page.onConflict(...of) });
  assert.match(said(drawn), /Someone saved first: you sent rev 1 190, the store has 1 196\. The API says \(store\): the object has been modified See rev 1190 See rev 1196 See both Retry on top$/);
  const object = "/clusters/lab/objects/apps/v1/deployments/prod/web";
  const links = [...printed(drawn).matchAll(/href=([^>]*)>/g)].map(([, href]) => href);
  assert.deepEqual(links, [
    `${object}?rev=1190`,
    `${object}?rev=1196`,
    "/clusters/lab/timeline?tab=compare&a=1190&b=1196&rev=1196&object=deployments.apps%2Fprod%2Fweb",
    "/clusters/lab/editor?kind=deployments.apps&namespace=prod&name=web",
  ]);
  page.editor = null; // who may only look is offered no other try
  assert.doesNotMatch(said(headline({ record: conflict, story, link: () => "", onConflict: (...of) => page.onConflict(...of) })), /Retry/);
});

test("the trace says what it could not read and what was not recorded", async (t) => {
  const page = element("kp-trace", { cluster: "lab" });
  refusing(t, "gone fishing", 404);
  await page.fetchStory("a-b-c");
  assert.match(said(page.told()), /^No request with the Audit-ID a-b-c is kept\. The last 1 000 of a cluster are\./);
  unreachable(t);
  await page.fetchStory("a-b-c");
  assert.match(said(page.told()), /^The site does not answer\. What you see is the last state; it is asked again when you choose a request\./);
  page.problem = "";
  await page.sample();
  assert.match(said(page.told()), /^The site does not answer\./);
  const detail = (details) => said(hopDetail({ hop: { name: "validation", state: "done", stages: [] }, record: { ...conflict, wrote: [{ revision: 1 }], details } }));
  assert.match(detail(null), /What this stage changed was not recorded\. Turn on “Record details”, then send the request again\.$/);
  assert.match(detail({ steps: [], more: 0 }), /It changed nothing\.$/);
  const step = { name: "preparation", micros: 9, changes: [{ path: "metadata.uid", before: null, after: "u" }] };
  page.following = { none: true };
  page.state.follow = true;
  assert.equal(said(page.narrowed()), "You have no terminal in this cluster. What you type in one is followed here. Open a terminal");
  assert.match(detail({ steps: [step], more: 4 }), /4 more changes were too large to keep\.$/);
});

// -- the editor --------------------------------------------------------------------------------------

function editor(fields = {}) {
  return element("kp-editor", { config: { cluster: "lab", object: null, rev: null, from: null, namespace: "default" }, readOnly: false, how: "apply", view: "", ...fields });
}

test("the editor says what may not be read and what is not there", () => {
  const object = { kind: "Deployment", name: "wbe", namespace: "prod", resource: "deployments.apps" };
  const refusedBy = (refused, more = {}) => said(page(editor({ config: { cluster: "lab", object: { ...object, refused, ...more }, rev: null } })));
  assert.match(refusedBy({ code: 403, message: "deployments.apps is forbidden" }), /You may not read deployments\.apps in prod\. Copy the RBAC rule deployments\.apps is forbidden$/);
  const missing = refusedBy({ code: 404, message: "not found" }, { closest: ["web", "web-2"] });
  assert.match(missing, /No deployment wbe in prod\. Closest: web, web-2\. Write wbe anew not found$/);
  assert.match(refusedBy({ code: 404, message: "not found" }, { namespace: "" }), /No deployment wbe\. Write wbe anew/);
});

test("the editor hides a Secret until one asks, and names what both changed", () => {
  const object = { kind: "Secret", name: "db", namespace: "prod", resource: "secrets" };
  const one = editor({ config: { cluster: "lab", object, rev: null }, concealed: true });
  assert.match(said(page(one)), /The values of this Secret stand in its text, in base64\. Others may see your screen\. Show and edit them$/);
  const both = editor({ merging: [{ mine: "a: 1", theirs: "a: 2", from: 0 }] });
  assert.match(said(page(both)), /1 place was changed by both\. Your text has yours: Yours a: 1 Theirs a: 2 Keep mine Take theirs/);
});

test("the editor takes no file that is none of text", async () => {
  const one = editor();
  one.draw = () => {};
  const choose = (name, bytes) => one.upload({ files: [new File([bytes], name)], value: name });
  await choose("photo.png", new Uint8Array([0x89, 0x50, 0x00, 0xff]));
  assert.match(said(page(one)), /photo\.png is no text\. Your text is as it was\./);
  await choose("all.yaml", new Uint8Array(3 * 1024 * 1024 + 1));
  assert.match(said(page(one)), /all\.yaml is larger than 3 MB, which no API server takes\. Your text is as it was\./);
});

test("the editor says when the cluster could not be asked, and that there is nothing to ask about", () => {
  const one = editor({ sections: [{ about: { kind: "Pod", name: "web" }, from: 0 }], code: { line: () => 1 } });
  one.checked = () => ({ state: "unknown", message: "gone fishing", problems: [], warnings: [], conflicts: [] });
  assert.match(said(page(one)), /The cluster could not be asked: gone fishing\. Your text is kept; it is asked again when you change it\./);
  assert.match(said(page(editor())), /There is nothing to write yet\./);
  assert.deepEqual(editor().pane("live"), { none: "Write a document first." });
});

/** An editor with a text, as far as its document knows of it. */
function writing(text, fields = {}) {
  const one = editor({ config: { cluster: "lab", object: { kind: "ConfigMap", name: "web", resource: "configmaps" }, rev: null, namespace: "default" }, draftKey: "web", how: "replace", ...fields });
  one.base = one.live = { text, revision: "7" };
  one.checking = { of: () => ({ state: "good", problems: [], warnings: [], conflicts: [] }), run() {}, forget() {} };
  one.lives = { forget() {}, place: () => null };
  one.code = {
    text,
    position: 0,
    mark() {},
    line: () => 1,
    replace(now) {
      if (now === this.text) return;
      this.text = now;
      one.edited();
    },
  };
  return one;
}

test("two editors of one object show one text, and what is decided about it", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const [above, docked, other] = [writing("a: 1\n"), writing("a: 1\n", { docked: {} }), writing("b: 1\n", { draftKey: "api" })];
  t.mock.method(globalThis.document, "querySelectorAll", () => [above, docked, other]);
  t.mock.method(globalThis.document, "querySelector", () => null);
  docked.dispatchEvent = () => {};
  above.code.replace("a: 2\n");
  assert.deepEqual([docked.text, docked.dirty, other.text], ["a: 2\n", true, "b: 1\n"]);
  assert.match(said(page(docked)), /There is text here that the cluster has not\./);
  docked.merging = [{ mine: "a: 2", theirs: "a: 3", from: 0 }];
  docked.choose("how", "apply");
  assert.match(said(page(above)), /1 place was changed by both\./);
  assert.equal(above.how, "apply");
  docked.discard();
  assert.deepEqual([above.text, above.dirty, above.merging], ["a: 1\n", false, []]);
  changedTo(above, { text: "a: 9\n", revision: "9", manager: "helm" });
  assert.match(said(page(docked)), /Shows revision 9 now, by helm\. You had changed nothing\./);
});

test("a document says for which other one it waits", () => {
  const about = (kind, name) => ({ about: { kind, name }, from: 0 });
  const one = editor({ sections: [about("Namespace", "shop"), about("Pod", "web")], code: { line: () => 1 } });
  one.checked = ({ about: { kind } }) => ({ state: kind === "Pod" ? "later" : "good", waits: { kind: "Namespace", name: "shop" }, problems: [], warnings: [], conflicts: [] });
  assert.match(said(page(one)), /Is checked once Namespace shop exists, which stands in this text too\./);
});

test("an editor says that another tab has changes, and shows what it takes by force once one has chosen so", () => {
  const one = writing("a: 1\n", { how: "apply", changedElsewhere: true });
  assert.match(said(page(one)), /Another tab of your browser has changes to web that are not written yet\. Each tab has its own text; once one is written, the other can merge\./);
  one.sections = [{ about: { apiVersion: "v1", kind: "ConfigMap", namespace: "", name: "web" }, from: 0, to: 5 }];
  one.checking.of = () => ({ state: "owned", problems: [], warnings: [], conflicts: [{ path: ".data.a", manager: "helm", words: "" }] });
  const command = () => /kubectl apply .*? -f \S+/.exec(said(page(one)))[0];
  assert.equal(command(), "kubectl apply --server-side --field-manager=kubeground-editor -f web.yaml");
  one.taken.set(one.nameOf(one.section), new Set([".data.a"]));
  assert.equal(command(), "kubectl apply --server-side --field-manager=kubeground-editor --force-conflicts -f web.yaml");
});

// -- logs and events ---------------------------------------------------------------------------------

test("logs say what holds them up and what they leave out", () => {
  const view = element("kp-logs", { pods: "web-0,web-1", total: 40 });
  view.following = new Following({ src: "/logs/", ns: "default", pods: view.names, container: "", previous: false, since: "" }, () => {});
  view.set({ grep: "/(a+)+/" });
  assert.equal(said(view.notes()), "/(a+)+/ repeats a repetition, which could take for ever. Write it without one of them.");
  view.set({ grep: "/(/" });
  assert.equal(said(view.notes()), "/(/ is no pattern.");
  view.set({ grep: "" });
  assert.match(said(view.counts()), /Following 2 of 40 pods: a browser is no log store\./);
  view.following.state("web-0", { name: "lost" });
  view.following.state("web-1", { name: "ended", code: 4401 });
  assert.equal(said(view.notes()), "Connection lost. Reconnecting… Your session ended. What you see is the last state before that.");
  view.following.lines.dropped = 3;
  assert.match(said(view.counts()), /3 older lines were let go to keep memory small\./);
});

test("the events say why none come", () => {
  const view = element("kp-events", { cluster: "lab", complete: true, stream: { stop() {} } });
  assert.match(said(view.render()), /Nothing has happened here in the last hour: Kubernetes keeps events no longer\.$/);
  view.receive({ op: "status", upstream: "down", text: "refused" });
  assert.match(said(view.render()), /The cluster worker does not answer\. New events appear when it is back\. refused/);
  view.tell({ name: "lost" });
  assert.match(said(view.render()), /Connection lost\. Reconnecting…/);
  view.tell({ name: "ended", code: 4404 });
  assert.match(said(view.render()), /This cluster was deleted\./);
  view.tell({ name: "ended", code: 4401 });
  assert.match(said(view.render()), /Your session ended\./);
});

test("a browser that keeps nothing shows the pages all the same", (t) => {
  const get = () => {
    throw new Error("forbidden");
  };
  Object.defineProperty(globalThis, "sessionStorage", { get, configurable: true });
  t.after(() => Object.defineProperty(globalThis, "sessionStorage", { value: null, configurable: true }));
  note("lab", { what: "delete pods/web", text: "refused" });
  assert.deepEqual(problems("lab"), []);
  drafts.save("a text", "kind: Pod", null);
  assert.equal(drafts.find("a text").text, "kind: Pod");
  drafts.forget("a text");
  assert.equal(drafts.find("a text"), null);
});

// -- terminals ---------------------------------------------------------------------------------------

function terminal(note) {
  return { kind: "shell", note, again() {} };
}

test("a terminal says how it is", () => {
  const cases = [
    [{ name: "lost", at: "09:41:07", tries: 3 }, "Connection lost at 09:41:07. Your shell is still running. Reconnecting… (3)"],
    [{ name: "back", missed: 0 }, "Reconnected. Nothing was lost."],
    [{ name: "back", missed: 300_000 }, "Reconnected. 293 KB of output are missing: another page read on."],
    [{ name: "full" }, "The program reads nothing just now, so what you typed last was dropped."],
    [{ name: "exit", code: null }, "The shell ended (exit unknown). New shell"],
    [{ name: "exit", code: 5 }, "The shell ended with exit code 5. New shell"],
    [{ name: "exit", code: null, why: "The cluster was deleted." }, "This shell was ended. The cluster was deleted. New shell"],
    [{ name: "failed", text: "no memory" }, "The terminal did not start: no memory Try again"],
  ];
  for (const [note, words] of cases) assert.equal(said(noteBar(terminal(note))), words);
});

test("a terminal says what ended it for good", () => {
  const cases = [
    [GONE, true, "The server restarted, so this shell ended (exit unknown). New shell"],
    [GONE, false, "This shell has ended (exit unknown). New shell"],
    [4404, true, "This cluster was deleted. What you see is its last state. All clusters"],
    [4401, true, "Your session ended. What you see is the last state before that. Sign in again"],
  ];
  for (const [code, wasOpen, words] of cases) {
    const heard = [];
    const connection = new TerminalConnection("ws://lab/", { state: (state) => heard.push(state) });
    connection.socket = { close() {} };
    connection.seq = wasOpen ? 12 : null;
    connection.closed(connection.socket, code);
    assert.equal(said(noteBar(terminal(heard[0]))), words);
  }
});

test("a shell without a sandbox is asked for with open eyes", () => {
  const offer = { why: "This machine lacks bwrap.", install: "apt-get install bubblewrap" };
  const words = said(noteBar(terminal({ name: "plain", offer })));
  assert.match(words, /^This shell would run without a sandbox It would be an ordinary shell of the user who runs this server/);
  assert.match(words, /Why there is no sandbox: This machine lacks bwrap\. What to install for one: apt-get install bubblewrap/);
});

// -- the palette and the settings --------------------------------------------------------------------

test("the palette says what it does not know and what it could not ask", async (t) => {
  const world = { cluster: "lab", clusters: [{ name: "lab" }], pages: [], kinds: [{ plural: "pods", kind: "Pod", namespaced: true, short: ["po"], group: "", version: "v1" }], namespaces: [] };
  const palette = element("kp-palette", { world, query: ":cluster attic" });
  assert.equal(said(palette.line()), "There is no cluster attic.");
  palette.query = ":boats";
  assert.match(said(palette.line()), /^lab has no kind boats\./);
  refusing(t, "gone fishing");
  t.mock.method(globalThis.document, "querySelector", (selector) => (selector === "kp-dock" ? { getAttribute: () => "lab" } : null));
  await palette.look("web");
  assert.equal(said(palette.line()), "The search did not work: gone fishing");
  palette.querySelector = () => ({ open: true, focus() {}, setSelectionRange() {} });
  await palette.open(":");
  assert.equal(said(palette.line()), "The kinds of the cluster could not be read: gone fishing");
});

test("keys that were not kept hold on this page", async (t) => {
  refusing(t, "gone fishing");
  const editor = element("kp-keys-editor");
  await editor.keepAll({});
  assert.match(said(editor.render()), /The keys hold on this page, but were not kept: gone fishing/);
  chooseKeys({ "objects.yaml": ["d"] });
  t.after(() => chooseKeys({}));
  assert.match(said(editor.row("objects.yaml")), /Also: Summary of the object\. The page's own action comes first\./);
  editor.query = "no such action";
  assert.match(said(editor.render()), /No action and no key matches no such action\./);
});

test("who waits for a first request hears that the site does not answer", async (t) => {
  unreachable(t);
  const line = { dataset: {} };
  const connect = element("kp-connect", { isConnected: false, getAttribute: () => "/first", querySelector: () => line });
  await connect.ask();
  assert.equal(line.textContent, "The site does not answer; asking again.");
});
