// The commands of before, the last one first; and what was chosen lately.
const KEY = "kp-commands";
const MOST = 50;

export function commands() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? [];
  } catch {
    return [];
  }
}

export function rememberCommand(text) {
  const all = [text, ...commands().filter((one) => one !== text)].slice(0, MOST);
  try {
    localStorage.setItem(KEY, JSON.stringify(all));
  } catch {
    // It is forgotten then.
  }
}
