// The dialog of an action: what it will touch, its options, the same with kubectl, and what came of it.
import { html, LitElement, nothing } from "lit";

import { post } from "../api.js";
import { Acting, Draining, drainOf } from "../list/acting.js";
import { fieldsOf } from "../list/forms.js";
import { actionCommands } from "../list/kubectl.js";
import { t } from "../texts.js";

// What cannot be made again by a controller, or takes much with it: the name is typed.
const GRAVE = new Set(["namespaces", "nodes", "customresourcedefinitions.apiextensions.k8s.io", "persistentvolumes", "persistentvolumeclaims"]);
const MANY = 20;
const PREVIEWED = new Set(["delete", "evict", "drain", "label", "annotate", "scale", "restart", "undo", "pause", "resume", "cordon", "uncordon", "suspend", "unsuspend", "trigger"]);

class ActionDialog extends LitElement {
  static properties = { cluster: {}, phase: { state: true }, tick: { state: true } };

  constructor() {
    super();
    this.phase = "closed";
    this.options = {};
    this.tick = 0;
    this.retryMs = 5000;
  }

  createRenderRoot() {
    return this;
  }

  get api() {
    return `/api/clusters/${this.cluster}`;
  }

  /** Opens the dialog for an action on objects of one kind. */
  async start(action, resource, targets) {
    Object.assign(this, { action, resource, targets, options: {}, plan: null, problem: "", acting: null, preview: null, typed: "" });
    this.phase = "plan";
    await this.updateComplete;
    const dialog = this.querySelector("dialog");
    if (!dialog.open) dialog.showModal();
    const wanted = this.action;
    try {
      const body = { action: action.name, resource, targets: targets.map(({ uid, namespace, name }) => ({ uid, namespace, name })) };
      const plan = await post(`${this.api}/actions/plan`, body);
      if (this.action !== wanted) return;
      this.plan = plan;
      this.options = { ...this.defaults(plan.form) };
    } catch (error) {
      this.problem = error.message;
      this.plan = { warnings: [], form: {} };
    }
    this.phase = "form";
    await this.updateComplete;
    this.querySelector("[data-first]")?.focus();
  }

  defaults(form) {
    // Where they have different numbers, none is proposed for all.
    const replicas = Number.isInteger(form.replicas) ? { replicas: form.replicas } : {};
    const revision = (form.revisions ?? []).find((one) => !one.current)?.revision;
    return {
      scale: replicas,
      trigger: { jobName: form.jobName },
      undo: revision ? { revision } : {},
      label: { pairs: [{ key: "", value: "", remove: false }] },
      annotate: { pairs: [{ key: "", value: "", remove: false }] },
      delete: { propagation: "Background" },
    }[this.action.name] ?? {};
  }

  set(changes) {
    this.options = { ...this.options, ...changes };
    this.preview = null;
    this.tick += 1;
  }

  /** The options as the API takes them. */
  get sent() {
    const { pairs, ...rest } = this.options;
    if (!pairs) return rest;
    const changes = Object.fromEntries(pairs.filter(({ key }) => key).map(({ key, value, remove }) => [key.trim(), remove ? null : value]));
    return { ...rest, changes };
  }

  get heading() {
    const { kind, plural } = this.resource;
    return t.act.title[this.action.name](t.act.what(this.targets.length, kind, plural, this.targets[0].name));
  }

  get word() {
    if (this.action.name !== "delete") return "";
    const title = this.resource.group ? `${this.resource.plural}.${this.resource.group}` : this.resource.plural;
    if (this.targets.length > MANY) return String(this.targets.length);
    return GRAVE.has(title) && this.targets.length === 1 ? this.targets[0].name : GRAVE.has(title) ? String(this.targets.length) : "";
  }

  get drain() {
    return this.action.name === "drain" ? drainOf(this.plan?.form.pods ?? [], this.options) : null;
  }

