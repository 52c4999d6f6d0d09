// Sentences that the site tells, where they stand by themselves.
import { html, nothing } from "lit";

import { t } from "./texts.js";

/** Ends a sentence; what the API says may have a full stop of its own. */
export const ended = (text) => (/[.。!?]$/.test(text) ? text : t.fullStop(text));

/** Where it happened, unless all that is shown is of one namespace. */
export const within = (namespace, ns = "") => (namespace && !ns ? html`<span class="kp-muted">${namespace}</span>` : nothing);
