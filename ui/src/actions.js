// Every action that a key can have, with the keys that it has until a user chooses others.
//
// A page binds what they do (keys.js); their titles stand in texts/*/actions.js. The part before the
// dot is where an action holds: those of EVERYWHERE on all pages, the others where something of that
// name is shown. `go.<page>` come from the rail and are not listed here.
export const EVERYWHERE = ["frame", "go", "dock", "past"];

/** @type {Record<string, string[]>} */
export const DEFAULTS = {
  "frame.palette": ["Mod+k"],
  "frame.command": [":"],
  "frame.help": ["?"],
  "frame.filter": ["/"],
  "frame.theme": [],
  "frame.back": ["["],
  "frame.forward": ["]"],
  "frame.copy-link": ["Shift+c"],
  "go.clusters": ["g c"],
  "go.settings": ["g ,"],
  "dock.toggle": ["Mod+`"],
  "dock.focus": ["F6"],
  "past.back": [","],
  "past.forward": ["."],
  "timeline.back": ["j", "ArrowLeft"],
  "timeline.play": ["k", "Space"],
  "timeline.forward": ["l", "ArrowRight"],
  "timeline.objectBack": ["Shift+ArrowLeft"],
  "timeline.objectForward": ["Shift+ArrowRight"],
  "timeline.first": ["Home"],
  "timeline.last": ["End"],
  "timeline.jump": ["#"],
  "timeline.nextMark": ["n"],
  "timeline.markBefore": ["Shift+n"],
  "timeline.bookmark": ["b"],
  "timeline.setA": ["Shift+a"],
  "timeline.setB": ["Shift+b"],
  "objects.describe": ["d"],
  "objects.yaml": ["y"],
  "objects.edit": ["e"],
  "objects.logs": ["l"],
  "objects.shell": ["s"],
  "objects.events": ["v"],
  "objects.owner": ["Shift+j"],
  "objects.users": ["u"],
  "objects.menu": ["m"],
  "objects.all": ["Mod+a"],
  "objects.delete": ["Mod+d"],
  "editor.write": ["Mod+Enter"],
  "editor.next": ["F8"],
  "editor.save": ["Mod+s"],
  "trace.play": ["Space"],
  "trace.step": ["n"],
  "trace.explain": ["e"],
  "trace.newer": ["k"],
  "trace.older": ["j"],
};

// These hold in fields and terminals too, where any other key belongs to what one writes.
export const ANYWHERE = new Set(["dock.toggle", "dock.focus"]);
