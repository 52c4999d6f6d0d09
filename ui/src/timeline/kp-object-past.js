// One object through time: its writes with what each changed, and who wrote which line.
import { html, LitElement, nothing } from "lit";

import { t } from "../texts.js";
import { ask, Latest } from "./ask.js";
import { clock } from "./moments.js";
import { parseRef, refText } from "./model.js";

const PAGE = 20;

class ObjectPast extends LitElement {
  static properties = {
    cluster: {},
    object: {},
    rev: { type: Number },
    oldest: { type: Number },
    newest: { type: Number },
    fixed: { type: Boolean },
    traces: { type: Boolean },
    writes: { state: true },
    lines: { state: true },
    more: { state: true },
    problem: { state: true },
    wrong: { state: true },
  };

  constructor() {
    super();
    this.latest = new Latest();
  }

  createRenderRoot() {
    return this;
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.latest.stop();
  }

  updated(changed) {
    if (["object", "rev", "cluster"].some((name) => changed.has(name))) this.load();
  }

  get ref() {
    return parseRef(this.object);
  }

  async load() {
    const { ref } = this;
    if (!ref) return;
    try {
      const found = await this.latest.run((signal) =>
        Promise.all([
          ask(this.cluster, "/history/object", { ...ref, rev: this.rev, limit: PAGE }, signal),
          ask(this.cluster, "/history/lines", { ...ref, rev: this.rev }, signal),
        ]),
      );
      if (!found) return;
      [{ items: this.writes, more: this.more }, { lines: this.lines }] = found;
      this.problem = null;
    } catch (error) {
      this.problem = error.message;
    }
  }

  async loadMore() {
    const before = this.writes.at(-1).revision;
    try {
      const { items, more } = await ask(this.cluster, "/history/object", { ...this.ref, before, limit: PAGE });
      this.writes = [...this.writes, ...items];
      this.more = more;
      this.problem = null;
    } catch (error) {
      this.problem = error.message;
    }
  }

  render() {
    return html`${this.fixed ? nothing : this.form()}
      ${this.problem ? html`<p class="kp-note kp-bad" role="alert">${t.timeline.problem} <code>${this.problem}</code></p>` : nothing}
      ${this.ref && this.writes ? this.both() : nothing}`;
  }

  form() {
    return html`<form class="kp-toolbar" @submit=${this.submit}>
        <label class="kp-inline kp-grow">${t.timeline.chosenObject}
          <input type="text" class="kp-grow" name="object" .value=${this.object ?? ""} placeholder=${t.timeline.objectHint} spellcheck="false" autocomplete="off"></label>
        <button type="submit" class="kp-button">${t.timeline.choose}</button>
      </form>
      ${this.wrong ? html`<p class="kp-note kp-bad" role="alert">${t.timeline.badObject(this.wrong)}</p>` : nothing}
      ${this.object ? nothing : html`<p class="kp-muted">${t.timeline.chooseObject}</p>`}`;
  }

  submit(event) {
    event.preventDefault();
    const text = new FormData(event.target).get("object").trim();
    this.wrong = text && !parseRef(text) ? text : null;
    if (!this.wrong) this.tell("kp-follow", text);
  }

  both() {
    const { writes, ref } = this;
    if (!writes.length) return html`<p class="kp-muted" role="status">${t.timeline.noWrites(refText(ref), this.oldest, this.rev)}</p>`;
    return html`<div class="kp-tl-columns">
      <section><ol class="kp-tl-history">${writes.map((one) => this.write(one))}</ol>
        ${this.more ? html`<button type="button" class="kp-button" @click=${this.loadMore}>${t.timeline.more}</button>` : nothing}</section>
      <section><h2>${t.timeline.lines} <span class="kp-muted">${t.timeline.linesAt(this.rev)}</span></h2>${this.blame()}</section>
    </div>`;
  }

  write(one) {
    const { types } = t.timeline;
    return html`<li data-here=${one.revision === this.rev} data-type=${one.type}>
      <p class="kp-tl-write">${this.revision(one.revision)} <span class="kp-muted">${clock(one.at)}</span>
        <strong>${one.actor}</strong> ${types[one.type]}
        ${one.manager && one.manager !== one.actor ? html`<span class="kp-muted">${one.manager}</span>` : nothing}
        ${this.traces && one.trace ? html`<a href="/clusters/${encodeURIComponent(this.cluster)}/trace/${encodeURIComponent(one.trace)}">${t.timeline.trace}</a>` : nothing}</p>
      ${this.fields(one)}
    </li>`;
  }

  fields(one) {
    if (one.type === "ADDED") return html`<p class="kp-muted">${t.timeline.createdBy}</p>`;
    if (one.type === "DELETED") return html`<p class="kp-muted">${t.timeline.deletedBy}</p>`;
    if (!one.fields_changed.length) return html`<p class="kp-muted">${t.timeline.statusOnly}</p>`;
    return html`<ul class="kp-tl-fields">
      ${one.fields_changed.map(
        (field) => html`<li data-op=${field.op}><span class="kp-tl-sign" aria-hidden="true">${field.op === "-" ? "−" : field.op}</span>
          <code>${field.path}</code> ${field.before ? html`<del>${field.before}</del>` : nothing}${field.op === "~" ? " → " : nothing}${field.after ? html`<ins>${field.after}</ins>` : nothing}</li>`,
      )}
      ${one.left_out ? html`<li class="kp-muted">${t.timeline.leftOut(one.left_out)}</li>` : nothing}
    </ul>`;
  }

  blame() {
    if (!this.lines.length) return html`<p class="kp-muted">${t.timeline.objectNotThere(refText(this.ref), this.rev)}</p>`;
    let last = null;
    return html`<div class="kp-scroll kp-tl-blame" tabindex="0" role="region" aria-label=${t.timeline.lines}><table>
      <thead class="kp-sr"><tr><th scope="col">${t.timeline.columns.revision}</th><th scope="col">${t.timeline.columns.who}</th><th scope="col">YAML</th></tr></thead>
      <tbody>${this.lines.map((line) => {
        const first = line.revision !== last;
        last = line.revision;
        const who = line.manager || line.actor;
        return html`<tr data-first=${first} data-here=${line.revision === this.rev}>
          <td>${first ? this.revision(line.revision) : nothing}</td>
          <td class="kp-tl-who" title="${line.actor} · ${clock(line.at)}">${first ? who : html`<span class="kp-sr">${t.timeline.lineOf(line.revision, who)}</span>`}</td>
          <td><code>${line.text}</code></td></tr>`;
      })}</tbody></table></div>`;
  }

  revision(rev) {
    return html`<button type="button" class="kp-link kp-number" title=${t.timeline.goThere(rev)} @click=${() => this.tell("kp-go", rev)}>${t.number(rev)}</button>`;
  }

  tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));
  }
}

customElements.define("kp-object-past", ObjectPast);
