// The log of a container as a panel of the dock.
import "../el/kp-logs.js";
import { NAMES } from "../logs/options.js";
import { t } from "../texts.js";

class DockLogs extends HTMLElement {
  connectedCallback() {
    if (this.firstChild) return;
    if (!this.getAttribute("pod") && !this.getAttribute("pods")) {
      this.append(t.dock.noPod);
      return;
    }
    const logs = document.createElement("kp-logs");
    logs.setAttribute("src", `/ws/clusters/${this.getAttribute("cluster")}/logs/`);
    for (const name of ["ns", "pod", "pods", "total", "containers", "container", "of"]) {
      if (this.hasAttribute(name)) logs.setAttribute(name, this.getAttribute(name));
    }
    for (const name of NAMES) if (this.hasAttribute(name)) logs.dataset[name] = this.getAttribute(name);
    logs.addEventListener("kp-log-options", ({ detail }) => this.dispatchEvent(new CustomEvent("kp-panel-params", { bubbles: true, detail: { params: detail } })));
    this.append(logs);
  }

  focusPanel() {
    this.querySelector(".kp-log")?.focus();
  }
}

customElements.define("kp-dock-logs", DockLogs);
