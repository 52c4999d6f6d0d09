// The frame around every page: navigation, dock, keys.
export const frame = {
  visitFailed: (path) => `${path} did not load. You still see the page before.`,
  tryAgain: "Try again",
  or: "or",
};

export const dock = {
  label: "Dock",
  resize: "Height of the dock",
  open: "Open the dock",
  shut: "Close the dock",
  grow: "Make the dock as high as it goes",
  shrink: "Back to the height before",
  tabs: "Panels",
  closeTab: (title) => `Close ${title}`,
  loadFailed: (title) => `${title} did not load.`,
  events: "Events",
  logs: "Logs",
  live: "live",
  noPod: "Choose a pod to read its log.",
};
