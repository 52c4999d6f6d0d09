// What every page has: going elsewhere, dock, keys, palette, drawers, menus, and the small live parts.
import "./dock/kp-dock.js";
import "./el/kp-connect.js";
import "./el/kp-freshness.js";
import "./el/kp-logs.js";
import "./el/kp-namespace.js";
import "./el/kp-past.js";
import { startClusterTime } from "./cluster-time.js";
import { openPanel } from "./dock/open.js";
import { closeDrawer, openDrawer, showDrawer, startDrawer } from "./drawer.js";
import { fillCaps, showHelp } from "./help.js";
import { addDefaults, bind, startKeys } from "./keys.js";
import { copyAddress, copyFrom } from "./copy.js";
import { chooseSingleKeys, chooseTheme, readPreferences, theme } from "./preferences.js";
import { startRouter, visit } from "./router.js";

const help = document.getElementById("help");

/** The palette comes when it is first asked for. */
async function openPalette(text = "") {
  // Once it is there it opens at once: what is typed next is for its line, not for the page.
  if (!customElements.get("kp-palette")) await import("./command/kp-palette.js");
  let palette = document.querySelector("kp-palette");
  if (!palette) {
    palette = document.createElement("kp-palette");
    document.body.append(palette);
  }
  palette.open(text);
}

/** What a click on something with one of these attributes does. */
const CLICKS = {
  "[data-close]": closeDrawer,
  "[data-set-theme]": (button) => chooseTheme(button.dataset.setTheme),
  "[data-palette]": () => openPalette(),
  "[data-help]": () => showHelp(help),
  "[data-panel]": (button) => openPanel(button.dataset.panel, JSON.parse(button.dataset.panelParams ?? "{}")),
  "[data-copy]": copyFrom,
  "[data-copy-address]": copyAddress,
};

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    if (!menu.contains(target) || target.closest("a, [data-help]")) menu.open = false;
  }
  const opener = target?.closest("[data-drawer]");
  // A click with a modifier opens the address itself, in another tab.
  if (opener && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    openDrawer(opener.dataset.drawer);
    return;
  }
  for (const [selector, work] of Object.entries(CLICKS)) {
    const found = target?.closest(selector);
    if (found) work(found);
  }
});

document.addEventListener("change", (event) => {
  const { target } = event;
  if (target.matches("#switcher")) visit(target.form.dataset.pattern.replace("-cluster-", encodeURIComponent(target.value)));
  else if (target.matches("[data-keys-toggle]")) chooseSingleKeys(target.checked);
});

document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && event.target.closest?.("details[data-menu][open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
  event.stopPropagation();
});

/** The pages of the rail, as it stands: `g` and a key for each. */
function bindRail() {
  const links = [...document.querySelectorAll(".kp-rail a[data-page]")];
  addDefaults(Object.fromEntries(links.map((link) => [`go.${link.dataset.page}`, [`g ${link.dataset.key}`]])));
  return bind(Object.fromEntries(links.map((link) => [`go.${link.dataset.page}`, () => link.click()])));
}

/** On a phone the rail is moved sideways: to the page that is shown. */
function showCurrent() {
  const rail = document.querySelector(".kp-rail");
  const link = rail?.querySelector("[aria-current]");
  if (link) rail.scrollLeft = link.offsetLeft - (rail.clientWidth - link.clientWidth) / 2;
}

function focusFilter() {
  const field = document.querySelector("[data-filter]");
  field.focus();
  field.select();
}

const THEMES = ["system", "light", "dark"];

readPreferences();
bind({
  "frame.palette": () => openPalette(),
  "frame.command": { when: () => document.querySelector("kp-dock") !== null, run: () => openPalette(":") },
  "frame.help": () => showHelp(help),
  "frame.filter": { when: () => document.querySelector("[data-filter]") !== null, run: focusFilter },
  "frame.theme": { when: () => document.querySelector("[data-set-theme]") !== null, run: () => chooseTheme(THEMES[(THEMES.indexOf(theme()) + 1) % 3]) },
  "frame.copy-link": () => copyAddress(),
  "frame.back": () => history.back(),
  "frame.forward": () => history.forward(),
  "go.clusters": () => visit("/"),
  "go.settings": () => visit("/settings"),
  "dock.focus": { when: () => document.querySelector("kp-dock") !== null, run: () => document.querySelector("kp-dock").swapFocus() },
  "dock.toggle": { when: () => document.querySelector("kp-dock") !== null, run: () => document.querySelector("kp-dock").toggle() },
});
let unbindRail = bindRail();
showCurrent();
fillCaps();
window.addEventListener("kp-keys", () => fillCaps());
window.addEventListener("kp-page", () => {
  unbindRail();
  unbindRail = bindRail();
  showCurrent();
  fillCaps();
  showDrawer();
});
startDrawer();
startKeys();
startRouter();
startClusterTime();
