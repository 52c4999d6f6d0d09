// Single keys work outside of fields only, and one switch turns them all off (WCAG 2.1.4).

const SWITCH = "kp-keys";

export function singleKeysOn() {
  try {
    return localStorage.getItem(SWITCH) !== "off";
  } catch {
    return true;
  }
}

export function switchSingleKeys(on) {
  try {
    localStorage.setItem(SWITCH, on ? "on" : "off");
  } catch {
    // Without storage they stay on.
  }
}

/** Tells whether a key press belongs to a field rather than to the page. */
export function inField(event) {
  const target = event.composedPath()[0];
  return target instanceof Element && target.closest("input, textarea, select, [contenteditable], dialog[open]") !== null;
}

/** Wraps a handler so that it runs only when single keys are meant for the page. */
export function single(handler) {
  return (event) => {
    if (inField(event) || !singleKeysOn() || event.ctrlKey || event.metaKey || event.altKey) return;
    handler(event);
  };
}
