// The panes beside yours: live, and what the API would make of yours, with what differs marked. Loaded when one looks.
import { yaml } from "@codemirror/lang-yaml";
import { unifiedMergeView } from "@codemirror/merge";
import { EditorState } from "@codemirror/state";
import { EditorView, lineNumbers } from "@codemirror/view";

import { colours, differences, theme } from "./look.js";

const full = EditorView.theme({ "&": { height: "100%" }, ".cm-scroller": { fontFamily: "var(--kp-mono)", lineHeight: "1.55" }, "&.cm-focused": { outline: "2px solid var(--kp-accent)", outlineOffset: "-2px" } });

/** Shows a text in `host`; with `before`, what is new is marked, and what is gone stands between the lines. */
export function show(host, { text, before = null, label }) {
  const key = JSON.stringify([text, before, label]);
  if (host.shownKey === key) return;
  const top = host.pane?.scrollDOM.scrollTop ?? 0;
  host.pane?.destroy();
  host.shownKey = key;
  const root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  const compared = before === null ? [] : [unifiedMergeView({ original: before, mergeControls: false, collapseUnchanged: { margin: 3, minSize: 8 }, gutter: true })];
  host.pane = new EditorView({
    parent: root,
    root,
    state: EditorState.create({
      doc: text,
      extensions: [
        lineNumbers(), yaml(), colours, theme, differences, full, ...compared,
        EditorState.readOnly.of(true), EditorView.editable.of(false),
        EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0" }),
      ],
    }),
  });
  host.pane.scrollDOM.scrollTop = top;
}
