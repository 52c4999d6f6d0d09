// What one has written and not sent yet: it outlives a reload and a visit to other pages, in this tab alone.
import { split } from "./documents.js";

const PREFIX = "kubeground.editor";
// A browser keeps some 5 MB for a site: one text must not take the room of all.
const LONGEST = 1_000_000;

/** Names the draft of a page: each object has one, and so has the new text of a cluster. */
export const keyOf = ({ cluster, object, user }) => [PREFIX, user, cluster, object ? `${object.resource}/${object.namespace}/${object.name}` : ""].join(" ");

/** Values of Secrets are not left behind in the browser. */
const secret = (text) => split(text).some(({ about }) => about.kind === "Secret");

export function save(key, text, base, storage = sessionStorage) {
  if (text.length > LONGEST || secret(text)) return forget(key, storage);
  try {
    storage.setItem(key, JSON.stringify({ text, base }));
    return true;
  } catch {
    return false; // the room is used up: leaving the page asks
  }
}

export function forget(key, storage = sessionStorage) {
  storage.removeItem(key);
  return false;
}

/** Returns {text, base}, or null. */
export function find(key, storage = sessionStorage) {
  try {
    const found = JSON.parse(storage.getItem(key));
    return typeof found?.text === "string" ? found : null;
  } catch {
    return null;
  }
}
