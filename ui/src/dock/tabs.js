// The tabs of a dock as plain data, and how they are remembered in the browser.

/** @typedef {{id: string, panel: string, params: Record<string, string>, title?: string, state?: string}} Tab */

const NOTHING = Object.freeze({ tabs: [], active: null, open: false });

// `crypto.randomUUID` is there on https and on loopback alone.
const fresh = () => Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** What a panel is about: its parameters without those that say how one looks at it. */
const about = (params, view) => JSON.stringify(Object.entries(params).filter(([name, value]) => value && !view.includes(name)).sort());

/** Opens a tab, or finds the one with the same panel and parameters; those in `view` may differ. */
export function opened(state, panel, params, { many = false, view = [], id = fresh() } = {}) {
  const same = !many && state.tabs.find((tab) => tab.panel === panel && about(tab.params, view) === about(params, view));
  if (same) return { ...state, active: same.id, open: true };
  return { tabs: [...state.tabs, { id, panel, params }], active: id, open: true };
}

/** Closes a tab; its right neighbour is shown then, or the left one; without any, the dock shuts. */
export function closed(state, id) {
  const at = state.tabs.findIndex((tab) => tab.id === id);
  if (at < 0) return state;
  const tabs = state.tabs.filter((tab) => tab.id !== id);
  const active = state.active === id ? ((tabs[at] ?? tabs[at - 1])?.id ?? null) : state.active;
  return { tabs, active, open: state.open && tabs.length > 0 };
}

/** Changes one tab. */
export function changed(state, id, changes) {
  return { ...state, tabs: state.tabs.map((tab) => (tab.id === id ? { ...tab, ...changes } : tab)) };
}

/** Returns the tab that is `by` places from the active one, around the ends. */
export function beside(state, by) {
  const at = state.tabs.findIndex((tab) => tab.id === state.active);
  return state.tabs[(at + by + state.tabs.length) % state.tabs.length]?.id ?? null;
}

/** Reads what was kept of a cluster's dock; panels that exist no longer are left out. */
export function recalled(storage, cluster, known) {
  try {
    const kept = JSON.parse(storage.getItem(`kp-dock:${cluster}`));
    const tabs = kept.tabs.filter((tab) => known(tab.panel) && typeof tab.id === "string");
    const active = tabs.some((tab) => tab.id === kept.active) ? kept.active : (tabs[0]?.id ?? null);
    return { tabs, active, open: Boolean(kept.open) && tabs.length > 0 };
  } catch {
    return NOTHING; // nothing kept, or storage is forbidden
  }
}

export function keep(storage, cluster, state) {
  try {
    if (state.tabs.length) storage.setItem(`kp-dock:${cluster}`, JSON.stringify(state));
    else storage.removeItem(`kp-dock:${cluster}`);
  } catch {
    // The dock lasts for this page then.
  }
}
