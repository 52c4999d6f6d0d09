// The editor of a text: CodeMirror in a shadow root, with the marks of what is wrong.
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, foldGutter, foldKeymap, indentOnInput, indentUnit } from "@codemirror/language";
import { lintGutter, lintKeymap, nextDiagnostic, setDiagnostics } from "@codemirror/lint";
import { Compartment, EditorState } from "@codemirror/state";
import {
  drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers, placeholder, rectangularSelection,
} from "@codemirror/view";

import { colours, theme } from "./look.js";

const own = EditorView.theme({
  "&": { height: "100%" },
  "&.cm-focused": { outline: "2px solid var(--kp-accent)", outlineOffset: "-2px" },
  ".cm-scroller": { fontFamily: "var(--kp-mono)", lineHeight: "1.55" },
  ".cm-activeLine": { backgroundColor: "color-mix(in srgb, var(--kp-accent) 6%, transparent)" },
  ".cm-activeLineGutter": { backgroundColor: "transparent", color: "var(--kp-ink)" },
  ".cm-cursor": { borderLeftColor: "var(--kp-ink)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { background: "color-mix(in srgb, var(--kp-accent) 22%, transparent)" },
  ".cm-matchingBracket, &.cm-focused .cm-matchingBracket": { backgroundColor: "var(--kp-accent-soft)", outline: "1px solid var(--kp-accent)" },
  ".cm-placeholder": { color: "var(--kp-muted)" },
  ".cm-foldPlaceholder": { color: "var(--kp-muted)", background: "var(--kp-sunken)", border: "1px solid var(--kp-line)" },
  ".cm-tooltip": { font: "12.5px/1.45 var(--kp-font)", color: "var(--kp-ink)", backgroundColor: "var(--kp-surface)", border: "1px solid var(--kp-line-strong)", borderRadius: "7px", boxShadow: "var(--kp-shadow)", overflow: "hidden" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--kp-mono)", maxHeight: "19em" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "3px 8px" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { color: "var(--kp-accent-ink)", background: "var(--kp-accent)" },
  ".cm-completionLabel": { fontWeight: "500" },
  ".cm-completionMatchedText": { textDecoration: "none", fontWeight: "700" },
  ".cm-completionDetail": { color: "var(--kp-muted)", fontStyle: "normal", fontSize: "0.92em", marginLeft: "1em" },
  "li[aria-selected] .cm-completionDetail": { color: "inherit" },
  ".cm-tooltip.cm-completionInfo": { padding: "8px 12px", maxWidth: "380px", whiteSpace: "pre-line" },
  ".cm-diagnostic": { padding: "6px 12px", borderLeft: "4px solid transparent", whiteSpace: "pre-wrap", fontFamily: "var(--kp-mono)" },
  ".cm-diagnostic-error": { borderLeftColor: "var(--kp-bad)" },
  ".cm-diagnostic-warning": { borderLeftColor: "var(--kp-warn)" },
  ".cm-diagnostic-info": { borderLeftColor: "var(--kp-accent)" },
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--kp-bad) 1.5px", textUnderlineOffset: "3px" },
  ".cm-lintRange-warning": { backgroundImage: "none", textDecoration: "underline wavy var(--kp-warn) 1.5px", textUnderlineOffset: "3px" },
  ".cm-lintRange-info": { backgroundImage: "none", textDecoration: "underline dotted var(--kp-accent) 1.5px", textUnderlineOffset: "3px" },
  // The library's markers are images within a style, which the policy of contents refuses.
  ".cm-lint-marker": { content: "normal", width: "0.9em", height: "0.9em", borderRadius: "50%", margin: "0.3em 0.1em" },
  ".cm-lint-marker-error": { content: "normal", background: "var(--kp-bad)" },
  ".cm-lint-marker-warning": { content: "normal", background: "var(--kp-warn)", borderRadius: "1px" },
  ".cm-lint-marker-info": { content: "normal", background: "var(--kp-accent)" },
  ".cm-kp-field": { padding: "8px 12px", maxWidth: "440px" },
  ".cm-kp-field p": { margin: "4px 0 0", whiteSpace: "pre-line" },
  ".cm-kp-field code": { fontFamily: "var(--kp-mono)" },
  ".cm-kp-field .cm-kp-type": { color: "var(--kp-muted)" },
  ".cm-panels": { color: "var(--kp-ink)", backgroundColor: "var(--kp-sunken)", borderColor: "var(--kp-line)" },
  ".cm-panel.cm-search": { padding: "6px 10px", font: "13px var(--kp-font)" },
  ".cm-panel.cm-search input, .cm-panel.cm-search button": { font: "inherit", color: "var(--kp-ink)", background: "var(--kp-surface)", border: "1px solid var(--kp-line-strong)", borderRadius: "5px", padding: "2px 8px" },
  ".cm-panel.cm-search label": { font: "inherit" },
  ".cm-searchMatch": { backgroundColor: "var(--kp-flash)", outline: "0" },
  ".cm-searchMatch-selected": { backgroundColor: "color-mix(in srgb, var(--kp-warn) 45%, transparent)" },
});

