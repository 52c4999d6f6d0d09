// Goes from page to page without a new document: the dock and its connections stay.
//
// A click on a plain link of the site fetches the page and takes over what differs: #main, top bar,
// rail, title, classes of the body, and the page's own styles and scripts. A page's script runs once
// per document and before the page is there, so it only defines custom elements; what is due on each
// visit belongs into their connectedCallback. Without scripts, with a modifier, or with `data-full`, a
// link is a plain link.
// At a past revision every link within the cluster stays there, but for those with `data-live`.
import { carry, stay } from "./carry.js";
import { styled } from "./styles.js";
import { t } from "./texts.js";
import { flushState } from "./url.js";

const PARTS = [".kp-topbar", ".kp-rail"];
let coming = null; // the AbortController of the visit that is under way
let here = location.pathname + location.search;

/** Goes to an address of the site; `live` leaves the past that one looks at. */
export function visit(address, { replace = false, live = false } = {}) {
  const url = stay(address, location.href, live ? [] : ["rev"]);
  if (url.origin !== location.origin) return location.assign(url);
  return load(url, () => {
    rememberPlace();
    history[replace ? "replaceState" : "pushState"]({ y: 0 }, "", url);
    window.scrollTo(0, 0);
  });
}

/** Fetches the page again, where it is. */
export function refresh() {
  return load(new URL(location.href), () => {}, { quiet: true });
}

async function load(url, arrived, { quiet = false } = {}) {
  coming?.abort();
  coming = new AbortController();
  const { signal } = coming;
  const busy = setTimeout(() => document.body.setAttribute("data-loading", ""), 150);
  try {
    const next = await read(url, signal);
    if (!next) return;
    // Address and page change in one step: who sees the one can use the other.
    await show(() => {
      if (signal.aborted) return;
      flushState();
      arrived();
      here = location.pathname + location.search;
      swap(next);
    });
    signal.throwIfAborted();
    if (!quiet) arriveAt();
  } catch (error) {
    if (error.name !== "AbortError") complain(url, error);
  } finally {
    clearTimeout(busy);
    if (coming?.signal === signal) document.body.removeAttribute("data-loading");
  }
}

/** Returns the page as a document, or nothing when the browser goes there by itself. */
async function read(url, signal) {
  const response = await fetch(url, { signal, headers: { Accept: "text/html", "KP-Visit": "1" } });
  const html = (response.headers.get("Content-Type") ?? "").startsWith("text/html");
  const next = html && new DOMParser().parseFromString(await response.text(), "text/html");
  // A download, a sign-in, or a newer release than this one: a new document.
  if (!next || !next.getElementById("main") || build(next) !== build(document) || user(next) !== user(document)) {
    location.assign(url);
    return null;
  }
  if (response.redirected) url.href = response.url + url.hash;
  // Parsed without scripts, their content would be elements.
  next.querySelectorAll("noscript").forEach((one) => one.remove());
  await Promise.all([styles(next), scripts(next)]);
  signal.throwIfAborted();
  return next;
}

const build = (page) => page.querySelector("script[data-base]")?.getAttribute("src");
const user = (page) => `${page.documentElement.lang} ${page.body.dataset.user ?? ""}`;

/** Loads the style sheets that the page has and this document does not; a page is never shown bare. */
function styles(next) {
  return Promise.all([...next.querySelectorAll("link[rel=stylesheet]")].map((link) => styled(link.getAttribute("href"))));
}

/** A module runs once per document, however often its page comes. */
function scripts(next) {
  const wanted = [...next.querySelectorAll("script[type=module][src]")].map((script) => new URL(script.getAttribute("src"), location.href));
  return Promise.all(wanted.map((url) => import(url.href)));
}

async function show(change) {
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches || document.documentElement.dataset.motion === "reduce";
  if (!document.startViewTransition || still || document.visibilityState === "hidden") change();
  else await document.startViewTransition(change).updateCallbackDone;
}

function swap(next) {
  window.dispatchEvent(new CustomEvent("kp-leave"));
  document.querySelectorAll("dialog[open]").forEach((dialog) => dialog.close());
  document.title = next.title;
  document.body.className = next.body.className;
  for (const selector of PARTS) replacePart(selector, next);
  replaceDock(next);
  const main = document.getElementById("main");
  main.replaceWith(document.adoptNode(next.getElementById("main")));
  document.getElementById("drawer")?.replaceChildren(...(next.getElementById("drawer")?.childNodes ?? []));
  for (const part of [...PARTS, "#main"]) {
    const element = document.querySelector(part);
    if (element) window.htmx?.process(element);
  }
  window.dispatchEvent(new CustomEvent("kp-page"));
}

