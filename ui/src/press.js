// How a key press is written: "g t", "Mod+k", "Shift+j", "?", "Space", "ArrowUp". Pure functions.

// An own name for what cannot stand in a list of keys that spaces separate.
const NAMES = { " ": "Space", Esc: "Escape" };
const MODIFIERS = new Set(["Shift", "Control", "Alt", "Meta", "AltGraph", "CapsLock", "Dead", "Process", "Unidentified"]);

export const isMac = (platform = globalThis.navigator?.platform ?? "") => /mac|iphone|ipad/i.test(platform);

/** Returns what the key is called, whatever is held with it. */
function nameOf(event) {
  const key = NAMES[event.key] ?? event.key;
  if (/^[A-Z]$/.test(key)) return key.toLowerCase();
  // On a keyboard of another script the letters are where they are on a Latin one.
  const elsewhere = key.length === 1 && key > "\u007f" && /^Key[A-Z]$/.test(event.code);
  return elsewhere ? event.code.at(-1).toLowerCase() : key;
}

/** Returns the modifiers that are held; Shift is told for letters and named keys, as it made "?" of "/". */
function heldWith(key, event, mac) {
  const held = [];
  // What AltGr makes is a character like any other.
  if (!event.getModifierState?.("AltGraph") || key.length > 1) {
    if (mac ? event.metaKey : event.ctrlKey) held.push("Mod");
    if (mac ? event.ctrlKey : event.metaKey) held.push(mac ? "Ctrl" : "Meta");
    if (event.altKey) held.push("Alt");
  }
  if (event.shiftKey && (key.length > 1 || /^[a-z]$/.test(key))) held.push("Shift");
  return held;
}

/** Writes a press down; null for a modifier alone or while an input method composes. */
export function pressOf(event, mac = isMac()) {
  if (event.isComposing || MODIFIERS.has(event.key)) return null;
  const key = nameOf(event);
  return [...heldWith(key, event, mac), key].join("+");
}

/** Tells whether a press types a character: such keys can be switched off (WCAG 2.1.4). */
export function isCharacter(press) {
  const key = press.replace(/^Shift\+/, "");
  return key.length === 1 || key === "Space";
}

/** Tells whether two lists of presses get into each other's way. */
export function clash(one, other) {
  return one === other || one.startsWith(`${other} `) || other.startsWith(`${one} `);
}

const SHOWN = { ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→", Escape: "Esc" };

/** Returns the caps of a key for people: [["Ctrl", "K"]], or one for each press of a sequence. */
export function caps(keys, mac = isMac()) {
  const name = (part) => {
    if (part === "Mod") return mac ? "⌘" : "Ctrl";
    return SHOWN[part] ?? part;
  };
  return keys.split(" ").map((press) => {
    const parts = press === "+" ? ["+"] : press.replace(/\+\+$/, "+\u0000").split("+").map((part) => (part === "\u0000" ? "+" : part));
    const combined = parts.length > 1;
    return parts.map((part) => (combined && /^[a-z]$/.test(part) ? part.toUpperCase() : name(part)));
  });
}
