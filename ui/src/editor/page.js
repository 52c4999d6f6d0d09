// What the editor shows around the text: what to do with it, what stands in the way, what came of it.
import { html, nothing, svg } from "lit";

import { copy } from "../copy.js";
import { hasDock } from "../dock/open.js";
import { closeOnEscape, closeWhenLeft } from "../list/drop.js";
import { t } from "../texts.js";
import { title } from "./documents.js";
import { command, fileName } from "./kubectl.js";
import { changedWords, merge, settle } from "./meanwhile.js";
import { SNIPPETS } from "./snippets.js";
import { write } from "./writing.js";

export const WAYS = ["apply", "create", "replace"];
export const VIEWS = ["", "live", "result", "all"];
// A text of the past is not tried.
const PAST_VIEWS = ["", "live"];
const e = () => t.editor;

export function page(editor) {
  return html`<div class="kp-ed" data-view=${editor.view}>
    ${head(editor)} ${banners(editor)}
    ${editor.shown ? html`<div class="kp-ed-main">${work(editor)}</div>` : nothing}
  </div>`;
}

function head(editor) {
  const { object } = editor.config;
  return html`<header class="kp-ed-head">
    <div class="kp-ed-title">${object ? html`<a href=${editor.pageOf(object)}>${object.name}</a> <span class="kp-muted">${object.kind}${object.namespace ? ` · ${object.namespace}` : ""}</span>` : html`<strong>${e().title}</strong> <span class="kp-muted">${editor.config.namespace}</span>`}
      ${editor.dirty ? html`<span class="kp-ed-dirty" title=${e().unsaved}>●<span class="kp-sr">${e().unsaved}</span></span>` : nothing}</div>
    ${editor.shown ? tools(editor) : nothing} ${place(editor)}
  </header>`;
}

/** The way into the dock, and out of it; what begins in the past stays on its page. */
function place(editor) {
  const { config } = editor;
  if (editor.docked) return html`<a class="kp-icon" href=${editor.addressOf()} aria-label=${e().asPage} title=${e().asPage} @click=${() => editor.leaveDock()}>${icon("M8 4H4v12h12v-4M11 4h5v5M16 4 9 11")}</a>`;
  if (config.rev !== null || config.from || !hasDock()) return nothing;
  return html`<button type="button" class="kp-icon" aria-label=${e().toDock} title=${e().toDock} @click=${() => editor.dock()}>${icon("M3 4h14v12H3zM3 11h14")}</button>`;
}

const icon = (path) => svg`<svg viewBox="0 0 20 20" width="16" height="16" aria-hidden="true"><path d=${path} /></svg>`;

function tools(editor) {
  return html`<div class="kp-toolbar kp-ed-tools" role="toolbar" aria-label=${e().tools}>
    ${editor.readOnly ? nothing : html`<details class="kp-menu kp-ed-snippets"><summary>${e().snippets}</summary>
      <div class="kp-menu-body"><div class="kp-menu-list">${SNIPPETS.map((one) => html`<button type="button" @click=${(event) => editor.snippet(one, event)}>${one.name}</button>`)}</div></div></details>
    <label class="kp-button kp-ed-upload">${e().upload}<input type="file" class="kp-sr" accept=".yaml,.yml,.json,text/*" @change=${(event) => editor.upload(event.target)}></label>`}
    <button type="button" class="kp-button" @click=${() => editor.download()}>${e().download}</button>
    ${segments(e().panes, editor.readOnly ? PAST_VIEWS : VIEWS, e().views, editor.view, (value) => editor.choose("view", value))}
    ${editor.readOnly ? nothing : html`<span class="kp-ed-gap"></span>${writing(editor)}`}
  </div>`;
}

