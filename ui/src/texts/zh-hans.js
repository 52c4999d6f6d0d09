// Simplified Chinese. What is not translated yet is in English.
import { english } from "./en.js";
import { actionGroups, actions } from "./zh-hans/actions.js";
import { common } from "./zh-hans/common.js";
import { editor } from "./zh-hans/editor.js";
import { events } from "./zh-hans/events.js";
import { dock, frame } from "./zh-hans/frame.js";
import { act, logs, objects, tries } from "./zh-hans/objects.js";
import { overview } from "./zh-hans/overview.js";
import { palette } from "./zh-hans/palette.js";
import { relations } from "./zh-hans/relations.js";
import { settings } from "./zh-hans/settings.js";
import { terminal } from "./zh-hans/terminal.js";
import { timeline } from "./zh-hans/timeline.js";
import { topology } from "./zh-hans/topology.js";
import { trace } from "./zh-hans/trace.js";

export const pages = {
  ...common,
  act,
  actionGroups,
  actions,
  dock,
  editor,
  events,
  frame,
  logs,
  objects,
  overview,
  palette,
  relations,
  settings,
  terminal,
  timeline,
  topology,
  trace,
  tries,
};

/** Lays a translation over a catalogue, level by level. */
function over(below, above) {
  const plain = (value) => typeof value === "object" && !Array.isArray(value);
  const laid = Object.entries(above).map(([key, value]) => [key, key in below && plain(value) ? over(below[key], value) : value]);
  return { ...below, ...Object.fromEntries(laid) };
}

export const chinese = over(english, pages);