  get ready() {
    if (this.phase !== "form" || (this.word && this.typed !== this.word)) return false;
    if (this.drain?.blocked.length) return false;
    const { pairs, replicas, jobName, revision } = this.options;
    if (pairs) return Object.keys(this.sent.changes).length > 0;
    if (this.action.name === "scale") return Number.isInteger(replicas) && replicas >= 0;
    if (this.action.name === "trigger") return Boolean(jobName);
    return this.action.name !== "undo" || Boolean(revision);
  }

  make(dry) {
    const what = { api: this.api, action: this.action.name, resource: this.resource, options: this.sent, dry, texts: t.act, retryMs: this.retryMs, tell: () => (this.tick += 1) };
    return this.drain ? new Draining(what) : new Acting(what);
  }

  async lookAhead() {
    this.preview = this.make(true);
    await this.preview.run(this.targets, this.drain?.evict);
    this.tick += 1;
  }

  async go(targets = this.targets) {
    const { drain } = this;
    this.acting = this.make(false);
    this.preview = null;
    this.phase = "running";
    await this.acting.run(targets, drain?.evict);
    this.phase = "done";
    this.dispatchEvent(new CustomEvent("kp-acted", { bubbles: true, detail: { action: this.action.name, failed: this.acting.failed.length } }));
    await this.updateComplete;
    this.querySelector("[data-close-dialog]")?.focus();
  }

  close() {
    this.acting?.stop();
    this.querySelector("dialog").close();
  }

  closed() {
    this.acting?.stop();
    this.phase = "closed";
  }

  submit(event) {
    event.preventDefault();
    if (this.ready) this.go();
  }

  render() {
    return html`<dialog class="kp-action" aria-labelledby="action-title" @close=${() => this.closed()}>${this.phase === "closed" ? nothing : this.body()}</dialog>`;
  }

  body() {
    return html`<form @submit=${(event) => this.submit(event)} novalidate>
      <div class="kp-action-head"><h2 id="action-title">${this.heading}</h2></div>
      <div class="kp-action-body">
        ${this.targets.length > 1 ? this.names() : nothing}
        ${this.phase === "plan" ? html`<p class="kp-muted" role="status">${t.act.looking}</p>` : nothing}
        ${this.problem ? html`<div class="kp-note kp-bad" role="alert"><pre class="kp-verbatim">${this.problem}</pre></div>` : nothing}
        ${this.phase === "form" || this.phase === "plan" ? this.form() : nothing}
        ${this.commands()}
        ${this.preview ? this.outcomes(this.preview) : nothing}
        ${this.acting ? this.outcomes(this.acting) : nothing}
      </div>
      ${this.foot()}
    </form>`;
  }

  names() {
    const shown = this.targets.slice(0, 8);
    const spaces = new Set(this.targets.map((one) => one.namespace)).size > 1;
    return html`<p>${shown.map((one, i) => html`${i ? ", " : ""}<code>${spaces ? `${one.namespace}/` : ""}${one.name}</code>`)}${this.targets.length > shown.length ? html` ${t.act.more(this.targets.length - shown.length)}` : nothing}</p>`;
  }

  form() {
    if (!this.plan) return nothing;
    return html`${this.plan.warnings.map((one) => this.warning(one))}${fieldsOf(this)}
      ${this.word
        ? html`<div class="kp-field">
            <label for="action-word">${t.act.typeToConfirm(this.word)}</label>
            <input id="action-word" data-first autocomplete="off" spellcheck="false" .value=${this.typed} @input=${(event) => { this.typed = event.target.value.trim(); this.tick += 1; }} />
          </div>`
        : nothing}`;
  }

  warning({ level, text, items, more }) {
    return html`<div class="kp-note ${level === "bad" ? "kp-bad" : level === "warn" ? "kp-warn" : ""}" data-level-note=${level}>
      <p>${text}</p>
      ${items.length ? html`<ul>${items.map((one) => html`<li><code>${one}</code></li>`)}${more ? html`<li>${t.act.more(more)}</li>` : nothing}</ul>` : nothing}
    </div>`;
  }

