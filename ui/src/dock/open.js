// How any part of a page opens a panel of the dock: openPanel("logs", { ns, pod, container }).
//
// In markup: <button type="button" data-panel="logs" data-panel-params='{"ns": "default", "pod": "web-0"}'>.

/** Opens a panel, or shows the one that has the same parameters; `focus` moves the focus there. */
export function openPanel(name, params = {}, { focus = true, many = false } = {}) {
  window.dispatchEvent(new CustomEvent("kp-dock-open", { detail: { name, params, focus, many } }));
}

/** Opens a shell in a pod, or on a node. */
export function openShell(plural, { ns, name }, container = "") {
  openPanel("terminal", plural === "nodes" ? { kind: "node", node: name } : { kind: "pod", ns, pod: name, ...(container && { container }) });
}

/** Tells whether this page has a dock. */
export const hasDock = () => document.querySelector("kp-dock") !== null;
