// Titles of actions, as help, palette and settings show them; and of the groups that they stand in.
export const actions = {
  "frame.help": "Keys of this page",
  "frame.filter": "Filter",
  "go.clusters": "Clusters",
  "dock.toggle": "Open or close the dock",
  "past.back": "One revision back",
  "past.forward": "One revision forward",
  "timeline.back": "One revision back",
  "timeline.play": "Play or pause",
  "timeline.forward": "One revision forward",
  "timeline.objectBack": "The change of the chosen object before this",
  "timeline.objectForward": "The next change of the chosen object",
  "timeline.first": "The oldest revision",
  "timeline.last": "Live",
  "timeline.jump": "Go to a revision",
  "timeline.bookmark": "Set or remove a bookmark",
  "timeline.setA": "Compare from here (A)",
  "timeline.setB": "Compare with this (B)",
};

export const actionGroups = {
  frame: "Everywhere",
  go: "Go to",
  dock: "Dock",
  past: "The past",
  timeline: "Timeline",
};
