// The keys of the topology. Everything that the mouse can do has one, and users may choose others.
import { bind } from "../keys.js";
import { visit } from "../router.js";
import { neighbour } from "../scene/hit.js";
import { act, actOnNodes, panelEntries, subjects, why } from "./actions.js";
import { cameraMoved, chooseLens, fit, zoom } from "./looking.js";
import { menuOfSelection } from "./menu.js";
import { pickAlso, pickOnly, select } from "./selection.js";

const STEP = 80; // px that one press pans
const LENSES = ["nodes", "owners", "traffic", "storage"];
// These have their own use of arrows, Enter and Space.
const OWN = "[role=tree], .kp-panel, .kp-scroll, .kp-context, .kp-dock";
const PRESSABLE = "button, a, summary, [role=tree], [role=separator], .kp-dock";
const WAYS = { left: [-1, 0], right: [1, 0], up: [0, -1], down: [0, 1] };

const within = (event, selector) => Boolean(event.target?.closest?.(selector));

/** Binds the keys; returns what unbinds them. */
export function bindKeys(host) {
  return bind({ ...moving(host), ...looking(host), ...reading(host), ...doing(host) });
}

function moving(host) {
  const found = {};
  const drawn = () => host.view !== "table" && Boolean(host.layout);
  for (const [name, [dx, dy]] of Object.entries(WAYS)) {
    const pan = (event) => {
      if (within(event, OWN)) return false;
      host.scene.panBy(-dx * STEP, -dy * STEP);
      return cameraMoved(host);
    };
    const go = (event) => {
      if (within(event, OWN)) return false;
      if (!host.selected) return pan(event);
      const next = neighbour(host.layout, host.selected, dx, dy);
      return next ? select(host, next) : undefined;
    };
    found[`topology.${name}`] = { run: go, when: drawn };
    found[`topology.pan-${name}`] = { run: pan, when: drawn };
  }
  return found;
}

function looking(host) {
  const found = {
    "topology.fit": () => fit(host),
    "topology.in": () => zoom(host, 1.4),
    "topology.out": () => zoom(host, 1 / 1.4),
    "topology.table": () => host.show(host.view === "table" ? "picture" : "table"),
    "topology.pause": { run: (event) => (within(event, PRESSABLE) ? false : host.pause()), when: () => !host.past },
    "topology.back": (event) => (within(event, ".kp-dock") ? false : back(host)),
  };
  for (const name of LENSES) found[`topology.${name}`] = () => chooseLens(host, name);
  return found;
}

/** Goes back by one: from the menu, the many, the selection. */
function back(host) {
  if (host.menu) host.menu = null;
  else if (host.picked.size) pickOnly(host, []);
  else if (host.lastPod) select(host, null);
  else return false;
  return undefined;
}

/** What one can look at of the selection: the same as the buttons of its panel. */
function reading(host) {
  const tab = (name) => ({
    run: () => {
      host.tab = name;
      host.requestUpdate();
    },
    when: () => Boolean(host.lastPod),
  });
  const button = (name) => {
    const entry = () => host.lastPod && panelEntries(host, host.lastPod).find(([one]) => one === name);
    const run = () => {
      const [, , work, refused] = entry();
      if (refused) return undefined;
      return typeof work === "string" ? visit(new URL(work, location.href)) : work();
    };
    return { run, when: () => Boolean(entry()) };
  };
  return {
    "topology.open": {
      run: (event) => (event.target === document.body || within(event, ".kp-stage") ? host.querySelector("kp-panel").focusHead() : false),
      when: () => Boolean(host.lastPod),
    },
    "topology.describe": tab("summary"),
    "topology.yaml": tab("yaml"),
    "topology.events": tab("events"),
    "topology.logs": tab("logs"),
    "topology.shell": button("shell"),
    "topology.edit": button("edit"),
    "topology.trace": button("trace"),
    "topology.why": { run: () => why(host), when: () => Boolean(host.lastPod) && !host.past },
    "topology.owner": { run: () => host.querySelector("kp-panel .kp-chain a")?.click(), when: () => Boolean(host.lastPod?.owner) },
    "topology.menu": { run: () => menuOfSelection(host), when: () => Boolean(host.selected) || host.picked.size > 0 },
  };
}

/** What one can do to the selection, or to the many that are picked. */
function doing(host) {
  const may = () => !host.readonly && subjects(host).length > 0;
  return {
    "topology.pick": { run: () => pickAlso(host, host.selected), when: () => Boolean(host.selected) },
    "topology.all": { run: () => pickOnly(host, host.shown().map((pod) => pod.uid)), when: () => host.shown().length > 0 },
    "topology.delete": { run: () => act(host, "delete", subjects(host)), when: may },
    "topology.label": { run: () => act(host, "label", subjects(host)), when: may },
    "topology.cordon": { run: () => actOnNodes(host, "cordon", subjects(host)), when: may },
    "topology.break": { run: () => host.breakSomething(), when: () => !host.readonly && !host.past && !host.rights.breaking },
  };
}
