// The editor's page: one text of one or more documents, what the cluster would say to it, and what it said.
import { LitElement } from "lit";

import { get, post } from "../api.js";
import { openPanel } from "../dock/open.js";
import { bind } from "../keys.js";
import { say, visit } from "../router.js";
import { t } from "../texts.js";
import { readState, writeState } from "../url.js";
import { Checking } from "./checking.js";
import { Code } from "./code.js";
import { at, split } from "./documents.js";
import * as drafts from "./drafts.js";
import { fileName } from "./kubectl.js";
import { inList } from "./lists.js";
import { Lives } from "./lives.js";
import { adopt, follow } from "./meanwhile.js";
import { page, VIEWS, WAYS } from "./page.js";
import { rangeOf, without } from "./paths.js";
import { Schemas } from "./schemas.js";
import { SNIPPETS } from "./snippets.js";
import * as twins from "./twins.js";
import { write } from "./writing.js";

const SETTLED = 500; // after the last key, the cluster is asked
const KEPT_AFTER = 300;
const LARGEST = 3 * 1024 * 1024;

class Editor extends LitElement {
  // `docked` has what a panel of the dock remembers, in place of the page's address.
  static properties = { config: { type: Object }, docked: { attribute: false }, tick: { state: true } };

  constructor() {
    super();
    this.sections = [];
    this.taken = new Map(); // document -> fields that the user takes from their owners
    this.answers = [];
    this.notes = {};
    this.merging = [];
    this.here = 0;
    this.busy = false;
    this.tick = 0;
  }

  createRenderRoot() {
    return this;
  }

  connectedCallback() {
    super.connectedCallback();
    const state = this.docked ?? readState();
    const { object, rev } = this.config;
    this.readOnly = rev !== null;
    this.live = object?.text === undefined ? null : object;
    // What is gone, with a text of the past to begin with.
    this.anew = object?.refused?.code === 404 && this.config.start !== undefined;
    this.standardHow = this.live ? "replace" : this.anew ? "create" : "apply";
    this.how = WAYS.includes(state.how) ? state.how : this.standardHow;
    this.view = VIEWS.includes(state.view) ? state.view : "";
    // Others may see the screen: values of Secrets are shown when asked for.
    this.concealed = Boolean(object?.secret && this.live);
    this.base = this.live && { text: object.text, revision: object.revision };
    this.draftKey = drafts.keyOf({ cluster: this.config.cluster, object, user: document.body.dataset.user, from: this.config.from });
    this.checking = new Checking({ send: (body, options) => this.send(body, options), newest: (section) => this.lives.newest(section), changed: () => this.marked() });
    this.lives = new Lives({ kinds: this.config.kinds, namespace: this.config.namespace, read: (place) => this.read(place), changed: () => this.draw() });
    this.schemas = new Schemas(this.config.cluster, get);
    const here = (run) => ({ run, when: () => !this.docked || this.contains(document.activeElement) });
    this.unbind = bind({ "editor.write": here(() => write(this)), "editor.next": here(() => this.code?.nextProblem()), "editor.save": here(() => this.download()) });
    this.closing = (event) => {
      this.keep();
      if (this.dirty) event.preventDefault();
    };
    window.addEventListener("beforeunload", this.closing);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.keep();
    this.unbind();
    this.checking.stop();
    this.following?.stop();
    this.elsewhere?.stop();
    clearTimeout(this.settling);
    clearTimeout(this.keeping);
    window.removeEventListener("beforeunload", this.closing);
    this.code?.destroy();
    this.code = null;
  }

  /** There is a text to show. */
  get shown() {
    return !this.concealed && (!this.config.object?.refused || this.anew);
  }

  firstUpdated() {
    if (this.shown) this.open(this.beginning());
    const { object, rev } = this.config;
    if (rev === null && object && object.refused?.code !== 403) follow(this);
  }