  commands() {
    const lines = actionCommands(this.action.name, this.resource, this.targets, this.sent);
    return html`<div>
      <p class="kp-hint">${t.act.command}</p>
      <div class="kp-command"><pre id="action-command" tabindex="0">${lines.join("\n")}</pre><button type="button" class="kp-button" data-copy="#action-command">${t.objects.copy}</button></div>
    </div>`;
  }

  outcomes(acting) {
    const all = acting instanceof Draining ? this.drain.evict.length + this.targets.length : this.targets.length;
    const good = acting.count("good");
    const over = good + acting.count("bad");
    const running = acting === this.acting && this.phase === "running";
    const sum = acting.dry ? (good === all ? t.act.previewGood(all) : t.act.previewMixed(good, all)) : running ? t.act.progress(over, all) : t.act.finished(good, acting.outcomes.size);
    const list = [...acting.outcomes.values()];
    const shown = [...list.filter((one) => one.state !== "good"), ...list.filter((one) => one.state === "good")].slice(0, 200);
    return html`<div class="kp-result" role="status">
      <p>${sum}${!running && acting.left ? html` ${t.act.stopped(acting.left)}` : nothing}</p>
      ${running ? html`<progress max=${all} .value=${over} aria-label=${t.act.progress(over, all)}></progress>` : nothing}
    </div>
    <ul class="kp-outcomes" tabindex="0">${shown.map((one) => this.outcome(one, acting.dry))}${list.length > shown.length ? html`<li><span></span>${t.act.more(list.length - shown.length)}</li>` : nothing}</ul>`;
  }

  outcome({ target, state, text, audit }, dry) {
    const mark = { good: "✓", bad: "✗", waiting: "…" }[state];
    const link = audit && !dry ? html` <a href=${`/clusters/${this.cluster}/trace/${audit}`}>${t.act.trace}</a>` : nothing;
    return html`<li data-state=${state}><span aria-hidden="true">${mark}</span><span>${target.name}</span><span>${text || (dry && state === "good" ? t.act.accepted : "")}${link}</span></li>`;
  }

  foot() {
    if (this.phase === "running") {
      return html`<div class="kp-action-foot"><span class="kp-grow">${this.drain ? t.act.keepOpen : ""}</span><button type="button" class="kp-button" @click=${() => this.acting.stop()}>${t.act.stop}</button></div>`;
    }
    if (this.phase === "done") {
      const failed = this.acting.failed;
      return html`<div class="kp-action-foot"><span class="kp-grow"></span>
        ${failed.length && !this.drain ? html`<button type="button" class="kp-button" @click=${() => this.go(failed)}>${t.act.retry(failed.length)}</button>` : nothing}
        <button type="button" class="kp-button kp-primary" data-close-dialog @click=${() => this.close()}>${t.act.close}</button>
      </div>`;
    }
    const danger = ["delete", "drain", "evict"].includes(this.action.name);
    return html`<div class="kp-action-foot">
      ${PREVIEWED.has(this.action.name) ? html`<button type="button" class="kp-button" ?disabled=${this.phase === "plan"} @click=${() => this.lookAhead()}>${t.act.preview}</button>` : nothing}
      <span class="kp-grow"></span>
      <button type="button" class="kp-button" ?data-first=${danger && !this.word} @click=${() => this.close()}>${t.act.cancel}</button>
      <button type="submit" class="kp-button ${danger ? "kp-danger" : "kp-primary"}" ?data-first=${!danger && !HAS_FIELDS.has(this.action.name)} ?disabled=${!this.ready}>${this.heading}</button>
    </div>`;
  }
}

const HAS_FIELDS = new Set(["scale", "label", "annotate", "trigger", "undo"]);

customElements.define("kp-action", ActionDialog);
