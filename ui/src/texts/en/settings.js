// The settings page.
export const settings = {
  filter: "Find an action or a key",
  single: "Single keys are on",
  resetAll: "Reset all keys",
  reset: "Reset",
  resetOf: (title) => `Reset the keys of ${title}`,
  add: "Add a key",
  addTo: (title) => `Add a key to ${title}`,
  change: (title, keys) => `Change ${keys} of ${title}`,
  remove: (title, keys) => `Take ${keys} from ${title}`,
  pressKey: "Press a key… (Esc leaves it)",
  clash: (titles) => `Also: ${titles.join(", ")}. The page's own action comes first.`,
  noAction: (query) => `No action and no key matches ${query}.`,
  notKept: (why) => `The keys hold on this page, but were not kept: ${why}`,
};
