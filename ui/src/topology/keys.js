// The keys of the topology. Everything that the mouse can do has one.
import { tinykeys } from "tinykeys";

import { single as outsideFields } from "../keys.js";
import { neighbour } from "../scene/hit.js";
import { menuOfSelection } from "./actions.js";
import { cameraMoved, chooseLens, fit, zoom } from "./looking.js";
import { pickAlso, pickOnly, select } from "./selection.js";

const STEP = 80; // px that an arrow pans when nothing is selected

/** A key that belongs to a sequence of the frame ("g t") is not ours. */
const single = (handler) => outsideFields((event) => event.defaultPrevented || handler(event));

/** Binds the keys; returns what unbinds them. */
export function bindKeys(host) {
  const arrow = (dx, dy) =>
    single((event) => {
      if (host.view === "table" || !host.layout || event.target.closest?.("[role=tree], .kp-panel, .kp-scroll")) return;
      event.preventDefault();
      if (!host.selected) {
        host.scene.panBy(-dx * STEP, -dy * STEP);
        return cameraMoved(host);
      }
      const next = neighbour(host.layout, host.selected, dx, dy);
      if (next) select(host, next);
    });
  const tab = (name) =>
    single((event) => {
      if (!host.lastPod) return;
      event.preventDefault();
      host.tab = name;
      host.requestUpdate();
    });
  return tinykeys(window, {
    ArrowLeft: arrow(-1, 0),
    ArrowRight: arrow(1, 0),
    ArrowUp: arrow(0, -1),
    ArrowDown: arrow(0, 1),
    h: arrow(-1, 0),
    j: arrow(0, 1),
    k: arrow(0, -1),
    "Shift+T": single(() => host.show(host.view === "table" ? "picture" : "table")),
    n: single(() => chooseLens(host, "nodes")),
    o: single(() => chooseLens(host, "owners")),
    t: single(() => chooseLens(host, "traffic")),
    s: single(() => chooseLens(host, "storage")),
    m: single((event) => {
      event.preventDefault();
      menuOfSelection(host);
    }),
    x: single(() => host.selected && pickAlso(host, host.selected)),
    b: single(() => !host.readonly && host.breakSomething()),
    0: single(() => fit(host)),
    "+": single(() => zoom(host, 1.4)),
    "Shift++": single(() => zoom(host, 1.4)),
    "-": single(() => zoom(host, 1 / 1.4)),
    y: tab("yaml"),
    e: tab("events"),
    l: tab("logs"),
    d: tab("summary"),
    Space: single((event) => {
      if (event.target.closest?.("button, a, summary, [role=tree]")) return;
      event.preventDefault();
      host.pause();
    }),
    Enter: single((event) => {
      if (event.target !== document.body && !event.target.closest?.(".kp-stage")) return;
      if (host.lastPod) host.querySelector("kp-panel")?.focusHead();
    }),
    Escape: (event) => {
      const field = event.target.closest?.(".kp-filter");
      if (field) {
        if (host.query) host.filterBy("");
        else field.blur();
      } else if (host.menu) host.menu = null;
      else if (host.picked.size) pickOnly(host, []);
      else if (!document.querySelector("dialog[open]") && host.lastPod) select(host, null);
    },
  });
}
