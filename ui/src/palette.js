// The canvas's colours, read from the page's own custom properties: one place for both.
import { CLASSES } from "./status.js";

const NAMES = ["ground", "tile", "tray", "card", "line", "ink", "muted", "accent", "warn", "select"];

/** Reads the colours that hold for an element now. */
export function readPalette(element) {
  const style = getComputedStyle(element);
  const palette = { font: style.fontFamily };
  for (const name of NAMES) palette[name] = style.getPropertyValue(`--kp-canvas-${name}`).trim();
  for (const name of CLASSES) palette[name] = style.getPropertyValue(`--kp-status-${name}`).trim();
  // How wide a letter is, in parts of its size: measuring each text would cost more than drawing it.
  const ctx = document.createElement("canvas").getContext("2d");
  const letters = "abcdefghijklmnoprstuvwxyz-0123456789";
  for (const [name, weight] of [["letter", 400], ["boldLetter", 600]]) {
    ctx.font = `${weight} 100px ${palette.font}`;
    palette[name] = ctx.measureText(letters).width / letters.length / 100;
  }
  return palette;
}
