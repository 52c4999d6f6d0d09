// Two texts side by side, with what differs marked. Loaded when somebody compares.
import { yaml } from "@codemirror/lang-yaml";
import { defaultHighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { MergeView } from "@codemirror/merge";
import { EditorState } from "@codemirror/state";
import { EditorView, lineNumbers } from "@codemirror/view";

const theme = EditorView.theme({
  "&": { fontSize: "12.5px", color: "var(--kp-ink)", backgroundColor: "var(--kp-surface)" },
  ".cm-content": { fontFamily: "var(--kp-mono)" },
  ".cm-gutters": { color: "var(--kp-muted)", backgroundColor: "var(--kp-sunken)", border: "0" },
  "&.cm-merge-a .cm-changedLine, .cm-deletedChunk": { backgroundColor: "var(--kp-bad-soft)" },
  "&.cm-merge-b .cm-changedLine": { backgroundColor: "color-mix(in srgb, var(--kp-good) 14%, transparent)" },
  "&.cm-merge-a .cm-changedText, .cm-deletedChunk .cm-deletedText": { background: "color-mix(in srgb, var(--kp-bad) 28%, transparent)" },
  "&.cm-merge-b .cm-changedText": { background: "color-mix(in srgb, var(--kp-good) 28%, transparent)" },
  // The signs around the number are in few fonts.
  ".cm-collapsedLines:before, .cm-collapsedLines:after": { content: '""' },
  ".cm-collapsedLines": { color: "var(--kp-muted)", background: "var(--kp-sunken)" },
});

const isDark = () => getComputedStyle(document.documentElement).colorScheme === "dark";

const extensions = (label) => [
  lineNumbers(),
  yaml(),
  // The library's colours are for light ground; on dark, the marks alone must do.
  ...(isDark() ? [] : [syntaxHighlighting(defaultHighlightStyle)]),
  EditorState.readOnly.of(true),
  EditorView.editable.of(false),
  EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0" }),
  EditorView.lineWrapping,
  theme,
];

/** Shows two texts in `host`, in place of those before. */
export function show(host, before, after) {
  host.merge?.destroy();
  // In a shadow root the library's styles are constructed sheets, which the policy of contents allows.
  const root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  host.merge = new MergeView({
    a: { doc: before, extensions: extensions("A") },
    b: { doc: after, extensions: extensions("B") },
    parent: root,
    root,
    collapseUnchanged: { margin: 3, minSize: 6 },
    gutter: true,
  });
}
