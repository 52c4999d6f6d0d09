// The browser's storages, or null: where they are forbidden, naming them throws already.

function named(name) {
  try {
    return globalThis[name] ?? null;
  } catch {
    return null;
  }
}

export const ofTab = () => named("sessionStorage");
export const ofBrowser = () => named("localStorage");
