// English: one file per page or part of the frame, so that none grows without bound.
import { actionGroups, actions } from "./en/actions.js";
import { common } from "./en/common.js";
import { dock, frame } from "./en/frame.js";
import { timeline } from "./en/timeline.js";
import { act, logs, objects } from "./en/objects.js";

export const english = {
  ...common,
  actions,
  actionGroups,
  frame,
  dock,
  timeline,
  objects,
  act,
  logs,
};