  /** What one begins with: what another editor here shows, what was written and not sent, else the object. */
  beginning() {
    const shown = twins.joined(this);
    if (shown !== undefined) return shown;
    const text = this.config.start ?? this.live?.text ?? "";
    const draft = this.readOnly ? null : drafts.find(this.draftKey);
    if (!draft || draft.text === text) return text;
    this.notes.draft = true;
    if (draft.base && this.live) {
      this.base = draft.base;
      if (draft.base.text !== this.live.text) this.notes.changed = { from: draft.base.revision, to: this.live.revision, by: this.live.manager };
    }
    return draft.text;
  }

  open(text) {
    const { object } = this.config;
    const label = object ? t.editor.textOf(object.kind, object.name) : t.editor.text;
    const host = this.querySelector(".kp-ed-code");
    this.code = new Code(host, { text, label, hint: this.readOnly ? "" : t.editor.hint, readOnly: this.readOnly, changed: () => this.edited(), moved: () => this.moved() });
    twins.quietly(this, () => this.edited());
    this.assist();
    if (object && !this.readOnly) twins.listen(this);
  }

  async assist() {
    const { code, schemas } = this;
    const { assistance, insertSnippet } = await import("./completing.js");
    if (code !== this.code) return;
    code.assist(assistance({ schemas, kinds: this.config.kinds, sections: () => this.sections }));
    // A link may bring what one begins with: ?snippet=Deployment.
    const first = !this.readOnly && !this.text.trim() && SNIPPETS.find(({ name }) => name === (this.docked ?? readState()).snippet);
    if (first) insertSnippet(code.view, first);
  }

  // --- what it knows ------------------------------------------------------------------------

  get text() {
    return this.code?.text ?? "";
  }

  get settings() {
    return { how: this.how, namespace: this.config.namespace };
  }

  /** Something is written here that the cluster has not. */
  get dirty() {
    return Boolean(this.code && !this.readOnly && this.text.trim() && this.text !== this.base?.text && this.text !== this.written);
  }

  get section() {
    return at(this.sections, this.here);
  }

  checked(section) {
    return this.checking.of(section, this.settings);
  }

  /** Fields that others own and about which nothing is decided. */
  undecided() {
    if (this.how !== "apply") return [];
    return this.sections.flatMap((section) => this.checked(section).conflicts.filter(({ path }) => !this.takes(section, path)));
  }

  nameOf({ about }) {
    return `${about.apiVersion} ${about.kind} ${about.namespace} ${about.name}`;
  }

  takes(section, path) {
    return this.taken.get(this.nameOf(section))?.has(path) ?? false;
  }

  /** The document, all of whose conflicts are decided. */
  forced(section) {
    return this.checked(section).conflicts.length > 0;
  }

  // --- what the user does -------------------------------------------------------------------

  edited() {
    this.sections = split(this.text);
    clearTimeout(this.settling);
    this.settling = setTimeout(() => this.check(), SETTLED);
    clearTimeout(this.keeping);
    this.keeping = setTimeout(() => this.keep(), KEPT_AFTER);
    if (!this.dirty) delete this.notes.draft;
    // What was refused was another text.
    this.answers = this.answers.filter(({ state }) => state !== "bad");
    this.said = "";
    this.merging = this.merging.filter(({ mine, from }) => this.text.slice(from, from + mine.length) === mine || this.text.includes(mine));
    this.moved();
    this.marked();
  }

  moved() {
    this.here = this.code.position;
    this.draw();
  }

  check() {
    clearTimeout(this.settling);
    if (this.readOnly || !this.code) return undefined;
    return this.checking.run(this.sections, this.settings);
  }

  keep() {
    if (this.readOnly || !this.code) return;
    if (this.dirty) drafts.save(this.draftKey, this.text, this.base);
    else drafts.forget(this.draftKey);
  }

  /** Keeps how one looks at the text: in the address, or with the panel. */
  remember(state) {
    if (this.docked) this.dispatchEvent(new CustomEvent("kp-panel-params", { bubbles: true, detail: { params: state } }));
    else writeState(state);
  }

