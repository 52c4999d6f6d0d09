// A page's state in its address, so that it can be pasted; what is the default is left out.

/** Reads the query string into an object of strings. */
export function readState() {
  return Object.fromEntries(new URLSearchParams(location.search));
}

let timer = null;
let pending = {};

/** Changes some of the state; an empty value removes its key. Writes at most every 150 ms. */
export function writeState(changes) {
  Object.assign(pending, changes);
  timer ??= setTimeout(flushState, 150);
}

/** Writes what waits: before one leaves, or copies the address. */
export function flushState() {
  if (!timer) return;
  clearTimeout(timer);
  timer = null;
  const params = new URLSearchParams(location.search);
  for (const [key, value] of Object.entries(pending)) {
    if (value === "" || value === null || value === undefined) params.delete(key);
    else params.set(key, value);
  }
  pending = {};
  // Slashes and commas are legal in a query and easier to read.
  const text = params.toString().replaceAll("%2F", "/").replaceAll("%2C", ",").replaceAll("%3A", ":").replaceAll("%3D", "=");
  history.replaceState(history.state, "", text ? `?${text}` : location.pathname);
  window.dispatchEvent(new CustomEvent("kp-address"));
}
