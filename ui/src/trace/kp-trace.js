// The trace page: requests as they end, one of them on its way through the cluster, and what came of it.
//
// What is shown stands in the address: the request in its path, filters, hop, speed and comparison
// behind it.
import { html, LitElement, nothing } from "lit";

import { bind } from "../keys.js";
import { connection, live } from "../el/kp-freshness.js";
import { Stream } from "../stream.js";
import { t } from "../texts.js";
import { openPanel } from "../dock/open.js";
import { comparison } from "./compare.js";
import { chief, Following } from "./following.js";
import { headline } from "./headline.js";
import { hopDetail, hopList, isHop } from "./hoplist.js";
import { hopsOf, routeOf, stopOf } from "./hops.js";
import { requestList } from "./list.js";
import { picture } from "./picture.js";
import { Player } from "./player.js";
import { addressOf, filterOf, isNarrowed, readAddress, writeAddress } from "./state.js";
import { filterBar, playBar } from "./toolbar.js";
import { waterfall } from "./waterfall.js";

const KEPT = 300;
// What came of a request grows for a while: it is read again, ever less often, until nothing is new.
const AGAIN = [300, 600, 1200, 2500, 5000, 10_000, 20_000];
const OTHERS = 20;

class TracePage extends LitElement {
  static properties = {
    cluster: {},
    auditId: { attribute: "audit-id" },
    sampleAt: { attribute: "sample" },
    // Where an object is edited; absent for who may change nothing.
    editor: {},
    items: { state: true },
    skipped: { state: true },
    story: { state: true },
    other: { state: true },
    problem: { state: true },
    state: { state: true },
    tick: { state: true },
  };

  constructor() {
    super();
    this.items = null;
    this.skipped = 0;
    this.story = this.other = null;
    this.problem = "";
    this.state = readAddress();
    this.tick = 0;
    this.choosing = false;
    this.calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.player = new Player({ changed: () => (this.tick += 1) });
  }

  createRenderRoot() {
    return this;
  }

  connectedCallback() {
    super.connectedCallback();
    this.player.speed = this.state.speed;
    this.stream = new Stream(`/ws/clusters/${this.cluster}/traces/`, {
      hello: () => ({ after: this.count ?? null, filter: this.filter, details: this.state.details }),
      frame: (frame) => this.take(frame),
      state: (state) => this.connection(state),
    });
    this.stream.start();
    this.following = new Following(this.cluster);
    if (this.state.follow) this.learn();
    this.unbind = bind({
      "trace.play": () => this.playOrStep(),
      "trace.step": () => this.step(),
      "trace.explain": () => this.explain(),
      "trace.newer": () => this.move(-1),
      "trace.older": () => this.move(1),
    });
    this.onTraverse = (event) => this.traverse(event);
    this.onNamespace = (event) => {
      event.preventDefault();
      this.changeFilter({ namespace: event.detail.ns });
    };
    window.addEventListener("kp-traverse", this.onTraverse);
    window.addEventListener("popstate", this.onTraverse);
    window.addEventListener("kp-namespace", this.onNamespace);
    if (this.auditId) this.open(this.auditId, { silent: true });
    if (this.state.compare) this.compareWith(this.state.compare);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.stream.stop();
    this.player.halt();
    clearTimeout(this.again);
    this.unbind();
    window.removeEventListener("kp-traverse", this.onTraverse);
    window.removeEventListener("popstate", this.onTraverse);
    window.removeEventListener("kp-namespace", this.onNamespace);
  }

  // -- what comes ---------------------------------------------------------------------------------

  get filter() {
    return filterOf(this.state);
  }

  take(frame) {
    if (frame.op === "error") return this.complain(frame.text);
    if (frame.op === "status") return live(this.rev, this.stream);
    if (frame.op !== "snapshot" && frame.op !== "batch") return undefined;
    this.count = frame.count;
    this.rev = frame.rev;
    this.skipped = frame.op === "snapshot" ? 0 : frame.skipped;
    this.items = frame.op === "snapshot" ? frame.items : [...frame.items, ...this.items].slice(0, KEPT);
    live(this.rev, this.stream);
    if (frame.op === "batch" && frame.items.length) this.arrived(frame.items);
    return undefined;
  }

