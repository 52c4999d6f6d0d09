// The namespace in the top bar: what the pages of a cluster show of it. It stands in the address as
// `ns`, and goes along to the next page.
//
// A page that can show another namespace by itself takes `kp-namespace` (cancelable, detail.ns) on
// `window`, prevents it and writes the address; without that, the page is fetched anew.
import { namespacesNow, readWorld } from "../command/world.js";
import { visit } from "../router.js";
import { flushState } from "../url.js";

class Namespace extends HTMLElement {
  connectedCallback() {
    this.select = this.querySelector("select");
    this.everywhere = this.select.options[0].text;
    this.onAddress = () => this.show();
    // Before the list drops down: a namespace may have come meanwhile.
    this.onLook = () => this.read();
    this.select.addEventListener("change", () => this.choose(this.select.value));
    this.select.addEventListener("focus", this.onLook);
    this.addEventListener("pointerenter", this.onLook);
    window.addEventListener("kp-address", this.onAddress);
    this.show();
    this.read();
  }

  disconnectedCallback() {
    window.removeEventListener("kp-address", this.onAddress);
  }

  get value() {
    return new URLSearchParams(location.search).get("ns") ?? "";
  }

  async read() {
    try {
      await readWorld();
    } catch {
      return; // what one may not list can be written in the palette
    }
    if (this.isConnected) this.show();
  }

  show() {
    const { value, select } = this;
    const names = [...new Set([...namespacesNow(), ...(value ? [value] : [])])].sort();
    const have = [...select.options].slice(1).map((option) => option.value);
    if (names.join() !== have.join()) select.replaceChildren(new Option(this.everywhere, ""), ...names.map((name) => new Option(name, name)));
    select.value = value;
  }

  choose(ns) {
    flushState();
    const list = this.getAttribute("list");
    const asked = new CustomEvent("kp-namespace", { cancelable: true, detail: { ns } });
    if (!list && !window.dispatchEvent(asked)) return;
    const url = new URL(list ?? location.href, location.href);
    if (ns) url.searchParams.set("ns", ns);
    else url.searchParams.delete("ns");
    visit(url);
  }
}

customElements.define("kp-namespace", Namespace);