function replacePart(selector, next) {
  const old = document.querySelector(selector);
  const fresh = next.querySelector(selector);
  if (old && fresh) old.replaceWith(document.adoptNode(fresh));
  else if (fresh) document.getElementById("main").before(document.adoptNode(fresh));
  else old?.remove();
}

/** The dock of the same cluster stays; that of another one goes with what it holds. */
function replaceDock(next) {
  const old = document.querySelector("kp-dock");
  const fresh = next.querySelector("kp-dock");
  if (old?.getAttribute("cluster") === fresh?.getAttribute("cluster")) return;
  old?.remove();
  if (fresh) document.getElementById("main").after(document.adoptNode(fresh));
}

/** Moves the focus to the new page and says its title. */
function arriveAt() {
  const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const main = document.getElementById("main");
  if (target) target.scrollIntoView();
  (main.querySelector("[autofocus]") ?? main).focus({ preventScroll: true });
  say(document.title);
}

/** Lets a screen reader say something. */
export function say(text) {
  const voice = document.getElementById("voice");
  if (voice) voice.textContent = text;
}

function complain(url, error) {
  const box = document.createElement("div");
  box.className = "kp-note kp-bad kp-visit-problem";
  box.setAttribute("role", "alert");
  const line = document.createElement("p");
  line.textContent = `${t.frame.visitFailed(url.pathname)} `;
  const again = document.createElement("button");
  again.type = "button";
  again.className = "kp-link";
  again.textContent = t.frame.tryAgain;
  again.addEventListener("click", () => visit(url));
  line.append(again);
  const words = document.createElement("code");
  words.textContent = error.message;
  box.append(line, words);
  document.querySelector(".kp-visit-problem")?.remove();
  document.getElementById("main").prepend(box);
}

let scrolling = null;

function rememberPlace() {
  clearTimeout(scrolling);
  history.replaceState({ ...history.state, y: Math.round(window.scrollY) }, "");
}

/** Browsers tell of a step back only once it is done: the place is noted before. */
function scrolled() {
  clearTimeout(scrolling);
  scrolling = setTimeout(rememberPlace, 200);
}

/** Tells whether a click on a link is one that the router takes. */
function plain(event, link) {
  if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return false;
  if (link.target && link.target !== "_self") return false;
  if (link.origin !== location.origin || link.hasAttribute("download") || link.closest("[data-full]")) return false;
  if (["hx-get", "data-drawer"].some((name) => link.hasAttribute(name))) return false;
  const same = link.pathname + link.search === location.pathname + location.search;
  return !(same && link.hash);
}

/** Gives a link the address that it has from here: before it is followed, opened or copied. */
function settled(event) {
  const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
  // A link within a drawing (SVG) has another form of address, and goes its own way.
  if (!(link instanceof HTMLAnchorElement)) return null;
  flushState();
  const url = link.hasAttribute("data-carry") ? carry(link.href, location.href) : stay(link.href, location.href, link.hasAttribute("data-live") ? ["ns"] : undefined);
  if (url.href !== link.href) link.href = url.href;
  return link;
}

function clicked(event) {
  const link = settled(event);
  if (!link || !plain(event, link)) return;
  event.preventDefault();
  visit(link.href, { live: link.hasAttribute("data-live") });
}

/** Back and forward: a page may take the step by itself, by preventing `kp-traverse`. */
function traversed(event) {
  const now = location.pathname + location.search;
  if (now === here) return;
  here = now;
  const step = new CustomEvent("kp-traverse", { cancelable: true, detail: { url: new URL(location.href), state: event.state } });
  if (!window.dispatchEvent(step)) return;
  load(new URL(location.href), () => {}).then(() => window.scrollTo(0, event.state?.y ?? 0));
}

/** htmx asks to change the address: the history is ours alone. */
function htmxHistory(event) {
  event.preventDefault();
  const { type, path } = event.detail.history;
  flushState();
  history[type === "push" ? "pushState" : "replaceState"]({ y: 0 }, "", path);
  window.dispatchEvent(new CustomEvent("kp-address"));
}

export function startRouter() {
  history.scrollRestoration = "manual";
  document.addEventListener("click", clicked);
  for (const name of ["auxclick", "contextmenu"]) document.addEventListener(name, settled);
  window.addEventListener("popstate", traversed);
  document.addEventListener("htmx:before:history:update", htmxHistory);
  window.addEventListener("scroll", scrolled, { passive: true });
  window.addEventListener("kp-address", () => (here = location.pathname + location.search));
  if (history.state?.y) window.scrollTo(0, history.state.y);
}
