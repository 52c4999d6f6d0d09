// The terminal's colours: ground and ink are the page's, the sixteen are chosen for contrast on them.

const LIGHT = {
  black: "#182030", red: "#b3261e", green: "#14713f", yellow: "#7a5000", blue: "#2557c9", magenta: "#8a2f9e", cyan: "#0b6b78", white: "#6b7688",
  brightBlack: "#56617a", brightRed: "#a3124b", brightGreen: "#0f6236", brightYellow: "#6b4600", brightBlue: "#1d46a3", brightMagenta: "#732684", brightCyan: "#095965", brightWhite: "#182030",
};
const DARK = {
  black: "#46536a", red: "#ff8f86", green: "#58c98c", yellow: "#e5b454", blue: "#84aaff", magenta: "#d59cf0", cyan: "#5ccfdd", white: "#c6cfdd",
  brightBlack: "#9eabc1", brightRed: "#ffb0a9", brightGreen: "#85e0ae", brightYellow: "#f3cd84", brightBlue: "#adc6ff", brightMagenta: "#e7c1f8", brightCyan: "#93e3ec", brightWhite: "#ffffff",
};

/** Reads the colours that hold for an element now. */
export function themeOf(element) {
  const style = getComputedStyle(element);
  const token = (name) => style.getPropertyValue(`--kp-${name}`).trim();
  const dark = style.colorScheme.includes("dark");
  return {
    ...(dark ? DARK : LIGHT),
    background: token("surface"),
    foreground: token("ink"),
    cursor: token("accent"),
    cursorAccent: token("surface"),
    selectionBackground: dark ? "#34508f" : "#c4d6ff",
    selectionInactiveBackground: dark ? "#2b3546" : "#dfe5ef",
  };
}

export const fontOf = (element) => getComputedStyle(element).getPropertyValue("--kp-mono").trim();
