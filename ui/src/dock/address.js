// The panel that is open, as a text for the page's address: "logs,ns:default,pod:web-1,grep:error".

// A log of very many pods is not put into an address.
const LONGEST = 1500;

const escaped = (text) => text.replace(/[%,]/g, encodeURIComponent);

/** Returns the text of a tab, empty for what an address cannot bring back. */
export function written({ panel, params }) {
  const parts = Object.entries(params).filter(([, value]) => value);
  const text = [panel, ...parts.map(([name, value]) => `${name}:${escaped(value)}`)].join(",");
  return text.length > LONGEST ? "" : text;
}

/** Reads such a text. Returns {panel, params}. */
export function read(text) {
  const [panel, ...parts] = text.split(",");
  const params = {};
  for (const part of parts) {
    const at = part.indexOf(":");
    if (at > 0) params[part.slice(0, at)] = unescaped(part.slice(at + 1));
  }
  return { panel, params };
}

function unescaped(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // written by hand
  }
}
