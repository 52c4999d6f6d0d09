// The REST API of terminals: one's own, in one cluster.

const root = (cluster) => `/api/clusters/${encodeURIComponent(cluster)}/terminals`;

/** The token that Django wants with what changes something; the page's body holds it for htmx. */
function token() {
  try {
    return JSON.parse(document.body.getAttribute("hx-headers:inherited"))["X-CSRFToken"];
  } catch {
    return "";
  }
}

/** An answer that says no: `code` is the API's word for it. */
export class Refusal extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

async function ask(method, path, body) {
  const response = await fetch(path, {
    method,
    headers: { "X-CSRFToken": token(), ...(body && { "Content-Type": "application/json" }) },
    body: body && JSON.stringify(body),
  });
  const text = await response.text();
  const answer = text && response.headers.get("Content-Type")?.includes("json") ? JSON.parse(text) : {};
  if (!response.ok) {
    const { code = "", message = `${response.status} ${response.statusText}` } = answer.error ?? {};
    throw new Refusal(response.status, code, message);
  }
  return answer;
}

export const list = (cluster) => ask("GET", root(cluster));
export const open = (cluster, wish) => ask("POST", root(cluster), wish);
export const end = (cluster, id) => ask("DELETE", `${root(cluster)}/${id}`);
export const record = (cluster, id, on) => ask("POST", `${root(cluster)}/${id}/recording`, { on });
export const recordingUrl = (cluster, id) => `${root(cluster)}/${id}/recording`;

export async function recording(cluster, id) {
  const response = await fetch(recordingUrl(cluster, id));
  if (!response.ok) throw new Refusal(response.status, "", response.statusText);
  return response.text();
}

export function streamUrl(cluster, id) {
  const url = new URL(`/ws/clusters/${encodeURIComponent(cluster)}/terminal/${id}/`, location.href);
  url.protocol = url.protocol.replace("http", "ws");
  return url.href;
}
