// Keys in the manner of k9s: pages bind what named actions do, users choose their keys.
//
//   this.unbind = bind({ "trace.step": () => this.step() });      in connectedCallback
//   this.unbind();                                                in disconnectedCallback
//
// Single keys work outside of fields only, and one switch turns them all off (WCAG 2.1.4).
import { ANYWHERE, DEFAULTS, EVERYWHERE } from "./actions.js";
import { isCharacter, pressOf, clash } from "./press.js";

const PATIENCE = 1200; // ms between the presses of "g t"

/** @type {{name: string, run: (event: KeyboardEvent) => void, when?: () => boolean}[]} */
let bound = [];
let chosen = {}; // the user's own keys: {name: [keys]}
let defaults = { ...DEFAULTS };
let presses = [];
let lastAt = 0;

let singles = true;

export const singleKeysOn = () => singles;

export function switchSingleKeys(on) {
  singles = on;
}

/** Gives the pages of the rail their actions. */
export function addDefaults(more) {
  defaults = { ...defaults, ...more };
}

export function allActions() {
  return Object.keys(defaults);
}

export function defaultKeys(name) {
  return defaults[name] ?? [];
}

/** Returns the keys of an action: the user's, or those that it comes with. */
export function keysOf(name) {
  return chosen[name] ?? defaultKeys(name);
}

export function chooseKeys(keys) {
  chosen = keys;
  window.dispatchEvent(new CustomEvent("kp-keys"));
}

export const chosenKeys = () => chosen;

/**
 * Binds actions to what they do; a page's come before those of the frame.
 * @param {Record<string, ((event: KeyboardEvent) => void) | {run: Function, when?: () => boolean}>} actions
 * @returns {() => void} what unbinds them
 */
export function bind(actions) {
  const added = Object.entries(actions).map(([name, work]) => ({ name, ...(typeof work === "function" ? { run: work } : work) }));
  bound = [...added, ...bound];
  return () => {
    bound = bound.filter((one) => !added.includes(one));
  };
}

/** Returns the actions that can be done now, each once, in the order in which they were bound. */
export function available() {
  const found = new Map();
  for (const one of bound) if (!found.has(one.name) && (one.when?.() ?? true)) found.set(one.name, one);
  return [...found.values()];
}

/** Does an action by name, as the palette does. */
export function act(name, event = new KeyboardEvent("keydown")) {
  available().find((one) => one.name === name)?.run(event);
}

const scope = (name) => name.split(".")[0];

/** Tells whether two actions can hold on one page. */
function together(one, other) {
  const [a, b] = [scope(one), scope(other)];
  return a === b || EVERYWHERE.includes(a) || EVERYWHERE.includes(b);
}

/** Returns the other actions that have a key in the way of `key`. */
export function conflicts(name, key, of = keysOf) {
  return allActions().filter((other) => other !== name && together(name, other) && of(other).some((one) => clash(one, key)));
}

/** Tells whether a key press belongs to a field rather than to the page. */
export function inField(event) {
  const target = event.composedPath()[0];
  return target instanceof Element && target.closest('input:not([type="range"]), textarea, select, [contenteditable], dialog[open]') !== null;
}

/** Wraps a handler so that it runs only when single keys are meant for the page. */
export function single(handler) {
  return (event) => {
    if (inField(event) || !singleKeysOn() || event.ctrlKey || event.metaKey || event.altKey) return;
    handler(event);
  };
}

/** Tells whether an action may take this press where it happened. */
function allowed(action, press, event) {
  if (ANYWHERE.has(action.name)) return true;
  const target = event.composedPath()[0];
  // Terminals have every key to themselves.
  if (target instanceof Element && target.closest("[data-own-keys]")) return false;
  if (/^(Mod|Ctrl|Alt|Meta)\+/.test(press)) return !document.querySelector("dialog[open]") || action.name.startsWith("frame.");
  if (inField(event)) return false;
  return singleKeysOn() || !isCharacter(press);
}

function find(sequence, press, event) {
  let partial = false;
  for (const action of bound) {
    for (const keys of keysOf(action.name)) {
      if (keys !== sequence && !keys.startsWith(`${sequence} `)) continue;
      if (!allowed(action, press, event) || !(action.when?.() ?? true)) continue;
      if (keys === sequence) return { action };
      partial = true;
    }
  }
  return { partial };
}

export function pressed(event) {
  if (event.defaultPrevented) return;
  const press = pressOf(event);
  if (!press) return;
  presses = event.timeStamp - lastAt < PATIENCE ? [...presses, press] : [press];
  lastAt = event.timeStamp;
  while (presses.length) {
    const { action, partial } = find(presses.join(" "), press, event);
    if (action) {
      presses = [];
      // An action may leave the press to the browser, by returning false.
      if (action.run(event) !== false) event.preventDefault();
      return;
    }
    if (partial) return;
    presses = presses.slice(1);
  }
}

export function startKeys() {
  window.addEventListener("keydown", pressed);
}
