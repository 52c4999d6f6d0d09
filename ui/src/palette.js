// The canvas's colours, read from the page's own custom properties: one place for both.
import { CLASSES } from "./status.js";

const NAMES = ["ground", "tile", "tray", "card", "line", "ink", "muted", "accent", "warn", "select"];

/** Reads the colours that hold for an element now. */
export function readPalette(element) {
  const style = getComputedStyle(element);
  const palette = { font: style.fontFamily };
  for (const name of NAMES) palette[name] = style.getPropertyValue(`--kp-canvas-${name}`).trim();
  for (const name of CLASSES) palette[name] = style.getPropertyValue(`--kp-status-${name}`).trim();
  return palette;
}
