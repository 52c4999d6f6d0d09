// The table itself: only rows in sight are elements, and those are used again while one scrolls.
import { html, nothing } from "lit";
import { live } from "lit/directives/live.js";

import { t } from "../texts.js";
import { STATE_COLUMNS, stateOf } from "./model.js";
import { visible } from "./selection.js";

/** The height of a row in CSS pixels; objects.css says the same. */
export const ROW = 31;
const NARROW = 6;
const WIDE = 46;
const SAMPLES = 1500;

/** Returns how wide columns are, in characters: what their texts need, never less than before. */
export function widths(before, columns, view) {
  const step = Math.max(1, Math.floor(view.length / SAMPLES));
  return columns.map((column, position) => {
    let most = column.name.length + 3;
    for (let i = 0; i < view.length; i += step) most = Math.max(most, String(column.get(view[i]) ?? "").length);
    return Math.max(before[position] ?? 0, Math.min(Math.max(most + 3, NARROW), WIDE));
  });
}

export function grid(list) {
  const box = list.box;
  const { view, selection } = list;
  const columns = list.shownColumns();
  const range = visible({ top: box?.scrollTop ?? 0, height: box?.clientHeight || 600, row: ROW, count: view.length });
  list.range = range;
  const some = view.length > 0;
  return html`<div class="kp-grid kp-scroll" ?data-empty=${!some}>
    <div class="kp-grid-space"><table
      class="kp-table kp-grid-table"
      role="grid"
      tabindex="0"
      aria-label=${list.resource.plural}
      aria-rowcount=${view.length + 1}
      aria-colcount=${columns.length + 1}
      aria-multiselectable="true"
      aria-busy=${!list.complete && !list.notices.has("refused")}
      aria-activedescendant=${list.index >= range.first && list.index < range.last ? `row-${list.active}` : nothing}
      @keydown=${(event) => list.key(event)}
    >
      <colgroup><col />${columns.map(() => html`<col />`)}</colgroup>
      <thead>
        <tr role="row" aria-rowindex="1">${pickAll(list)}${columns.map((column) => heading(list, column))}</tr>
      </thead>
      <tbody>
        ${view.slice(range.first, range.last).map((row, i) => line(list, columns, row, range.first + i, selection.has(row.uid)))}
      </tbody>
    </table></div>
  </div>`;
}

function pickAll(list) {
  const all = list.view.length > 0 && list.view.every((row) => list.selection.has(row.uid));
  const flip = () => {
    if (all) list.selection.clear();
    else list.selection.all(list.view);
    list.tick += 1;
  };
  return html`<th scope="col" role="columnheader" class="kp-pick">
    <input type="checkbox" aria-label=${t.objects.selectAllMatching(list.view.length)} .checked=${live(all)} .indeterminate=${!all && list.selection.size > 0} @change=${flip} />
  </th>`;
}

function heading(list, column) {
  const place = list.order.findIndex((one) => one.name === column.name);
  const sort = place < 0 ? "none" : list.order[place].down ? "descending" : "ascending";
  const click = (event) => list.changeOrder(column.name, event.shiftKey);
  return html`<th scope="col" role="columnheader" aria-sort=${sort} class=${column.type === "integer" ? "kp-number" : ""}>
    <button type="button" class="kp-sort" title=${[column.about, t.objects.sortHelp].filter(Boolean).join(" ")} @click=${click}>${column.name}</button>${list.order.length > 1 && place >= 0
      ? html`<sup>${place + 1}</sup>`
      : nothing}
  </th>`;
}

function line(list, columns, row, index, chosen) {
  const classes = [list.attention.has(row.uid) ? "kp-flash" : "", row.uid === list.active ? "kp-active" : ""].join(" ");
  return html`<tr
    role="row"
    id=${`row-${row.uid}`}
    data-uid=${row.uid}
    class=${classes}
    aria-rowindex=${index + 2}
    aria-selected=${chosen}
    @click=${(event) => list.clicked(event, row, index)}
    @dblclick=${(event) => event.currentTarget.querySelector("a")?.click()}
    @contextmenu=${(event) => menu(event, list, row)}
  >
    <td role="gridcell" class="kp-pick"><input type="checkbox" tabindex="-1" aria-label=${t.objects.select(row.name)} .checked=${live(chosen)} /></td>
    ${columns.map((column) => cell(list, column, row))}
  </tr>`;
}

function menu(event, list, row) {
  event.preventDefault();
  list.active = row.uid;
  list.tick += 1;
  list.updateComplete.then(() => list.openMenu({ x: event.clientX, y: event.clientY }));
}

function cell(list, column, row) {
  const value = column.get(row);
  const text = value === null || value === undefined ? "" : String(value);
  if (column.first) return html`<th scope="row" role="rowheader" title=${text}><a href=${list.href(row)} tabindex="-1">${text}</a></th>`;
  if (STATE_COLUMNS.has(column.name)) return html`<td role="gridcell" title=${text} data-state=${stateOf(value)}>${text}</td>`;
  return html`<td role="gridcell" title=${text} class=${column.type === "integer" ? "kp-number" : ""}>${text}</td>`;
}
