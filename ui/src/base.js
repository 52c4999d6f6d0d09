// What every page has: drawers, copying, theme, keys, and the small live parts.
import "./dock/kp-dock.js";
import "./el/kp-connect.js";
import "./el/kp-freshness.js";
import "./el/kp-logs.js";
import "./el/kp-past.js";
import { openPanel } from "./dock/open.js";
import { addDefaults, bind, singleKeysOn, startKeys, switchSingleKeys } from "./keys.js";
import { startRouter, visit } from "./router.js";
import { t } from "./texts.js";

const drawer = document.getElementById("drawer");
const help = document.getElementById("help");

/** Opens the drawer on a fragment of the site's. */
async function openDrawer(url) {
  const response = await fetch(url, { headers: { "HX-Request": "true" } });
  if (response.redirected) return location.assign(url);
  drawer.innerHTML = await response.text();
  if (window.htmx) window.htmx.process(drawer);
  return showDrawer();
}

function showDrawer() {
  const body = drawer.querySelector("[data-title]");
  if (body) drawer.setAttribute("aria-label", body.dataset.title);
  if (!drawer.open) drawer.showModal();
}

function closeDrawer() {
  drawer.close();
}

drawer.addEventListener("close", () => {
  drawer.replaceChildren();
  const url = new URL(location.href);
  if (url.searchParams.has("connect")) {
    url.searchParams.delete("connect");
    history.replaceState(null, "", url);
  }
});
drawer.addEventListener("click", (event) => {
  if (event.target === drawer) closeDrawer();
});
if (drawer.querySelector("[data-open]")) showDrawer();

/** Copies text and says so on the button that asked. */
export async function copy(text, button) {
  let word = t.copied;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    word = t.copyFailed;
  }
  const before = button.textContent;
  button.textContent = word;
  setTimeout(() => {
    button.textContent = before;
  }, 1500);
}

function toggleTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  try {
    localStorage.setItem("kp-theme", root.dataset.theme);
  } catch {
    // The choice lasts for this page then.
  }
  window.dispatchEvent(new CustomEvent("kp-theme"));
}

/** What a click on something with one of these attributes does. */
const CLICKS = {
  "[data-close]": closeDrawer,
  "[data-theme-toggle]": toggleTheme,
  "[data-help]": () => help.showModal(),
  "[data-panel]": (button) => openPanel(button.dataset.panel, JSON.parse(button.dataset.panelParams ?? "{}")),
  "[data-copy]": (button) => copy(document.querySelector(button.dataset.copy).textContent.trim(), button),
};

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
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
  const switcher = event.target.closest?.("#switcher");
  if (switcher) visit(switcher.form.dataset.pattern.replace("-cluster-", encodeURIComponent(switcher.value)));
});

const keysBox = document.querySelector("[data-keys-toggle]");
if (keysBox) {
  keysBox.checked = singleKeysOn();
  keysBox.addEventListener("change", () => switchSingleKeys(keysBox.checked));
}

/** The pages of the rail, as it stands: `g` and a key for each. */
function bindRail() {
  const links = [...document.querySelectorAll(".kp-rail a[data-page]")];
  addDefaults(Object.fromEntries(links.map((link) => [`go.${link.dataset.page}`, [`g ${link.dataset.key}`]])));
  return bind(Object.fromEntries(links.map((link) => [`go.${link.dataset.page}`, () => link.click()])));
}

bind({
  "frame.help": () => help.showModal(),
  "frame.filter": {
    when: () => document.querySelector("[data-filter]") !== null,
    run: () => {
      const field = document.querySelector("[data-filter]");
      field.focus();
      field.select();
    },
  },
  "go.clusters": () => visit("/"),
  "dock.toggle": {
    when: () => document.querySelector("kp-dock") !== null,
    run: () => document.querySelector("kp-dock").toggle(),
  },
});
let unbindRail = bindRail();
window.addEventListener("kp-page", () => {
  unbindRail();
  unbindRail = bindRail();
  if (drawer.querySelector("[data-open]")) showDrawer();
});
startKeys();
startRouter();
