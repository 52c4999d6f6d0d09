// Copying, and saying on the button that asked, or aloud, how it went.
import { say } from "./router.js";
import { t } from "./texts.js";
import { flushState } from "./url.js";

/** Copies text and says so on the button that asked. */
export async function copy(text, button) {
  let word = t.copied;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    word = t.copyFailed;
  }
  say(word);
  if (!button) return;
  const before = [...button.childNodes];
  button.replaceChildren(word);
  setTimeout(() => button.replaceChildren(...before), 1500);
}

/** Copies the text of the element that a button names. */
export function copyFrom(button) {
  return copy(document.querySelector(button.dataset.copy).textContent.trim(), button);
}

/** Copies this page's address with everything that is chosen in it. */
export function copyAddress(button) {
  flushState();
  return copy(location.href, button);
}
