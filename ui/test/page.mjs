// Enough of a browser that the modules of pages can be loaded, and what they draw read as text.
//
// Import it before them. Lit itself comes before: it shall not take this for a real document.
import "lit";
import { customElements as elements, HTMLElement as Element } from "@lit-labs/ssr-dom-shim";

const silent = { addEventListener() {}, removeEventListener() {}, dispatchEvent() {} };

Object.assign(globalThis, {
  ...silent,
  customElements: elements,
  HTMLElement: Element,
  Element,
  location: new URL("http://127.0.0.1/clusters/lab/page?q=1"),
  history: { state: null, replaceState() {}, pushState() {} },
  requestAnimationFrame: () => 0,
  cancelAnimationFrame: () => {},
  devicePixelRatio: 1,
  sessionStorage: null,
  matchMedia: () => ({ matches: true, ...silent }),
});
globalThis.window = globalThis;
globalThis.navigator ??= { language: "en", userAgent: "", platform: "" };
globalThis.document = {
  ...silent,
  documentElement: { lang: "en", dataset: {}, style: {}, classList: { toggle() {} } },
  body: { dataset: {}, style: {}, getAttribute: () => null, classList: { contains: () => false } },
  visibilityState: "visible",
  querySelector: () => null,
  querySelectorAll: () => [],
  getElementById: () => null,
};

/** Reads a template as a person does: its words, without elements and their attributes. */
export function said(template) {
  return printed(template)
    .replace(/<[^>]*>/g, " ")
    .replace(/&(\w+);/g, (all, name) => ({ amp: "&", lt: "<", gt: ">", nbsp: " " })[name] ?? all)
    .replace(/\s+/g, " ")
    .replace(/ ([.,:;])/g, "$1")
    .trim();
}

/** Prints a template with the values that are put into it; what is none of text stays out. */
export function printed(value) {
  if (Array.isArray(value)) return value.map(printed).join("");
  if (value?.strings) return value.strings.map((text, i) => text + printed(value.values[i])).join("");
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

/** Finds what an event would call: the functions of a template, in their order. */
export function handlers(value) {
  if (Array.isArray(value)) return value.flatMap(handlers);
  if (typeof value === "function") return [value];
  return value?.strings ? value.values.flatMap(handlers) : [];
}

/** Makes an element that is on no page, with these fields. */
export function element(tag, fields = {}) {
  const made = new (elements.get(tag))();
  Object.defineProperty(made, "updateComplete", { value: Promise.resolve() });
  return Object.assign(made, fields);
}
