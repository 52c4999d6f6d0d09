// Other editors of the same text. Two on one page, above the dock and in it, show one text, as of one file; of those
// in other tabs of the browser one hears that there are changes.

// What is of a text and not of an editor.
const OF_TEXT = ["base", "live", "how", "notes", "merging", "taken", "answers", "said", "busy", "written"];

/** The editors of the same text on this page. */
export function twinsOf(editor) {
  if (editor.readOnly) return [];
  return [...document.querySelectorAll("kp-editor")].filter((one) => one !== editor && one.code && !one.readOnly && one.draftKey === editor.draftKey);
}

/** Takes over what another editor here shows; returns its text, undefined where there is none. */
export function joined(editor) {
  const [twin] = twinsOf(editor);
  if (twin) take(editor, twin);
  return twin?.text;
}

function take(editor, twin) {
  for (const name of OF_TEXT) editor[name] = twin[name];
}

/** Shows in the other editors what was done in this one. */
export function show(editor) {
  if (editor.quiet || !editor.code) return;
  for (const twin of twinsOf(editor)) mirror(twin, editor);
}

function mirror(editor, twin) {
  const { how } = editor;
  quietly(editor, () => {
    take(editor, twin);
    editor.code.replace(twin.text);
    editor.marked();
  });
  if (how !== editor.how) editor.check();
}

/** Does what the other editors need not be told. */
export function quietly(editor, work) {
  editor.quiet = true;
  work();
  editor.quiet = false;
}

/** Hears from other tabs, where changes of this object may be, too. */
export async function listen(editor) {
  const { code } = editor;
  const { Elsewhere } = await import("./elsewhere.js");
  if (code !== editor.code) return;
  editor.elsewhere = new Elsewhere(editor.draftKey, (there) => {
    editor.changedElsewhere = there;
    editor.draw();
  });
  editor.elsewhere.tell(editor.dirty);
}
