// The editor as a panel of the dock: it stays while one looks at other pages.
import { get } from "../api.js";
import { t } from "../texts.js";
import { readState } from "../url.js";
import "./kp-editor.js";

const ABOUT = ["kind", "namespace", "name", "ns"];

class DockEditor extends HTMLElement {
  connectedCallback() {
    if (!this.firstChild) this.open();
  }

  get cluster() {
    return this.getAttribute("cluster");
  }

  async open() {
    this.replaceChildren(note(t.editor.opening));
    // A new text is for the namespace that the page shows.
    const given = { ns: readState().ns, ...Object.fromEntries(ABOUT.map((name) => [name, this.getAttribute(name)]).filter(([, value]) => value)) };
    const query = new URLSearchParams(Object.entries(given).filter(([, value]) => value));
    try {
      this.show(await get(`/api/clusters/${this.cluster}/editor/opening?${query}`));
    } catch (error) {
      this.explain(error);
    }
  }

  show(config) {
    const editor = document.createElement("kp-editor");
    editor.docked = { how: this.getAttribute("how") ?? "", view: this.getAttribute("view") ?? "" };
    editor.config = config;
    this.replaceChildren(editor);
    if (this.wanted) this.focusPanel();
  }

  explain(error) {
    const line = note(t.editor.notOpened, "kp-note kp-bad");
    line.setAttribute("role", "alert");
    line.append(" ", Object.assign(document.createElement("code"), { textContent: error.message }), " ");
    const again = Object.assign(document.createElement("button"), { type: "button", className: "kp-button", textContent: t.frame.tryAgain });
    again.addEventListener("click", () => this.open());
    line.append(again);
    this.replaceChildren(line);
  }

  /** Moves the focus into the text, as soon as there is one. */
  async focusPanel() {
    const editor = this.querySelector("kp-editor");
    this.wanted = !editor;
    await editor?.updateComplete;
    if (editor?.code) editor.code.view.focus();
    else editor?.querySelector("button, a")?.focus();
  }
}

function note(text, look = "kp-muted kp-ed-none") {
  return Object.assign(document.createElement("p"), { className: look, textContent: text });
}

customElements.define("kp-dock-editor", DockEditor);
