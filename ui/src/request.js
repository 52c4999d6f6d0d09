// Requests to the site's own REST API: JSON both ways, with the token that a session asks for.

/** What the site refused, in its own words: {"error": {"code", "message", "fields"?}}. */
export class Refused extends Error {
  constructor(status, error) {
    super(error?.message ?? `HTTP ${status}`);
    this.status = status;
    this.code = error?.code ?? "";
    this.fields = error?.fields ?? {};
  }
}

export function csrfToken() {
  return document.querySelector("meta[name=csrf-token]")?.content ?? "";
}

/** Sends a request; returns the answer's JSON, or null where there is none. */
export async function request(method, address, body, options = {}) {
  const headers = { Accept: "application/json", "X-CSRFToken": csrfToken() };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const response = await fetch(address, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), ...options });
  const isJson = (response.headers.get("Content-Type") ?? "").includes("json");
  const answer = isJson ? await response.json() : null;
  if (!response.ok) throw new Refused(response.status, answer?.error);
  return answer;
}