/** The search panel is a part of its own: few need it. */
function searching() {
  const part = new Compartment();
  const open = (view) => {
    import("@codemirror/search").then(({ openSearchPanel, search, searchKeymap }) => {
      view.dispatch({ effects: part.reconfigure([search({ top: true }), keymap.of(searchKeymap)]) });
      openSearchPanel(view);
    });
    return true;
  };
  return [part.of([]), keymap.of([{ key: "Mod-f", run: open }])];
}

export class Code {
  /**
   * @param {HTMLElement} host
   * @param {{text: string, label: string, hint: string, readOnly: boolean, changed: (byUser: boolean) => void,
   *   moved: () => void}} given
   */
  constructor(host, given) {
    const root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
    this.editable = new Compartment();
    this.help = new Compartment();
    const { changed, moved } = given;
    this.view = new EditorView({
      parent: root,
      root,
      state: EditorState.create({
        doc: given.text,
        extensions: [
          this.help.of([]),
          lineNumbers(), foldGutter(), lintGutter(), history(), drawSelection(), rectangularSelection(),
          indentUnit.of("  "), indentOnInput(), bracketMatching(), highlightActiveLine(), highlightActiveLineGutter(),
          yaml(), colours,
          searching(),
          keymap.of([...defaultKeymap.filter(({ key }) => key !== "Mod-Enter"), ...historyKeymap, ...foldKeymap, ...lintKeymap, indentWithTab]),
          EditorState.tabSize.of(2),
          EditorView.contentAttributes.of({ "aria-label": given.label, tabindex: "0", spellcheck: "false", autocapitalize: "off" }),
          placeholder(given.hint),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) changed();
            else if (update.selectionSet) moved();
          }),
          this.editable.of(lock(given.readOnly)),
          theme, own,
        ],
      }),
    });
  }

  get text() {
    return this.view.state.doc.toString();
  }

  get position() {
    return this.view.state.selection.main.head;
  }

  /** Puts another text in place of all, as one step that can be undone; what is the same stays where it is. */
  replace(text) {
    const now = this.text;
    if (text === now) return;
    let from = 0;
    while (from < Math.min(now.length, text.length) && now[from] === text[from]) from++;
    let end = 0;
    while (end < Math.min(now.length, text.length) - from && now.at(-1 - end) === text.at(-1 - end)) end++;
    this.view.dispatch({ changes: { from, to: now.length - end, insert: text.slice(from, text.length - end) } });
  }

  change(from, to, insert) {
    this.view.dispatch({ changes: { from, to, insert } });
  }

  /** Adds what helps to write: it comes a moment after the text. */
  assist(extensions) {
    this.view.dispatch({ effects: this.help.reconfigure(extensions) });
  }

  mark(diagnostics) {
    const length = this.view.state.doc.length;
    const within = diagnostics.map((one) => ({ ...one, from: Math.min(one.from, length), to: Math.min(one.to, length) }));
    this.view.dispatch(setDiagnostics(this.view.state, within));
  }

  nextProblem() {
    nextDiagnostic(this.view);
    this.view.focus();
  }

  go(offset, to = offset) {
    const length = this.view.state.doc.length;
    this.view.dispatch({ selection: { anchor: Math.min(offset, length), head: Math.min(to, length) }, effects: EditorView.scrollIntoView(Math.min(offset, length), { y: "center" }) });
    this.view.focus();
  }

  line(offset) {
    return this.view.state.doc.lineAt(Math.min(offset, this.view.state.doc.length)).number;
  }

  destroy() {
    this.view.destroy();
  }
}

const lock = (readOnly) => [EditorState.readOnly.of(readOnly), EditorView.editable.of(!readOnly)];
