// What the dock can hold, in the order of its buttons. A panel is a custom element:
//
//   its attributes are `cluster` and the parameters with which it was opened;
//   focusPanel()                    is asked when its tab is chosen from the keyboard or anew;
//   closing()                       is asked when the user closes its tab (leaving a page is not closing);
//   kp-panel-title {title, state}   is an event of its own that names its tab anew;
//   kp-panel-params {params}        ... that changes what is remembered of it, over a reload too;
//   kp-panel-close                  ... that closes its tab.
//
// It stays in the document while one goes from page to page of a cluster: open connections in
// connectedCallback, close them in disconnectedCallback. While its tab is not shown it is `hidden`.
import { styled } from "../styles.js";
import { t } from "../texts.js";

/**
 * @typedef {object} Panel
 * @property {string} name
 * @property {string} tag               the custom element
 * @property {string} icon              an SVG path in a square of 20
 * @property {() => Promise} load       imports the module that defines the element
 * @property {string} button            what the dock's button says; without it, only others open the panel
 * @property {(params: object) => string} title   what its tab says
 * @property {boolean} [many]           each press of the button opens another one
 * @property {boolean} [linked]         whoever opens the page's address finds it open as it is
 * @property {string[]} [view]          parameters that say how one looks at it, not at what
 */

/** @type {Panel[]} */
export const PANELS = [
  {
    name: "terminal",
    tag: "kp-terminals",
    icon: "M2.5 4h15v12h-15zM5.5 7.5 8 10l-2.5 2.5M10 12.5h4",
    load: () => import("../terminal.js"),
    button: t.terminal.name,
    title: (params) => params.pod || params.node || t.terminal.name,
    many: true,
  },
  {
    name: "logs",
    tag: "kp-dock-logs",
    icon: "M4 4.5h12M4 8.2h9M4 11.8h11M4 15.5h6",
    load: () => import("./kp-dock-logs.js"),
    linked: true,
    view: ["since", "grep", "only", "times", "wrap", "follow"],
    title: (params) => (params.pod ? `${params.pod}${params.container ? ` · ${params.container}` : ""}` : t.dock.logs),
  },
  {
    name: "events",
    tag: "kp-events",
    icon: "M10 3.5v7M10 14v1.5M3 17.5h14",
    load: () => import("./kp-events.js"),
    button: t.dock.events,
    linked: true,
    view: ["ns", "type", "q", "grouped"],
    title: ({ object }) => (object ? `${t.dock.events} · ${object}` : t.dock.events),
  },
  {
    name: "editor",
    tag: "kp-dock-editor",
    icon: "M4 5h12M4 9h7M4 13h4M10.5 15.5l.5-2.5 5-5 2 2-5 5z",
    load: () => Promise.all([import("../editor/kp-dock-editor.js"), styled(document.querySelector("kp-dock").dataset.editor)]),
    button: t.editor.name,
    linked: true,
    view: ["how", "view"],
    title: ({ name }) => name || t.editor.title,
  },
];

export const panelNamed = (name) => PANELS.find((panel) => panel.name === name);
