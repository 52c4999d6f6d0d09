// Two texts side by side, with what differs marked. Loaded when somebody compares.
import { yaml } from "@codemirror/lang-yaml";
import { MergeView } from "@codemirror/merge";
import { EditorState } from "@codemirror/state";
import { EditorView, lineNumbers } from "@codemirror/view";

import { colours, differences, theme } from "../editor/look.js";

const extensions = (label) => [
  lineNumbers(),
  yaml(),
  colours,
  EditorState.readOnly.of(true),
  EditorView.editable.of(false),
  EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0" }),
  EditorView.lineWrapping,
  theme,
  differences,
];

/** Shows two texts in `host`, in place of those before. */
export function show(host, before, after) {
  host.merge?.destroy();
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
