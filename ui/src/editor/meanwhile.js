// What others do while one edits: the text follows, or is kept and merged; nothing of it is lost.
import { connection, live } from "../el/kp-freshness.js";
import { say } from "../router.js";
import { t } from "../texts.js";
import { Following } from "./following.js";

export function follow(editor) {
  const { cluster, object } = editor.config;
  const { resource: kind, namespace, name } = object;
  editor.following = new Following(cluster, { ...object, uid: editor.live?.uid }, {
    read: () => editor.read({ kind, namespace, name }),
    now: (live) => changedTo(editor, live),
    gone: () => vanished(editor),
    state: (state) => tell(editor, state),
  });
  editor.following.start();
}

export function changedTo(editor, live) {
  if (editor.live && Number(live.revision) <= Number(editor.live.revision)) return;
  if (!editor.code) {
    editor.live = live;
    return;
  }
  delete editor.notes.deleted;
  editor.live = live;
  if (!editor.base || live.text === editor.base.text) editor.base = { text: live.text, revision: live.revision };
  else if (editor.text === editor.base.text) adopt(editor, live, t.editor.followed(live.revision, live.manager || t.editor.somebody));
  else if (!editor.dirty) editor.base = { text: live.text, revision: live.revision };
  else {
    editor.notes.changed = { from: editor.base.revision, to: live.revision, by: live.manager };
    editor.notes.merged = "";
    say(changedWords(editor));
  }
  editor.again();
}

export function changedWords(editor) {
  const { from, to, by } = editor.notes.changed;
  return t.editor.changed(from, to, by || t.editor.somebody);
}

export function adopt(editor, { text, revision }, words = "") {
  editor.base = { text, revision };
  editor.code.replace(text);
  delete editor.notes.changed;
  delete editor.notes.draft;
  editor.merging = [];
  editor.notes.merged = words;
  editor.draw();
}

/** Brings their changes into one's own text. */
export async function merge(editor) {
  const merging = await import("./merge3.js");
  const { text, conflicts } = merging.merge(editor.base.text, editor.text, editor.live.text);
  editor.code.replace(text);
  editor.base = { text: editor.live.text, revision: editor.live.revision };
  editor.merging = conflicts;
  delete editor.notes.changed;
  editor.notes.merged = conflicts.length ? "" : t.editor.merged(editor.live.revision);
  say(conflicts.length ? t.editor.mergedBut(conflicts.length) : editor.notes.merged);
  editor.again();
}

/** Where the lines of a conflict stand by now: one may have written on, and the same may stand elsewhere. */
function nearest(text, { mine, from }) {
  const places = [text.lastIndexOf(mine, from), text.indexOf(mine, from)].filter((at) => at >= 0);
  return places.sort((a, b) => Math.abs(a - from) - Math.abs(b - from))[0] ?? -1;
}

/** Settles a place that both changed. */
export function settle(editor, conflict, theirs) {
  editor.merging = editor.merging.filter((one) => one !== conflict);
  const from = theirs ? nearest(editor.text, conflict) : -1;
  if (from >= 0) {
    // Lines that one side has not at all come, or go, with their end.
    const to = from + conflict.mine.length + (conflict.theirs || conflict.empty ? 0 : 1);
    const lines = conflict.empty ? `${conflict.theirs}\n` : conflict.theirs;
    editor.code.change(from, Math.min(to, editor.text.length), lines);
    for (const one of editor.merging) if (one.from > from) one.from += lines.length - (to - from);
  }
  if (!editor.merging.length) editor.notes.merged = t.editor.merged(editor.base.revision);
  editor.draw();
}

function vanished(editor) {
  editor.notes.deleted = true;
  editor.live = null;
  delete editor.notes.changed;
  if (editor.how !== "create") editor.choose("how", "create");
  say(t.editor.deleted(editor.config.object.kind, editor.config.object.name));
  editor.again();
}

function tell(editor, state) {
  if (editor.docked) return; // the chip is the page's
  const { seen, stream } = editor.following;
  if (state.name === "beat") live(seen, stream);
  else connection(state, seen);
}