/** What writes, and beside it the choice of how. */
function writing(editor) {
  const choose = (event, way) => {
    event.currentTarget.closest("details").open = false;
    editor.choose("how", way);
  };
  return html`<div class="kp-ed-write"><button type="button" class="kp-button kp-primary" aria-disabled=${editor.busy} @click=${() => write(editor)}>${verb(editor)}</button>
    <details class="kp-menu kp-ed-ways" @focusout=${closeWhenLeft} @keydown=${closeOnEscape}>
      <summary class="kp-button kp-primary" aria-label=${e().howNow(e().ways[editor.how])} title=${e().how}></summary>
      <div class="kp-menu-body" role="group" aria-label=${e().how}>${WAYS.map(
        (way) => html`<button type="button" class="kp-ed-way" aria-label=${e().ways[way]} aria-description=${e().means[way]} aria-pressed=${way === editor.how} @click=${(event) => choose(event, way)}>
          <b>${e().ways[way]}</b><span class="kp-muted">${e().means[way]}</span></button>`,
      )}</div>
    </details></div>`;
}

function verb({ how, sections }) {
  const word = e().verbs[how];
  return sections.length > 1 ? e().verbMany(word, sections.length) : word;
}

function segments(label, values, words, chosen, choose) {
  return html`<div class="kp-segments" role="group" aria-label=${label}>${values.map(
    (value) => html`<button type="button" aria-pressed=${value === chosen} @click=${() => choose(value)}>${words[value]}</button>`,
  )}</div>`;
}

// --- above the text ---------------------------------------------------------------------------

const note = (look, words, ...buttons) => html`<div class="kp-note ${look} kp-ed-note" role=${look === "kp-bad" ? "alert" : "status"}><p>${words}</p>${buttons}</div>`;
const button = (words, run, look = "") => html`<button type="button" class="kp-button ${look}" @click=${run}>${words}</button>`;

function banners(editor) {
  const { object } = editor.config;
  if (object?.refused && !editor.anew) return refused(editor, object);
  if (editor.concealed) return note("kp-warn", e().secret, button(e().reveal, () => editor.reveal()));
  return [beginnings(editor), happenings(editor)];
}

/** Where the text comes from. */
function beginnings(editor) {
  const { config, notes } = editor;
  return html`
    ${config.rev === null || !config.object ? nothing : note("", e().past, html`<a class="kp-button" data-live href=${editor.addressFrom(config.rev)}>${e().editPast}</a>`)}
    ${config.from ? note("", config.object.refused ? e().fromGone(config.object.kind, config.object.name, config.from) : e().from(config.from)) : nothing}
    ${notes.draft ? note("", e().draft, button(e().discard, () => editor.discardDraft())) : nothing}
    ${editor.changedElsewhere ? note("kp-warn", e().elsewhere(config.object.name)) : nothing}`;
}

/** What happened while one wrote. */
function happenings(editor) {
  const { notes, config: { object } } = editor;
  return html`
    ${notes.deleted ? note("kp-bad", e().deleted(object.kind, object.name)) : nothing}
    ${notes.changed ? note("kp-warn", changedWords(editor), button(e().merge, () => merge(editor)), button(e().discard, () => editor.discard())) : nothing}
    ${notes.merged ? note("", notes.merged) : nothing}
    ${editor.merging.length ? both(editor) : nothing}
    ${notes.file ? note("kp-bad", notes.file) : nothing}`;
}

function refused(editor, { refused: { code, message }, kind, name, namespace, resource, rule, closest = [] }) {
  if (code === 403) {
    return html`<div class="kp-note kp-bad kp-ed-note" role="alert"><p>${e().forbidden(resource, namespace)}</p>
      ${button(e().copyRule, (event) => copy(rule, event.target))}<pre class="kp-verbatim">${message}</pre></div>`;
  }
  return html`<div class="kp-note kp-bad kp-ed-note" role="alert"><p>${e().notFound(kind, name, namespace)}
      ${closest.length ? html`${e().closest} ${closest.map((one, index) => html`${index ? ", " : ""}<a href=${editor.addressOf(one)}>${one}</a>`)}.` : nothing}</p>
    ${editor.readOnly ? nothing : button(e().writeAnew(name), () => editor.startAnew())}<pre class="kp-verbatim">${message}</pre></div>`;
}