  connection(state) {
    if (state.name !== "beat") connection(state, this.rev);
    else live(this.rev, this.stream);
  }

  async arrived(items) {
    const typed = this.state.follow ? await this.typed(items) : null;
    if (typed) this.open(typed.auditID, { play: true });
    this.passing = items.slice(0, OTHERS).filter((item) => item !== typed);
    clearTimeout(this.passed);
    this.passed = setTimeout(() => {
      this.passing = [];
      this.tick += 1;
    }, 1500);
  }

  /** The one of some requests that a command in one's own terminal was about. */
  async typed(items) {
    try {
      const found = chief(await this.following.own(items), this.story?.root);
      if (found) this.tick += 1; // there is a terminal, whatever was said before
      return found;
    } catch {
      return null; // the site does not answer: the stream tells of that
    }
  }

  async learn() {
    await this.following.learn().catch(() => {});
    this.tick += 1;
  }

  setFollow(follow) {
    this.change({ follow });
    if (follow) this.learn();
  }

  complain(text) {
    this.problem = text;
  }

  // -- the request that is shown -------------------------------------------------------------------

  async open(id, { silent = false, play = false } = {}) {
    if (!id) return;
    this.problem = "";
    if (this.choosing) {
      this.choosing = false;
      await this.compareWith(id);
      return;
    }
    clearTimeout(this.again);
    if (id !== this.auditId) this.story = null;
    this.auditId = id;
    if (!silent) writeAddress(this.cluster, id, this.state);
    await this.read(0);
    if (this.story && (play || !this.calm)) this.player.play();
  }

  async read(tries) {
    const id = this.auditId;
    const found = await this.fetchStory(id);
    if (id !== this.auditId || !this.isConnected) return;
    if (!found) return;
    const before = this.story?.steps.length ?? -1;
    this.story = found;
    this.show(before < 0);
    const fresh = found.steps.length > before || found.totals.running < found.totals.pods;
    if (fresh && tries < AGAIN.length && found.root.wrote.length) {
      this.again = setTimeout(() => this.read(tries + 1), AGAIN[tries]);
    }
  }

  async fetchStory(id) {
    try {
      const answer = await fetch(`/api/clusters/${this.cluster}/traces/${encodeURIComponent(id)}`);
      if (answer.ok) return await answer.json();
      this.problem = answer.status === 404 ? t.trace.notKept(id) : ((await answer.json()).error?.message ?? t.trace.unreachable);
    } catch {
      this.problem = t.trace.unreachable;
    }
    return null;
  }

  show(first) {
    this.hops = hopsOf(this.story.root, this.story);
    const route = routeOf(this.hops);
    if (first) {
      this.player.load(this.hops, route);
      this.state = { ...this.state, hop: this.hopToShow() };
    } else {
      this.player.extend(this.hops, route);
    }
  }

  /** Returns where to look first: where it was stopped, or where one has looked before, if there is something. */
  hopToShow() {
    const { hop } = this.state;
    const idle = isHop(hop) && this.hops.find((one) => one.name === hop).state === "idle";
    return stopOf(this.story.root) ?? (idle ? "" : hop);
  }

  async compareWith(id) {
    const found = await this.fetchStory(id);
    if (!found) return;
    this.other = found.root;
    this.change({ compare: id });
  }

  // -- what people do -------------------------------------------------------------------------------

  change(changes) {
    this.state = { ...this.state, ...changes };
    writeAddress(this.cluster, this.auditId, this.state, { replace: true });
  }

  changeFilter(changes) {
    this.change(changes);
    this.refilter();
  }

  refilter() {
    this.items = null;
    this.stream.send({ op: "filter", filter: this.filter });
  }

  setSpeed(speed) {
    this.player.speed = speed;
    this.player.halt();
    this.change({ speed });
  }

  setDetails(details) {
    this.change({ details });
    this.stream.send({ op: "details", on: details });
  }

  playOrStep() {
    if (!this.story) return;
    if (this.state.speed === "step") this.step();
    else this.player.play();
  }

  step() {
    if (!this.story) return;
    this.player.step();
    const hop = this.player.route[this.player.at];
    this.change({ hop });
  }

  explain() {
    this.change({ explain: !this.state.explain });
  }

