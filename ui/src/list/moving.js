// Keys of a list: those that move and choose, and k9s' for the row that they are at.
import { openPanel, openShell } from "../dock/open.js";
import { editorOf } from "../editor/address.js";
import { bind, singleKeysOn } from "../keys.js";
import { visit } from "../router.js";
import { t } from "../texts.js";
import { ROW } from "./grid.js";

const SHELLS = new Set(["pods", "nodes"]);

/** Moves the row that the keys are at; with Shift the choice goes along. */
export function move(list, event) {
  const page = Math.max(1, Math.floor(list.querySelector(".kp-grid").clientHeight / ROW) - 2);
  // Without a row that the keys are at, a step leads to the first.
  const { index } = list;
  const steps = { ArrowDown: index + 1, ArrowUp: index - 1, PageDown: index + page, PageUp: index - page, Home: 0, End: list.view.length - 1, ...(singleKeysOn() && { j: index + 1, k: index - 1 }) };
  if (!(event.key in steps)) return false;
  const absolute = event.key === "Home" || event.key === "End";
  list.moveTo(index < 0 && !absolute ? 0 : steps[event.key], { extend: event.shiftKey });
  return true;
}

/** Does what a key does to that row; tells whether it does anything. */
export function choose(list, key) {
  const work = {
    Enter: () => list.querySelector(`tr[aria-rowindex="${list.index + 2}"] a`)?.click(),
    " ": () => list.active && list.selection.toggle(list.active),
    ContextMenu: () => list.openMenu(),
    ...(list.selection.size && { Escape: () => list.selection.clear() }),
  }[key];
  work?.();
  return Boolean(work);
}

/** Ways from a row to what it is about: what there is of its kind, with the words of a menu. */
export function ways(list, row) {
  const { cluster, rev, logs } = list.config;
  const right = list.shellRight ?? { allowed: true, reason: "" };
  const shell = () => right.allowed && openShell(list.kindKey, row);
  return [
    { name: "yaml", title: t.tabs.yaml, run: () => visit(list.href(row, "yaml")) },
    ...(logs ? [{ name: "logs", title: t.tabs.logs, run: () => visit(list.href(row, "logs")) }] : []),
    ...(SHELLS.has(list.kindKey) && !rev ? [{ name: "shell", title: t.objects.shell, ...right, run: shell }] : []),
    { name: "edit", title: t.objects.edit, run: () => visit(editorOf(cluster, list.resource, row, { rev })) },
  ];
}

/** Shows the logs of several pods of one namespace below the page. */
export function showLogs(rows) {
  openPanel("logs", { ns: rows[0].ns, pods: rows.map(({ name }) => name).join(","), total: rows.length });
}

/** k9s' keys for the row that the keys are at. */
export function bindKeys(list) {
  const on = (run) => ({ when: () => list.model.rows.has(list.active), run });
  const tab = (name) => on(() => visit(list.href(list.model.rows.get(list.active), name)));
  const found = (name) => list.model.rows.has(list.active) && ways(list, list.model.rows.get(list.active)).find((one) => one.name === name);
  const way = (name) => ({ when: () => Boolean(found(name)), run: () => found(name).run() });
  return bind({
    "objects.describe": tab("summary"),
    "objects.yaml": way("yaml"),
    "objects.edit": way("edit"),
    "objects.events": tab("events"),
    "objects.owner": tab("relations"),
    "objects.users": tab("relations"),
    "objects.logs": way("logs"),
    "objects.shell": way("shell"),
    "objects.menu": on(() => list.openMenu()),
    "objects.delete": { when: () => list.targets().length > 0, run: () => list.act("delete") },
    "objects.all": {
      when: () => document.activeElement?.closest("kp-list") === list && document.activeElement.tagName === "TABLE",
      run: () => {
        list.selection.all(list.view);
        list.tick += 1;
      },
    },
  });
}