/** The places that both changed. */
function both(editor) {
  return html`<section class="kp-note kp-warn kp-ed-note kp-ed-both"><p>${e().mergedBut(editor.merging.length)}</p>
    <ul>${editor.merging.map(
      (one) => html`<li><dl><div><dt>${e().mine}</dt><dd><pre>${one.mine || e().nothingThere}</pre></dd></div>
        <div><dt>${e().theirs}</dt><dd><pre>${one.theirs || e().nothingThere}</pre></dd></div></dl>
        ${button(e().keepMine, () => settle(editor, one, false))} ${button(e().useTheirs, () => settle(editor, one, true))}</li>`,
    )}</ul></section>`;
}

// --- the text and what is beside it -----------------------------------------------------------

function work(editor) {
  return html`<div class="kp-ed-body">
      ${editor.sections.length > 1 ? outline(editor) : nothing}
      <section class="kp-ed-pane kp-ed-yours" aria-label=${e().yours}><h2 class="kp-ed-label">${e().yours}</h2>
        <div class="kp-ed-code"></div>
        ${editor.readOnly ? nothing : html`<p class="kp-ed-escape kp-muted">${e().escape}</p>`}</section>
      ${["live", "result"].filter((name) => editor.view === name || editor.view === "all").map((name) => pane(editor, name))}
    </div>
    ${editor.readOnly ? nothing : foot(editor)}`;
}

function outline(editor) {
  return html`<nav class="kp-ed-outline" aria-label=${e().outline}><ol>${editor.sections.map((section) => {
    const { kind, name } = title(section);
    const { state } = editor.checked(section);
    return html`<li><button type="button" aria-current=${editor.section === section} @click=${() => editor.go(section.from)}>
      <span class="kp-ed-mark" data-state=${state} title=${stateWords(editor.checked(section))}></span>
      <span class="kp-ed-name">${name}</span><span class="kp-muted">${kind}<span class="kp-sr">, ${stateWords(editor.checked(section))}</span></span></button></li>`;
  })}</ol></nav>`;
}

const stateWords = ({ state, waits }) => (state === "later" ? e().later(waits.kind, waits.name) : e().states[state]);

function pane(editor, name) {
  const shown = editor.pane(name);
  return html`<section class="kp-ed-pane" aria-label=${e()[name]}><h2 class="kp-ed-label">${e()[name]} <span class="kp-muted">${shown.words ?? ""}</span></h2>
    ${shown.text === undefined ? html`<p class="kp-ed-none kp-muted">${shown.none}</p>` : html`<div class="kp-ed-code" data-pane=${name}></div>`}</section>`;
}

// --- below the text ---------------------------------------------------------------------------

function foot(editor) {
  return html`<section class="kp-ed-foot" aria-label=${e().problems} tabindex="0">
    ${verdict(editor)} ${owners(editor)} ${problems(editor)} ${answers(editor)}
    <div class="kp-command kp-equivalent"><code>${commandOf(editor)}</code><button type="button" class="kp-button" @click=${(event) => copy(commandOf(editor), event.target)}>${e().copy}</button></div>
  </section>`;
}

function commandOf(editor) {
  const { how, sections, config } = editor;
  return command({
    how,
    namespace: config.namespace,
    force: sections.some((one) => editor.checked(one).conflicts.some(({ path }) => editor.takes(one, path))),
    file: fileName(sections),
    named: sections.every(({ about }) => about.namespace),
  });
}

