// Keys of a list: those that move and choose, and k9s' for the row that they are at.
import { openPanel } from "../dock/open.js";
import { editorOf } from "../editor/address.js";
import { bind, singleKeysOn } from "../keys.js";
import { visit } from "../router.js";
import { ROW } from "./grid.js";

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

/** k9s' keys for the row that the keys are at. */
export function bindKeys(list) {
  const on = (run) => ({ when: () => list.model.rows.has(list.active), run });
  const tab = (name) => on(() => visit(list.href(list.model.rows.get(list.active), name)));
  return bind({
    "objects.describe": tab("summary"),
    "objects.yaml": tab("yaml"),
    "objects.edit": on(() => visit(editorOf(list.config.cluster, list.resource, list.model.rows.get(list.active), { rev: list.config.rev }))),
    "objects.events": tab("events"),
    "objects.owner": tab("relations"),
    "objects.users": tab("relations"),
    "objects.logs": { ...tab("logs"), when: () => list.config.logs && list.model.rows.has(list.active) },
    "objects.shell": {
      when: () => list.kindKey === "pods" && !list.config.rev && list.model.rows.has(list.active),
      run: () => {
        const { ns, name } = list.model.rows.get(list.active);
        openPanel("terminal", { kind: "pod", ns, pod: name });
      },
    },
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
