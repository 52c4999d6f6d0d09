// The grid of who may do what, where there are too many subjects for one page: only the rows in sight are there.
//
// The page has the first rows as HTML, which serve as models, and all of them as data:
// [kind, name, user, group, "101…"], one digit for each verb.
import { visible } from "../list/selection.js";

const LEADING = 2; // rows are counted from 1, and the heading is the first

class Access extends HTMLElement {
  connectedCallback() {
    const data = this.querySelector("script[type='application/json']");
    if (!data || this.rows) return;
    this.rows = JSON.parse(data.textContent);
    this.box = this.querySelector(".kp-access-scroll");
    this.body = this.box.querySelector("tbody");
    this.model = this.body.rows[0].cloneNode(true);
    this.row = this.body.rows[0].offsetHeight || 34;
    this.box.querySelector("table").setAttribute("aria-rowcount", this.rows.length + 1);
    this.querySelector(".kp-more")?.remove();
    this.querySelector(".kp-all").hidden = false;
    this.box.addEventListener("scroll", () => (this.frame ??= requestAnimationFrame(() => this.draw())), { passive: true });
    this.draw();
  }

  disconnectedCallback() {
    cancelAnimationFrame(this.frame);
  }

  draw() {
    this.frame = null;
    const { scrollTop: top, clientHeight: height } = this.box;
    const { first, last } = visible({ top, height, row: this.row, count: this.rows.length });
    // Whoever is at a row's link stays there.
    if (first === this.first && last === this.last) return;
    const focus = this.body.contains(document.activeElement) ? this.place(document.activeElement) : null;
    Object.assign(this, { first, last });
    const rows = this.rows.slice(first, last).map((row, i) => this.make(row, first + i));
    this.body.replaceChildren(space(first * this.row), ...rows, space((this.rows.length - last) * this.row));
    if (focus) this.body.querySelector(`[aria-rowindex="${focus.row}"]`)?.querySelectorAll("a, button")[focus.at]?.focus({ preventScroll: true });
  }

  place(element) {
    const row = element.closest("tr");
    return { row: row.getAttribute("aria-rowindex"), at: [...row.querySelectorAll("a, button")].indexOf(element) };
  }

  make([kind, name, user, group, may], index) {
    const row = this.model.cloneNode(true);
    const was = this.model.cells[0].lastChild.textContent.trim();
    row.setAttribute("aria-rowindex", index + LEADING);
    row.cells[0].firstElementChild.textContent = kind;
    row.cells[0].lastChild.textContent = ` ${name}`;
    row.querySelectorAll("a[data-may]").forEach((link, i) => {
      const url = new URL(link.href);
      url.searchParams.set("user", user);
      url.searchParams.set("group", group);
      link.href = url;
      link.dataset.may = may[i] === "1" ? "yes" : "no";
      const [sign, words] = link.children;
      sign.textContent = may[i] === "1" ? "✓" : "–";
      words.textContent = this.said(i, may[i] === "1").replace(was, name);
    });
    const form = row.querySelector("form");
    if (form) {
      form.elements.user.value = user || `member-of-${group}`;
      form.elements.group.value = group;
      form.querySelector(".kp-sr").textContent = ` ${name}`;
    }
    return row;
  }

  /** The words of a cell for a screen reader, with the name of the model's subject. */
  said(i, yes) {
    const link = this.model.querySelectorAll("a[data-may]")[i];
    const words = link.children[1].textContent;
    return (link.dataset.may === "yes") === yes ? words : words.replace(...(yes ? [this.dataset.no, this.dataset.yes] : [this.dataset.yes, this.dataset.no]));
  }
}

function space(height) {
  const row = document.createElement("tr");
  row.setAttribute("aria-hidden", "true");
  row.append(document.createElement("td"));
  row.firstChild.colSpan = 99;
  row.firstChild.style.cssText = `height:${height}px;padding:0;border:0`;
  return row;
}

customElements.define("kp-access", Access);
