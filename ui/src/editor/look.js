// How YAML looks, wherever it is shown by CodeMirror. Colours are the page's own, so they follow its theme.
//
// The library's styles are constructed sheets in a shadow root, which the policy of contents allows.
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";

export const theme = EditorView.theme({
  "&": { fontSize: "12.5px", color: "var(--kp-ink)", backgroundColor: "var(--kp-surface)" },
  ".cm-content": { fontFamily: "var(--kp-mono)", caretColor: "var(--kp-ink)" },
  ".cm-gutters": { color: "var(--kp-muted)", backgroundColor: "var(--kp-sunken)", border: "0" },
});

const style = HighlightStyle.define([
  { tag: [tags.definition(tags.propertyName), tags.propertyName], color: "var(--kp-accent)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--kp-good)" },
  { tag: [tags.comment, tags.lineComment], color: "var(--kp-muted)", fontStyle: "italic" },
  { tag: [tags.keyword, tags.typeName, tags.labelName, tags.meta, tags.separator], color: "var(--kp-past)" },
  { tag: [tags.punctuation, tags.squareBracket, tags.brace], color: "var(--kp-muted)" },
]);

export const colours = syntaxHighlighting(style);

/** Marks of what differs: `a` is before, `b` after; the same words where both are in one text. */
export const differences = EditorView.theme({
  "&.cm-merge-a .cm-changedLine, .cm-deletedChunk": { backgroundColor: "var(--kp-bad-soft)" },
  "&.cm-merge-b .cm-changedLine": { backgroundColor: "color-mix(in srgb, var(--kp-good) 14%, transparent)" },
  "&.cm-merge-a .cm-changedText, .cm-deletedChunk .cm-deletedText": { background: "color-mix(in srgb, var(--kp-bad) 28%, transparent)" },
  "&.cm-merge-b .cm-changedText": { background: "color-mix(in srgb, var(--kp-good) 28%, transparent)" },
  // Colours of the text are made for its own background.
  ".cm-changedText, .cm-changedText *, .cm-deletedText, .cm-deletedText *": { color: "var(--kp-ink)" },
  // The signs around the number are in few fonts.
  ".cm-collapsedLines:before, .cm-collapsedLines:after": { content: '""' },
  ".cm-collapsedLines": { color: "var(--kp-muted)", background: "var(--kp-sunken)" },
});
