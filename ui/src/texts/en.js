// English: one file per page or part of the frame, so that none grows without bound.
import { actionGroups, actions } from "./en/actions.js";
import { common } from "./en/common.js";
import { editor } from "./en/editor.js";
import { events } from "./en/events.js";
import { dock, frame } from "./en/frame.js";
import { act, logs, objects, tries } from "./en/objects.js";
import { overview } from "./en/overview.js";
import { palette } from "./en/palette.js";
import { relations } from "./en/relations.js";
import { settings } from "./en/settings.js";
import { terminal } from "./en/terminal.js";
import { timeline } from "./en/timeline.js";
import { topology } from "./en/topology.js";
import { trace } from "./en/trace.js";

export const english = {
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