  choose(name, value) {
    this[name] = value;
    this.remember({ [name]: value === (name === "how" ? this.standardHow : "") ? "" : value });
    if (name === "how") {
      this.check();
      this.marked();
    }
    this.draw();
  }

  /** Shows on their lines the problems of all documents. */
  marked() {
    if (!this.code) return;
    const found = this.sections.flatMap((section) => this.diagnostics(section));
    this.code.mark(found);
    this.draw();
  }

  diagnostics(section) {
    const { problems, conflicts } = this.checked(section);
    const owned = this.how === "apply" ? conflicts.filter(({ path }) => !this.takes(section, path)) : [];
    const all = [...problems, ...owned.map((one) => ({ ...rangeOf(section.doc, one.path), severity: "warning", message: one.words }))];
    return all.map((one) => ({ from: section.from + one.from, to: section.from + Math.max(one.to, one.from + 1), severity: one.severity, message: one.message }));
  }

  decide(section, path, take) {
    if (take) {
      const name = this.nameOf(section);
      this.taken.set(name, (this.taken.get(name) ?? new Set()).add(path));
    } else this.taken.get(this.nameOf(section))?.delete(path);
    this.marked();
  }

  /** Leaves a field to its owner: one's own text says nothing of it any more. */
  leave(section, path) {
    this.code.change(section.from, section.to, inList(section, without(section, path)));
    this.check();
  }

  go(offset) {
    this.code.go(offset);
  }

  async snippet(snippet, event) {
    event.target.closest("details").open = false;
    const { insertSnippet } = await import("./completing.js");
    insertSnippet(this.code.view, snippet);
  }

  async upload(input) {
    const [file] = input.files;
    input.value = ""; // the same file may be chosen again
    this.notes.file = "";
    if (!file) return;
    if (file.size > LARGEST) this.notes.file = t.editor.tooLarge(file.name);
    else {
      const text = await file.text();
      if (text.includes("\u0000") || text.includes("\ufffd")) this.notes.file = t.editor.notText(file.name);
      else this.append(text, file.name);
    }
    this.draw();
  }

  append(text, name) {
    const before = this.text.trim() ? `${this.text.replace(/\n*$/, "\n")}---\n` : "";
    this.code.replace(before + text.replace(/^---\n/, ""));
    say(t.editor.uploaded(name));
  }

