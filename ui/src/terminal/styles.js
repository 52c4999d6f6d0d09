// Lets xterm have its styles under a policy that allows no style elements and no style attributes.
//
// What it would write into <style> becomes a constructed sheet, which scripts may make; a style
// attribute becomes the same declarations on the element's own style object.

/** Stands where xterm puts a <style>; what is written into it holds while it is in the document. */
class Sheet extends HTMLElement {
  sheet = new CSSStyleSheet();

  set textContent(css) {
    this.sheet.replaceSync(css);
  }

  get textContent() {
    return "";
  }

  connectedCallback() {
    this.hidden = true;
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, this.sheet];
  }

  disconnectedCallback() {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((sheet) => sheet !== this.sheet);
  }
}

customElements.define("kp-sheet", Sheet);

const createElement = Document.prototype.createElement;

function make(tag, ...rest) {
  return createElement.call(document, tag === "style" ? "kp-sheet" : tag, ...rest);
}

// The spans of its rows are made by the page's own document, whatever other one xterm is given, and
// while it draws: what is not of the sixteen colours is a style attribute of theirs.
HTMLSpanElement.prototype.setAttribute = function setAttribute(name, value) {
  if (name === "style") this.style.cssText = value;
  else Element.prototype.setAttribute.call(this, name, value);
};

/** A document for xterm's `documentOverride`: ours, but for how elements are made. */
export const strictDocument = new Proxy(document, {
  get(target, name) {
    if (name === "createElement") return make;
    const value = Reflect.get(target, name, target);
    return typeof value === "function" ? value.bind(target) : value;
  },
  set: (target, name, value) => Reflect.set(target, name, value, target),
});

/** Opens a terminal; parts of xterm that know no other document get elements from us meanwhile. */
export function openStrictly(terminal, parent) {
  document.createElement = make;
  try {
    terminal.open(parent);
  } finally {
    delete document.createElement;
  }
}
