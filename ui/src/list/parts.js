// What stands around the table: filter and choices above it, count, command and actions below.
import { html, nothing } from "lit";

import { ruleText } from "../rbac.js";
import { t } from "../texts.js";
import { closeOnEscape, closeWhenLeft } from "./drop.js";
import { showLogs, ways } from "./moving.js";

// Streams that a page holds open at once; MOST_PODS of playground/objects/logged.py.
const MOST_LOGS = 20;

export function toolbar(list) {
    return html`<div class="kp-toolbar kp-list-bar" role="search">
    <div class="kp-inline kp-grow">
      <label for="list-q">${t.objects.filter}</label>
      <input
        id="list-q"
        type="search"
        data-filter
        autocomplete="off"
        spellcheck="false"
        placeholder=${t.objects.filterHint}
        .value=${list.q}
        @input=${(event) => list.changeFilter(event.target.value.trim())}
        @keydown=${(event) => filterKey(event, list)}
      />
    </div>
    ${savedMenu(list)}${columnMenu(list)}
  </div>`;
}

/** From the filter straight to the rows, or out of it. */
function filterKey(event, list) {
  if (event.key === "Escape" && list.q) {
    event.preventDefault();
    list.changeFilter("", { now: true });
  } else if (event.key === "Enter" || event.key === "ArrowDown") {
    event.preventDefault();
    list.querySelector(".kp-grid table")?.focus();
    list.moveTo(0);
  }
}

function columnMenu(list) {
  const shown = new Set(list.shownColumns().map((one) => one.name));
  const change = (name, on) => {
    const names = list.model.columns.map((one) => one.name).filter((one) => (one === name ? on : shown.has(one)));
    list.changeColumns(names);
  };
  const every = () => list.changeColumns(list.model.columns.filter((one) => !one.extra).map((one) => one.name));
  return html`<details class="kp-drop" @focusout=${closeWhenLeft} @keydown=${closeOnEscape}>
    <summary class="kp-button">${t.objects.columns}</summary>
    <div class="kp-drop-body">
      ${list.model.columns.map(
        (one) => html`<label class="kp-check">
          <input type="checkbox" .checked=${shown.has(one.name)} ?disabled=${one.first} @change=${(event) => change(one.name, event.target.checked)} />
          ${one.name}
        </label>`,
      )}
      <div class="kp-actions">
        <button type="button" class="kp-link" @click=${every}>${t.objects.allColumns}</button>
        <button type="button" class="kp-link" @click=${() => list.changeColumns(null)}>${t.objects.usualColumns}</button>
      </div>
    </div>
  </details>`;
}

function savedMenu(list) {
  const save = (event) => {
    event.preventDefault();
    const field = event.target.elements.name;
    if (field.value.trim()) list.saveFilter(field.value.trim()).then((saved) => saved && (field.value = ""));
  };
  return html`<details class="kp-drop" @focusout=${closeWhenLeft} @keydown=${closeOnEscape}>
    <summary class="kp-button">${t.objects.saved}</summary>
    <div class="kp-drop-body">
      ${list.saved.length
        ? html`<ul class="kp-saved">
            ${list.saved.map(
              (one) => html`<li>
                <button type="button" class="kp-link" @click=${() => list.recall(one.query)}>${one.name}</button>
                <button type="button" class="kp-icon" aria-label=${t.objects.removeSaved(one.name)} @click=${() => list.forgetFilter(one.id)}>×</button>
              </li>`,
            )}
          </ul>`
        : html`<p class="kp-muted">${t.objects.noSaved}</p>`}
      <form @submit=${save} class="kp-inline">
        <label for="save-name">${t.objects.saveName}</label>
        <input id="save-name" name="name" maxlength="60" autocomplete="off" />
        <button type="submit" class="kp-button">${t.objects.save}</button>
      </form>
    </div>
  </details>`;
}

export function notices(list) {
  const parsed = list.parsedNow;
  return html`<div class="kp-list-notices">
    ${[...list.notices].map(([name, what]) => note(name, what))}
    ${(parsed?.bad ?? []).map((term) => html`<div class="kp-note kp-warn" data-notice="bad-term"><p>${t.objects.badTerm(term)}</p></div>`)}
    ${empty(list)}
  </div>`;
}

function note(name, { bad, text, verbatim, ask, rule, link }) {
  return html`<div class="kp-note ${bad ? "kp-bad" : "kp-warn"}" role="alert" data-notice=${name}>
    <p>${text}${link ? html` <a href=${link.href}>${link.text}</a>` : nothing}</p>
    ${verbatim ? html`<pre class="kp-verbatim">${verbatim}</pre>` : nothing}
    ${ask ? html`<p>${ask} <span id="rbac-rule" hidden>${ruleText(rule)}</span><button type="button" class="kp-button" data-copy="#rbac-rule">${t.copyRule}</button></p>` : nothing}
  </div>`;
}