/** One line: how the text stands. */
function verdict(editor) {
  const found = editor.sections.map((one) => editor.checked(one));
  const count = found.reduce((sum, one) => sum + one.problems.length, 0);
  const unknown = found.find(({ state }) => state === "unknown");
  const checking = found.some(({ state }) => state === "waiting");
  const later = found.filter(({ state }) => state === "later").length;
  let state = "good";
  let words = e().allGood(found.length);
  if (!found.length) [state, words] = ["waiting", e().empty];
  else if (count) [state, words] = ["bad", e().wrong(count)];
  else if (unknown) [state, words] = ["unknown", e().unreachable(unknown.message.replace(/\.?$/, "."))];
  else if (later) [state, words] = ["waiting", e().laterAll(found.length - later, later)];
  else if (checking) [state, words] = ["waiting", e().states.busy];
  else if (editor.undecided().length) [state, words] = ["owned", e().decide(editor.undecided().length)];
  return html`<p class="kp-ed-verdict" role="status"><span class="kp-ed-mark" data-state=${state} aria-hidden="true"></span> ${words} ${editor.said && editor.said !== words ? html`<strong>${editor.said}</strong>` : nothing}</p>`;
}

function owners(editor) {
  if (editor.how !== "apply") return nothing;
  const found = editor.sections.flatMap((section) => editor.checked(section).conflicts.map((one) => ({ section, ...one })));
  if (!found.length) return nothing;
  return html`<section class="kp-ed-owners" aria-label=${e().conflicts}><ul>${found.map(({ section, path, manager, words }) => {
    const taken = editor.takes(section, path);
    const [field, rest] = e().owned(path.replace(/^\./, ""), manager);
    return html`<li><span class="kp-ed-words" title=${words}>${editor.sections.length > 1 ? html`<span class="kp-muted">${section.about.name}:</span> ` : nothing}<code>${field}</code>${rest}${taken ? html` <span class="kp-muted">${e().taken}</span>` : nothing}</span>
      ${taken ? button(e().undoTake, () => editor.decide(section, path, false)) : html`${button(e().keep, () => editor.leave(section, path))} ${button(e().take, () => editor.decide(section, path, true))}`}</li>`;
  })}</ul></section>`;
}

function problems(editor) {
  const found = editor.sections.flatMap((section) => editor.checked(section).problems.map((one) => ({ section, ...one })));
  const warned = editor.sections.flatMap((section) => editor.checked(section).warnings.map((words) => ({ section, words })));
  if (!found.length && !warned.length) return nothing;
  return html`<ul class="kp-ed-problems" aria-label=${e().problems}>
    ${found.map(({ section, from, message }) => {
      const offset = section.from + from;
      return html`<li data-severity="error"><button type="button" class="kp-link" @click=${() => editor.go(offset)}>${e().line(editor.code.line(offset))}</button><pre>${message}</pre></li>`;
    })}
    ${warned.map(({ section, words }) => html`<li data-severity="warning"><span>${e().warning}${editor.sections.length > 1 ? ` · ${section.about.name}` : ""}</span><pre>${words}</pre></li>`)}</ul>`;
}

function answers(editor) {
  if (!editor.answers.length) return nothing;
  return html`<section class="kp-ed-answers" aria-label=${e().answers}><h2 class="kp-sub">${e().answers}</h2><ol>${editor.answers.map((one) => answer(editor, one))}</ol></section>`;
}

function answer(editor, { about, state, answer: given, error }) {
  const name = `${about.kind} ${given?.name ?? about.name}`;
  if (state === "good") {
    return html`<li data-came="good"><span><a href=${given.page}>${name}</a> ${given.outcome}</span>
      <span class="kp-muted">${given.revision ? e().revision(given.revision) : nothing} ${trace(editor, given.audit_id)}</span>
      ${given.warnings.map((words) => html`<pre data-severity="warning">${e().warning}: ${words}</pre>`)}</li>`;
  }
  if (state === "bad") return html`<li data-came="bad"><span>${name}: ${e().refused}</span> ${trace(editor, error.audit)}<pre>${error.message}</pre></li>`;
  return html`<li data-came=${state}><span>${name} ${state === "busy" ? e().writing : e().waiting}</span></li>`;
}

const trace = (editor, audit) => (audit ? html`<a href=${editor.traceOf(audit)}>${e().trace}</a>` : nothing);
