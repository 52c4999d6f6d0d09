// A part of a page, as htmx asks for it.

/** Returns the response, or null where none comes. */
export const fragment = (url) => fetch(url, { headers: { "HX-Request": "true" } }).catch(() => null);
