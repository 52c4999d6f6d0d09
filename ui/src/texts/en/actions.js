// Titles of actions, as help, palette and settings show them; and of the groups that they stand in.
export const actions = {
  "frame.help": "Keys of this page",
  "frame.filter": "Filter",
  "go.clusters": "Clusters",
  "dock.toggle": "Open or close the dock",
};

export const actionGroups = {
  frame: "Everywhere",
  go: "Go to",
  dock: "Dock",
};
