// xterm with what all our terminals have: fit, search, wide characters, colours and size of the page.
import { FitAddon } from "@xterm/addon-fit";
import { Unicode11Addon } from "@xterm/addon-unicode11";
import { WebLinksAddon } from "@xterm/addon-web-links";
import { Terminal } from "@xterm/xterm";

import { openStrictly, strictDocument } from "./styles.js";
import { fontOf, themeOf } from "./theme.js";

const SIZE_KEY = "kp-terminal-size";
const READER_KEY = "kp-terminal-reader";
const USUAL_SIZE = 13;
const SMALLEST = 9;
const LARGEST = 28;
const SCROLLBACK = 10_000;

function stored(key, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(key)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

function store(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // It lasts for this page then.
  }
}

/** What a user chose for all terminals: text size, screen reader mode. */
export const preferences = {
  get size() {
    return Math.min(LARGEST, Math.max(SMALLEST, Number(stored(SIZE_KEY, USUAL_SIZE)) || USUAL_SIZE));
  },
  set size(px) {
    store(SIZE_KEY, Math.min(LARGEST, Math.max(SMALLEST, px)));
    window.dispatchEvent(new CustomEvent("kp-terminal-preferences"));
  },
  get screenReader() {
    return Boolean(stored(READER_KEY, false));
  },
  set screenReader(on) {
    store(READER_KEY, on);
    window.dispatchEvent(new CustomEvent("kp-terminal-preferences"));
  },
};

/** Opens an address that a program printed, when it is clicked with Ctrl or Cmd: never by accident. */
function openAddress(event, uri) {
  if ((event.ctrlKey || event.metaKey) && /^https?:/.test(uri)) window.open(uri, "_blank", "noopener,noreferrer");
}

export class Screen {
  /** @param {HTMLElement} host @param {object} options of xterm, on top of ours */
  constructor(host, options = {}) {
    this.host = host;
    this.terminal = new Terminal({
      allowProposedApi: true,
      documentOverride: strictDocument,
      fontFamily: fontOf(host),
      fontSize: preferences.size,
      lineHeight: 1.2,
      cursorBlink: !matchMedia("(prefers-reduced-motion: reduce)").matches,
      scrollback: SCROLLBACK,
      minimumContrastRatio: 4.5,
      screenReaderMode: preferences.screenReader,
      theme: themeOf(host),
      linkHandler: { activate: openAddress, allowNonHttpProtocols: false },
      macOptionIsMeta: true,
      ...options,
    });
    this.fitting = new FitAddon();
    this.terminal.loadAddon(this.fitting);
    this.terminal.loadAddon(new Unicode11Addon());
    this.terminal.loadAddon(new WebLinksAddon(openAddress));
    this.terminal.unicode.activeVersion = "11";
    openStrictly(this.terminal, host);
    this.onLook = () => this.look();
    this.onPreferences = () => {
      this.terminal.options.fontSize = preferences.size;
      this.terminal.options.screenReaderMode = preferences.screenReader;
      this.fit();
    };
    this.scheme = matchMedia("(prefers-color-scheme: dark)");
    this.scheme.addEventListener("change", this.onLook);
    window.addEventListener("kp-theme", this.onLook);
    window.addEventListener("kp-terminal-preferences", this.onPreferences);
    this.sizes = new ResizeObserver(() => this.fitSoon());
    this.sizes.observe(host);
  }

  /** The search, loaded when somebody looks for something. */
  async searching() {
    if (this.search) return this.search;
    const { SearchAddon } = await import("@xterm/addon-search");
    if (!this.search) {
      this.search = new SearchAddon();
      this.terminal.loadAddon(this.search);
    }
    return this.search;
  }

  look() {
    this.terminal.options.theme = themeOf(this.host);
  }

  fitSoon() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.fit());
  }

  fit() {
    if (this.host.offsetWidth && this.host.offsetHeight) this.fitting.fit();
  }

  dispose() {
    cancelAnimationFrame(this.frame);
    this.scheme.removeEventListener("change", this.onLook);
    window.removeEventListener("kp-theme", this.onLook);
    window.removeEventListener("kp-terminal-preferences", this.onPreferences);
    this.sizes.disconnect();
    this.terminal.dispose();
  }
}
