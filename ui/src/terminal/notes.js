// What stands under a terminal about how it is: lost and back, ended and why, never begun.
import { html, nothing } from "lit";

import { t } from "../texts.js";
import { GONE } from "./connection.js";

const button = (text, work) => html`<button type="button" class="kp-button" @click=${work}>${text}</button>`;
const again = (terminal) => button(t.terminal.again[terminal.kind], () => terminal.again());

/** By name, what each note of a terminal says. */
const NOTES = {
  starting: (_, terminal) => html`<p role="status">${t.terminal.starting[terminal.kind]}</p>`,
  lost: ({ at, tries }) => html`<p role="status" class="kp-term-warn">${t.terminal.lost(at, tries)}</p>`,
  back: ({ missed }) => html`<p role="status">${missed ? t.terminal.backMissing(missed) : t.terminal.back}</p>`,
  full: () => html`<p role="status" class="kp-term-warn">${t.terminal.inputFull}</p>`,
  words: ({ text }) => html`<p role="status">${text}</p>`,
  exit: ({ code, why }, terminal) => html`<p role="status">${why ? t.terminal.endedBecause(why) : t.terminal.ended(code)} ${again(terminal)}</p>`,
  over: (note, terminal) => html`<p role="alert" class="kp-term-warn">${overText(note)} ${note.code === GONE ? again(terminal) : wayOut(note)}</p>`,
  plain: ({ offer }, terminal) => warning(offer, terminal),
  failed: ({ text }, terminal) => html`<div role="alert" class="kp-term-warn"><p>${t.terminal.failed}</p><pre class="kp-verbatim">${text}</pre>${button(t.terminal.tryAgain, () => terminal.again())}</div>`,
};

export const noteBar = (terminal) => NOTES[terminal.note.name](terminal.note, terminal);

function overText({ code, wasOpen }) {
  if (code === GONE) return wasOpen ? t.terminal.restarted : t.terminal.forgotten;
  return code === 4404 ? t.clusterGone : t.signedOut;
}

function wayOut({ code }) {
  return code === 4404 ? html`<a href="/">${t.allClusters}</a>` : html`<a href="/sign-in" data-full>${t.signIn}</a>`;
}

/** Before a shell without a sandbox: what it is, why, and what to install for a better one. */
function warning(offer, terminal) {
  const { terminal: texts } = t;
  return html`<div class="kp-term-card" role="alert">
    <h2>${texts.plainTitle}</h2>
    <p>${texts.plainText}</p>
    <p>${texts.plainWhy} ${offer.why}</p>
    ${offer.install ? html`<p>${texts.install} <code>${offer.install}</code></p>` : nothing}
    <p>${button(texts.plainAccept, () => terminal.again({ accept: true }))} ${button(texts.tryAgain, () => terminal.again())}</p>
  </div>`;
}
