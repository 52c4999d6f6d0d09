// Simplified Chinese. A page that is not listed here yet is in English.
import { english } from "./en.js";
import { actionGroups, actions } from "./zh-hans/actions.js";
import { common } from "./zh-hans/common.js";
import { dock, frame } from "./zh-hans/frame.js";
import { palette } from "./zh-hans/palette.js";
import { settings } from "./zh-hans/settings.js";

export const pages = { ...common, actionGroups, actions, dock, frame, palette, settings };
export const chinese = { ...english, ...pages };
