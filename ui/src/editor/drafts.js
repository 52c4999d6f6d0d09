// What one has written and not sent yet: it outlives a reload and a visit to other pages, in this tab alone.
import { ofTab } from "../storage.js";
import { split } from "./documents.js";

const PREFIX = "kubeground.editor";
// A browser keeps some 5 MB for a site: one text must not take the room of all.
const LONGEST = 1_000_000;
// What is not to be left behind in the browser, or has no room there, outlives other pages only.
const here = new Map();

/** Names the draft of a page: each object has one, also begun from a revision, and so has the new text of a cluster. */
export const keyOf = ({ cluster, object, user, from }) => [PREFIX, user, cluster, object ? `${object.resource}/${object.namespace}/${object.name}` : "", ...(from ? [from] : [])].join(" ");

/** The values of Secrets end with the page. */
const secret = (text) => split(text).some(({ about }) => about.kind === "Secret");

export function save(key, text, base, storage = ofTab()) {
  const draft = { text, base };
  forget(key, storage);
  try {
    if (text.length > LONGEST || secret(text)) here.set(key, draft);
    else storage.setItem(key, JSON.stringify(draft));
  } catch {
    here.set(key, draft);
  }
}

export function forget(key, storage = ofTab()) {
  here.delete(key);
  storage?.removeItem(key);
}

/** Returns {text, base}, or null. */
export function find(key, storage = ofTab()) {
  if (here.has(key)) return here.get(key);
  try {
    const found = JSON.parse(storage.getItem(key));
    return typeof found?.text === "string" ? found : null;
  } catch {
    return null;
  }
}