  choose(hop) {
    this.change({ hop: this.state.hop === hop ? "" : hop });
  }

  move(by) {
    const at = (this.items ?? []).findIndex((item) => item.auditID === this.auditId);
    const next = this.items?.[Math.max(0, Math.min(at + by, this.items.length - 1))];
    if (!next || next.auditID === this.auditId) return;
    this.open(next.auditID);
    this.querySelector(`.kp-requests [data-id="${CSS.escape(next.auditID)}"]`)?.scrollIntoView({ block: "nearest" });
  }

  traverse(event) {
    const found = readAddress(event.detail?.url ?? location);
    if (found.cluster !== this.cluster) return;
    event.preventDefault();
    const before = JSON.stringify(this.filter);
    this.state = found;
    if (JSON.stringify(this.filter) !== before) this.refilter();
    if (found.id && found.id !== this.auditId) this.open(found.id, { silent: true });
  }

  async sample() {
    this.sending = true;
    this.tick += 1;
    try {
      const token = JSON.parse(document.body.getAttribute("hx-headers:inherited") ?? "{}")["X-CSRFToken"] ?? "";
      const answer = await fetch(this.sampleAt, { method: "POST", headers: { "X-CSRFToken": token } });
      const found = await answer.json();
      if (!answer.ok) this.problem = found.error?.message ?? found.error;
      else await this.open(found.auditID, { play: true });
    } catch {
      this.problem = t.trace.unreachable;
    }
    this.sending = false;
    this.tick += 1;
  }

  /** Returns where an object is shown, as it was at the revision that was written. */
  link(step) {
    if (step.kind === "decision") return `/clusters/${this.cluster}/objects/core/v1/pods/${step.pod}`;
    if (step.kind === "step") {
      const at = step.revision ? `?rev=${step.revision}` : "";
      return `/clusters/${this.cluster}/objects/core/v1/pods/${step.pod}${at}`;
    }
    if (!step.resource || !step.name || step.subresource === "token") return "";
    const rev = step.revisions?.length ? `?rev=${step.revisions[0]}` : "";
    return `/clusters/${this.cluster}/objects/${step.group || "core"}/${step.version}/${step.resource}/${step.namespace || "-"}/${step.name}${rev}`;
  }

  /** Returns where both sides of a conflict are compared, and where the change is made again. */
  onConflict({ group, resource, namespace, name }, sent, stored) {
    const kind = group ? `${resource}.${group}` : resource;
    const both = `/clusters/${this.cluster}/timeline?${new URLSearchParams({ tab: "compare", a: sent, b: stored, rev: stored, object: `${kind}/${namespace || "-"}/${name}` })}`;
    const again = this.editor && `${this.editor}?${new URLSearchParams({ kind, namespace, name })}`;
    return { both, again };
  }

  // -- drawing --------------------------------------------------------------------------------------

  render() {
    return html`
      ${filterBar({ filter: this.filter, change: (changes) => this.changeFilter(changes) })}
      ${this.play()}
      <div class="kp-way-frame" role="group" tabindex="0" aria-label=${t.trace.hopByHop}>${this.way()}</div>
      <div class="kp-trace-body">
        <section class="kp-trace-list" aria-label=${t.trace.requestsList}>${this.narrowed()}${this.list()}</section>
        <section class="kp-trace-story" aria-live="off">${this.told()}</section>
      </div>
    `;
  }

  play() {
    return playBar({
      speed: this.state.speed,
      setSpeed: (speed) => this.setSpeed(speed),
      play: () => this.playOrStep(),
      step: () => this.step(),
      ready: Boolean(this.story),
      follow: this.state.follow,
      setFollow: (follow) => this.setFollow(follow),
      details: this.state.details,
      setDetails: (details) => this.setDetails(details),
      openId: (id) => this.open(id),
      sample: this.sampleAt && !this.sending ? () => this.sample() : null,
    });
  }

  /** Says what is followed or shown alone, where one may wonder why so little is there. */
  narrowed() {
    const { terminal, session, follow } = this.state;
    if (terminal || session) {
      const all = () => this.changeFilter({ terminal: "", session: "" });
      return html`<p class="kp-trace-narrowed" role="status">${session ? t.trace.oneRun : t.trace.oneTerminal} <button type="button" class="kp-link" @click=${all}>${t.trace.listAll}</button></p>`;
    }
    if (!follow || !this.following?.none) return nothing;
    const open = () => openPanel("terminal");
    return html`<p class="kp-trace-narrowed" role="status">${t.trace.noTerminal} <button type="button" class="kp-link" @click=${open}>${t.trace.openTerminal}</button></p>`;
  }

