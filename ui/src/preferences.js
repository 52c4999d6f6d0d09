// What the user prefers: on the root element when the page comes, changed here, kept by the site.
import { chooseKeys, switchSingleKeys } from "./keys.js";
import { request } from "./request.js";

const root = document.documentElement;
const DARK = { light: "not all", dark: "all", system: "(prefers-color-scheme: dark)" };

export const theme = () => root.dataset.theme;

/** Tells whether things should keep still. */
export function calm() {
  return root.dataset.motion === "reduce" || matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/** Keeps a change with the user; pages that follow have it, whatever browser they are in. */
export function keep(changes) {
  return request("PATCH", "/api/preferences", changes, { keepalive: true });
}

export function chooseTheme(name) {
  root.dataset.theme = name;
  document.querySelector("link[data-dark]").media = DARK[name];
  for (const button of document.querySelectorAll("[data-set-theme]")) {
    button.setAttribute("aria-pressed", String(button.dataset.setTheme === name));
  }
  // What draws by itself reads its colours anew.
  window.dispatchEvent(new CustomEvent("kp-theme"));
  return keep({ theme: name });
}

export function chooseSingleKeys(on) {
  switchSingleKeys(on);
  for (const box of document.querySelectorAll("[data-keys-toggle]")) box.checked = on;
  return keep({ single_keys: on });
}

/** Takes over what the page came with. */
export function readPreferences() {
  switchSingleKeys(root.dataset.singleKeys !== "off");
  chooseKeys(JSON.parse(root.dataset.keys ?? "{}"));
}
