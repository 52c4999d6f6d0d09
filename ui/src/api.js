// Calls of the site's own REST API, with the session's token against forged requests.
import { heard } from "./problems.js";

/** What the API refused: its words, and the HTTP status. */
export class ApiError extends Error {
  constructor(status, error) {
    super(error?.message ?? `HTTP ${status}`);
    this.status = status;
    this.code = error?.code ?? "";
    this.fields = error?.fields ?? {};
    this.causes = error?.causes ?? [];
    this.audit = error?.audit_id ?? "";
  }
}

/** The body tells htmx the token for its requests; ours need the same. */
function token() {
  const headers = document.body.getAttribute("hx-headers:inherited");
  return headers ? JSON.parse(headers)["X-CSRFToken"] : "";
}

/**
 * Sends a request; returns what the answer holds.
 * @param {string} method
 * @param {string} url
 * @param {object} [body]
 * @param {{signal?: AbortSignal}} [options]
 */
export async function call(method, url, body, { signal } = {}) {
  const headers = { Accept: "application/json" };
  if (method !== "GET") Object.assign(headers, { "X-CSRFToken": token(), "Content-Type": "application/json" });
  const response = await fetch(url, { method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body) });
  const text = await response.text();
  let answer = null;
  try {
    answer = text ? JSON.parse(text) : null;
  } catch {
    // A page of an intermediary: its status says enough.
  }
  if (response.ok) return answer;
  const error = new ApiError(response.status, answer?.error);
  heard(method, url, body, error);
  throw error;
}

export const get = (url, options) => call("GET", url, undefined, options);
export const post = (url, body, options) => call("POST", url, body, options);
