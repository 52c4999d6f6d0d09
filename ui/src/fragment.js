// A part of a page, as htmx asks for it.

/** Returns the response, or null where none comes. */
export const fragment = (url) => fetch(url, { headers: { "HX-Request": "true" } }).catch(() => null);

/** Shows the text of a fragment in an element. */
export function fill(element, text) {
  element.innerHTML = text;
  window.htmx?.process(element);
}