function empty(list) {
  const { model, ns, q, resource, suggestion } = list;
  if (!list.complete || list.view.length) return nothing;
  if (q) {
    return html`<div class="kp-empty" data-notice="no-match">
      <h2>${t.objects.nothingMatches(q)}</h2>
      <p>
        ${suggestion ? html`<button type="button" class="kp-link" @click=${() => list.changeFilter(suggestion.text, { now: true })}>${t.objects.didYouMean(suggestion.text, suggestion.count)}</button> ` : nothing}
        <button type="button" class="kp-link" @click=${() => list.changeFilter("", { now: true })}>${t.objects.showAll}</button>
      </p>
    </div>`;
  }
  if (model.rows.size) return nothing;
  return html`<div class="kp-empty" data-notice="empty">
    <h2>${ns ? t.objects.noneIn(resource.plural, ns) : t.objects.none(resource.plural)}</h2>
    ${ns ? html`<p><button type="button" class="kp-link" @click=${() => list.changeNamespace("")}>${t.objects.showAllNamespaces}</button></p>` : nothing}
  </div>`;
}

export function footer(list) {
  const { view, model, progress, selection } = list;
  const all = model.rows.size;
  const count = progress && progress.read < progress.total
    ? t.objects.reading(progress.read, progress.total, list.resource.plural)
    : !list.complete && !all ? (list.notices.has("refused") ? "" : t.objects.readingFirst) : view.length === all ? t.objects.count(all) : t.objects.match(view.length, all);
  return html`<div class="kp-list-foot">
    ${selection.size ? chosen(list) : nothing}
    <div class="kp-list-line">
      <span class="kp-list-count" role="status">${count}</span>
      <div class="kp-command kp-grow"><code id="equivalent">${list.command}</code><button type="button" class="kp-button" data-copy="#equivalent">${t.objects.copy}</button></div>
    </div>
    <div class="kp-row-menu" popover role="menu" tabindex="-1" aria-label=${t.objects.actions} @keydown=${menuKey} @toggle=${(event) => menuToggled(event, list)}>
      ${lone(list) ? ways(list, lone(list)).map((way) => item(list, { allowed: true, ...way }, way.run)) : nothing}${list.actions.map((action) => item(list, action))}
    </div>
  </div>`;
}

/** The chosen pods whose logs can be read beside each other. */
function together(list) {
  const rows = list.kindKey === "pods" && !list.config.rev ? list.targets() : [];
  return rows.length > 0 && rows.length <= MOST_LOGS && rows.every(({ ns }) => ns === rows[0].ns) ? rows : null;
}

function chosen(list) {
  const { selection, view } = list;
  const hidden = selection.size - view.filter((row) => selection.has(row.uid)).length;
  const matching = list.q ? t.objects.selectAllMatching(view.length) : t.objects.selectAll(view.length);
  const choose = (work) => () => {
    work();
    list.tick += 1;
  };
  return html`<div class="kp-chosen" role="toolbar" aria-label=${t.objects.actions}>
    <strong>${t.objects.selected(selection.size)}${hidden ? t.objects.selectedHidden(hidden) : ""}</strong>
    ${selection.size - hidden < view.length ? html`<button type="button" class="kp-link" @click=${choose(() => selection.all(view))}>${matching}</button>` : nothing}
    <button type="button" class="kp-link" @click=${choose(() => selection.clear())}>${t.objects.clearSelection}</button>
    <span class="kp-grow"></span>
    ${together(list) ? html`<button type="button" class="kp-button" @click=${() => showLogs(together(list))}>${t.tabs.logs}</button>` : nothing}
    ${list.actions
      .filter((one) => one.bulk || selection.size === 1)
      .map((one) => html`<button type="button" class="kp-button ${one.name === "delete" ? "kp-danger-line" : ""}" aria-disabled=${!one.allowed} title=${one.reason ?? ""} @click=${() => list.act(one.name)}>${one.title}</button>`)}
  </div>`;
}

/** The row that a menu is about, unless it is about several. */
function lone(list) {
  const rows = list.targets(list.active);
  return rows.length === 1 ? rows[0] : null;
}

function item(list, action, work = () => list.act(action.name, list.targets(list.active))) {
  const run = () => {
    if (!action.allowed) return;
    list.querySelector(".kp-row-menu").hidePopover();
    work();
  };
  return html`<button type="button" role="menuitem" tabindex="-1" aria-disabled=${!action.allowed} @click=${run}>
    ${action.title}${action.allowed ? nothing : html`<small>${action.reason}</small>`}
  </button>`;
}

function menuKey(event) {
  const items = [...event.currentTarget.querySelectorAll("[role=menuitem]")];
  const at = items.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  items.at(to % items.length)?.focus();
}

function menuToggled(event, list) {
  if (event.newState === "closed") list.querySelector(".kp-grid table")?.focus({ preventScroll: true });
}