  download() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([this.text], { type: "application/yaml" }));
    link.download = fileName(this.sections);
    link.click();
    URL.revokeObjectURL(link.href);
  }

  // --- what it asks the cluster -------------------------------------------------------------

  send(body, options) {
    return post(`/api/clusters/${this.config.cluster}/editor/document`, body, options);
  }

  answer(text) {
    this.said = text;
    say(text);
    this.draw();
  }

  /** The cluster is another one than it was when it was asked. */
  again() {
    const every = [this, ...twins.twinsOf(this)];
    for (const { checking, lives } of every) {
      checking.forget();
      lives.forget();
    }
    this.draw();
    for (const one of every) one.check();
  }

  read(place) {
    return get(`/api/clusters/${this.config.cluster}/editor/object?${new URLSearchParams(place)}`);
  }

  /** Its page opens with what was kept: there are not two of one text. */
  leaveDock() {
    this.keep();
    this.dispatchEvent(new CustomEvent("kp-panel-close", { bubbles: true }));
  }

  // --- how it looks -------------------------------------------------------------------------

  discardDraft() {
    drafts.forget(this.draftKey);
    this.discard();
  }

  /** Goes back to what is in the cluster; one step of undoing brings one's own text again. */
  discard() {
    adopt(this, this.live ?? { text: "", revision: "" });
  }

  reveal() {
    this.concealed = false;
    this.begin();
  }

  /** Begins the object that is not there. */
  startAnew() {
    const { object, kinds } = this.config;
    const [apiVersion] = kinds.find(([, , title]) => title === object.resource);
    const namespace = object.namespace ? `\n  namespace: ${object.namespace}` : "";
    this.config.start = `apiVersion: ${apiVersion}\nkind: ${object.kind}\nmetadata:\n  name: ${object.name}${namespace}\n`;
    this.anew = true;
    this.begin();
  }

  async begin() {
    this.draw();
    await this.updateComplete;
    this.open(this.beginning());
    this.code.view.focus();
  }

  pageOf({ page }) {
    return page + (this.readOnly ? `?rev=${this.config.rev}` : "");
  }

  traceOf(audit) {
    return `/clusters/${this.config.cluster}/trace/${encodeURIComponent(audit)}`;
  }

  /** The page of this editor; of another object of the same kind with a name. */
  addressOf(name = this.config.object?.name) {
    const { cluster, object, namespace } = this.config;
    const query = new URLSearchParams(this.docked ? { ns: namespace } : location.search);
    if (object) for (const [key, value] of Object.entries({ kind: object.resource, namespace: object.namespace, name })) query.set(key, value);
    return `/clusters/${encodeURIComponent(cluster)}/editor?${query}`;
  }

  /** Moves the text into the dock, where it stays while one looks at other pages. */
  async dock() {
    this.keep();
    const { object, namespace } = this.config;
    const params = object ? { kind: object.resource, namespace: object.namespace, name: object.name } : { ns: namespace };
    const { how, view } = readState();
    const at = object?.page ?? `/clusters/${this.config.cluster}/overview`;
    await visit(at);
    openPanel("editor", { ...params, ...(how && { how }), ...(view && { view }) });
  }

  /** The editor of the present, with a text of the past to begin with. */
  addressFrom(rev) {
    const query = new URLSearchParams(location.search);
    query.delete("rev");
    query.set("from", rev);
    return `?${query}`;
  }

  /** Returns what a pane beside the text shows: {text, before, label, words}, or why there is nothing. */
  pane(name) {
    const { section } = this;
    if (!section) return { none: t.editor.noDocument };
    const live = this.isOpened(section) ? this.live : this.lives.of(section);
    if (live === undefined) return { none: t.editor.states.busy };
    if (name === "live") return live ? { text: live.live, label: t.editor.live, words: t.editor.revision(live.revision) } : { none: t.editor.noLive };
    const { result } = this.checked(section);
    if (!result) return { none: this.readOnly ? t.editor.past : t.editor.noResult };
    return { text: result, before: live ? live.live : null, label: t.editor.result, words: this.against(live, result) };
  }

  against(live, result) {
    if (!live) return "";
    return live.live === result ? t.editor.same : t.editor.differs;
  }

  /** Tells whether a document is about the object that the address names. */
  isOpened(section) {
    const { object } = this.config;
    const place = object && this.lives.place(section);
    return Boolean(place) && place.kind === object.resource && place.name === object.name && place.namespace === object.namespace;
  }

  draw() {
    this.tick += 1;
    this.elsewhere?.tell(this.dirty);
    twins.show(this);
    if (this.docked) this.title();
  }

  /** The tab says whose text it is, and that it is not written yet. */
  title() {
    const said = `${this.config.object?.name ?? t.editor.title}${this.dirty ? " ●" : ""}`;
    if (said === this.titled) return;
    this.titled = said;
    this.dispatchEvent(new CustomEvent("kp-panel-title", { bubbles: true, detail: { title: said } }));
  }

  render() {
    return page(this);
  }

  /** Fills the panes beside the text, those that are shown. */
  async updated() {
    const hosts = [...this.querySelectorAll("[data-pane]")];
    if (!hosts.length) return;
    const { show } = await import("./compare.js");
    for (const host of hosts) {
      const shown = this.pane(host.dataset.pane);
      if (host.isConnected && shown.text !== undefined) show(host, shown);
    }
  }
}

customElements.define("kp-editor", Editor);