  way() {
    const hops = this.story ? this.hops : hopsOf({ stages: [], annotations: {}, seconds: 0, verb: "" }).map((hop) => ({ ...hop, state: "idle" }));
    const { route, at, part } = this.player;
    const place = this.story && route.length ? { name: route[at], next: part ? route[at + 1] : null, part } : null;
    const others = (this.calm ? [] : (this.passing ?? [])).map((item) => ({ name: stopOf(item) ?? (item.wrote.length ? "watch" : "store"), part: 0 }));
    return picture({ hops, selected: this.state.hop, place, others, choose: (hop) => this.story && this.choose(hop) });
  }

  list() {
    if (!this.items) return html`<p class="kp-muted kp-pad">${t.loading}</p>`;
    if (!this.items.length) return this.empty();
    const open = {
      address: (id) => addressOf(this.cluster, id, this.state),
      click: (event, id) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        this.open(id);
      },
    };
    return requestList({ items: this.items, selected: this.auditId, open, skipped: this.skipped });
  }

  empty() {
    if (this.state.object) return this.nothingAbout(this.state.object);
    if (isNarrowed(this.state)) return html`<p class="kp-pad kp-muted">${t.trace.noneMatches}</p>`;
    return html`<div class="kp-pad kp-empty">
      <p><strong>${t.trace.noneTitle}</strong></p>
      <p>${t.trace.none} ${this.sampleAt ? html`<button type="button" class="kp-link" @click=${() => this.sample()}>${this.sending ? t.trace.sendingSample : t.trace.sendSample}</button>` : nothing}.</p>
    </div>`;
  }

  /** Requests are forgotten sooner than what they wrote. */
  nothingAbout(object) {
    const history = object.split("/").length === 3 ? html`<p><a href="/clusters/${this.cluster}/timeline?object=${encodeURIComponent(object)}">${t.trace.itsHistory}</a></p>` : nothing;
    return html`<div class="kp-pad kp-empty"><p>${t.trace.noneAbout} <code>${object}</code></p><p class="kp-muted">${t.trace.historyTells}</p>${history}</div>`;
  }

  told() {
    const problem = this.problem ? html`<div class="kp-note kp-bad" role="alert"><p>${this.problem}</p></div>` : nothing;
    if (!this.story) return html`${problem}<p class="kp-muted kp-pad">${this.auditId && !this.problem ? t.trace.loading : t.trace.choose}</p>`;
    const record = this.story.root;
    const hop = this.hops.find((one) => one.name === this.state.hop);
    return html`${problem}
      ${headline({ record, story: this.story, compare: () => this.startChoosing(), link: (step) => this.link(step), onConflict: (...about) => this.onConflict(...about) })}
      ${this.choosing ? html`<p class="kp-note kp-info" role="status">${t.trace.chooseOther}</p>` : nothing}
      ${this.other ? comparison({ one: record, other: this.other, stop: () => this.stopComparing() }) : nothing}
      <div class="kp-story-columns">
        <section aria-labelledby="hops-title">
          <h3 id="hops-title">${t.trace.hopByHop}</h3>
          ${hopList({ hops: this.hops, selected: this.state.hop, choose: (name) => this.choose(name) })}
        </section>
        <div class="kp-story-right">
          ${hop ? hopDetail({ hop, record, explained: this.state.explain, explain: () => this.explain() }) : nothing}
          <section aria-labelledby="fall-title">
            <h3 id="fall-title">${t.trace.waterfall}</h3>
            ${waterfall({ story: this.story, all: this.state.all, toggle: () => this.change({ all: !this.state.all }), link: (step) => this.link(step) })}
          </section>
        </div>
      </div>`;
  }

  startChoosing() {
    this.choosing = true;
    this.tick += 1;
  }

  stopComparing() {
    this.other = null;
    this.change({ compare: "" });
  }
}

customElements.define("kp-trace", TracePage);
