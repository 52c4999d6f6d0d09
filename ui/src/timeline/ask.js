// Questions to the site's REST API of one cluster.

export class Problem extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

const token = () => document.querySelector("input[name=csrfmiddlewaretoken]")?.value ?? "";

async function answer(response) {
  const text = await response.text();
  let body = null;
  try {
    body = text ? JSON.parse(text) : null;
  } catch {
    // What is no JSON comes from something between: its status says enough.
  }
  if (!response.ok) throw new Problem(response.status, body?.error?.message ?? `${response.status} ${response.statusText}`);
  return body;
}

/** Returns what a GET below a cluster's REST API answers. Throws Problem. */
export async function ask(cluster, path, params = {}, signal = undefined) {
  const query = new URLSearchParams(Object.entries(params).filter(([, value]) => value !== null && value !== undefined));
  const url = `/api/clusters/${encodeURIComponent(cluster)}${path}?${query}`;
  return answer(await fetch(url, { headers: { Accept: "application/json" }, signal }));
}

/** Sends JSON, or a form with files. Throws Problem. */
export async function send(method, url, body = undefined) {
  const headers = { Accept: "application/json", "X-CSRFToken": token() };
  if (body !== undefined && !(body instanceof FormData)) headers["Content-Type"] = "application/json";
  const content = body === undefined || body instanceof FormData ? body : JSON.stringify(body);
  return answer(await fetch(url, { method, headers, body: content }));
}

/** Runs the newest of several loads, and lets those before it go. */
export class Latest {
  async run(work) {
    this.controller?.abort();
    const controller = (this.controller = new AbortController());
    try {
      return await work(controller.signal);
    } catch (error) {
      if (controller.signal.aborted) return undefined;
      throw error;
    }
  }

  stop() {
    this.controller?.abort();
  }
}
