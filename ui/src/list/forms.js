// The options of each action, as a form.
import { html, nothing } from "lit";

import { t } from "../texts.js";

/** Returns the fields of the dialog's action. */
export function fieldsOf(dialog) {
  const work = FORMS[dialog.action.name];
  return work ? work(dialog) : nothing;
}

const number = (text) => (text.trim() === "" ? undefined : Number.parseInt(text, 10));

function check(label, hint, on, change) {
  return html`<label class="kp-check"><input type="checkbox" .checked=${Boolean(on)} @change=${(event) => change(event.target.checked)} /><span>${label}${hint ? html`<br /><span class="kp-hint">${hint}</span>` : nothing}</span></label>`;
}

function grace(dialog) {
  const { options } = dialog;
  return html`<div class="kp-field">
    <label for="action-grace">${t.act.grace}</label>
    <input id="action-grace" type="number" min="0" .value=${options.gracePeriodSeconds ?? ""} ?disabled=${options.force && dialog.action.name === "delete"} @input=${(event) => dialog.set({ gracePeriodSeconds: number(event.target.value) })} aria-describedby="action-grace-hint" />
    <p class="kp-hint" id="action-grace-hint">${t.act.graceHint}</p>
  </div>`;
}

const OWNERLESS = new Set(["pods", "nodes", "events", "configmaps", "secrets", "namespaces", "persistentvolumes"]);

function remove(dialog) {
  const { options, resource } = dialog;
  if (resource.plural === "pods" && !resource.group) {
    return html`<div class="kp-fields">${grace(dialog)}</div>${check(t.act.force, t.act.forceHint, options.force, (force) => dialog.set({ force }))}`;
  }
  if (OWNERLESS.has(resource.plural) && !resource.group) return nothing;
  return html`<div class="kp-field">
    <label for="action-owned">${t.act.propagation}</label>
    <select id="action-owned" @change=${(event) => dialog.set({ propagation: event.target.value })}>
      ${Object.entries(t.act.propagations).map(([value, text]) => html`<option value=${value} .selected=${options.propagation === value}>${text}</option>`)}
    </select>
  </div>`;
}

function scale(dialog) {
  return html`<div class="kp-field">
    <label for="action-replicas">${t.act.replicas}</label>
    <input id="action-replicas" type="number" min="0" required data-first .value=${String(dialog.options.replicas ?? "")} @input=${(event) => dialog.set({ replicas: number(event.target.value) })} />
  </div>`;
}

function pairs(dialog) {
  const { options } = dialog;
  const change = (i, what) => {
    const rows = options.pairs.map((one, j) => (i === j ? { ...one, ...what } : one));
    if (rows.at(-1).key) rows.push({ key: "", value: "", remove: false });
    dialog.set({ pairs: rows });
  };
  return html`<fieldset>
    ${options.pairs.map(
      (one, i) => html`<div class="kp-pair">
        <div class="kp-field"><label for=${`pair-key-${i}`}>${t.act.key}</label><input id=${`pair-key-${i}`} ?data-first=${i === 0} autocomplete="off" spellcheck="false" .value=${one.key} @input=${(event) => change(i, { key: event.target.value })} /></div>
        <div class="kp-field"><label for=${`pair-value-${i}`}>${t.act.value}</label><input id=${`pair-value-${i}`} autocomplete="off" spellcheck="false" .value=${one.value} ?disabled=${one.remove} @input=${(event) => change(i, { value: event.target.value })} /></div>
        ${check(t.act.removeKey, "", one.remove, (on) => change(i, { remove: on }))}
      </div>`,
    )}
    ${check(t.act.overwrite, "", options.overwrite, (overwrite) => dialog.set({ overwrite }))}
  </fieldset>`;
}

function undo(dialog) {
  const revisions = dialog.plan.form.revisions ?? [];
  const chosen = revisions.find((one) => one.revision === dialog.options.revision);
  if (!revisions.some((one) => !one.current)) return html`<p>${t.act.noRevisions}</p>`;
  return html`<div class="kp-field">
      <label for="action-revision">${t.act.revision}</label>
      <select id="action-revision" data-first @change=${(event) => dialog.set({ revision: Number(event.target.value) })}>
        ${revisions.map((one) => html`<option value=${one.revision} .selected=${one === chosen} ?disabled=${one.current}>${t.act.revisionOf(one.revision, one.cause || one.name, one.current)}</option>`)}
      </select>
    </div>
    <p class="kp-hint">${chosen?.diff ? t.act.differs : t.act.same}</p>
    ${chosen?.diff ? difference(chosen.diff) : nothing}`;
}

/** A unified difference, its lines as what comes and what goes. */
export function difference(text) {
  const lines = text.split("\n").filter((one) => !/^(---|\+\+\+)/.test(one));
  return html`<pre class="kp-diff" tabindex="0">${lines.map((one) => (one.startsWith("+") ? html`<ins>${one}</ins>` : one.startsWith("-") ? html`<del>${one}</del>` : html`<span>${one}\n</span>`))}</pre>`;
}

function trigger(dialog) {
  return html`<div class="kp-field">
    <label for="action-job">${t.act.jobName}</label>
    <input id="action-job" data-first maxlength="63" autocomplete="off" spellcheck="false" .value=${dialog.options.jobName ?? ""} @input=${(event) => dialog.set({ jobName: event.target.value.trim() })} />
  </div>`;
}

function drain(dialog) {
  const { options, drain: found } = dialog;
  const pods = dialog.plan.form.pods ?? [];
  const local = pods.filter((one) => one.local && one.kind !== "daemon" && one.kind !== "mirror").length;
  const bare = pods.filter((one) => one.kind === "bare").length;
  return html`<p>${t.act.evictions(found.evict.length)}${found.daemons ? html` ${t.act.daemonPods(found.daemons)}` : nothing}</p>
    <fieldset>
      ${local ? check(t.act.emptyDir(local), "", options.deleteEmptyDirData, (deleteEmptyDirData) => dialog.set({ deleteEmptyDirData })) : nothing}
      ${bare ? check(t.act.bare(bare), "", options.force, (force) => dialog.set({ force })) : nothing}
      ${check(t.act.disableEviction, "", options.disableEviction, (disableEviction) => dialog.set({ disableEviction }))}
      <div class="kp-fields">${grace(dialog)}</div>
    </fieldset>
    ${found.blocked.length ? html`<p class="kp-wrong" role="status">${t.act.needsChoice}</p>` : nothing}`;
}

const FORMS = {
  delete: remove,
  evict: (dialog) => html`<div class="kp-fields">${grace(dialog)}</div>`,
  scale,
  label: pairs,
  annotate: pairs,
  undo,
  trigger,
  drain,
};
