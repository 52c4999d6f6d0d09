// The check that ticks when the first request of a real client arrives.
import { t } from "../texts.js";

const EVERY = 1500;

class Connect extends HTMLElement {
  connectedCallback() {
    this.setAttribute("role", "status");
    if (this.hasAttribute("done")) this.done(Object.fromEntries([...this.attributes].map((a) => [a.name, a.value])));
    else this.ask();
  }

  disconnectedCallback() {
    clearTimeout(this.timer);
  }

  async ask() {
    let first = null;
    try {
      const response = await fetch(this.getAttribute("src"));
      if (response.ok) ({ first } = await response.json());
      this.say(t.waitingFirst, "waiting");
    } catch {
      this.say(t.connectProblem, "waiting");
    }
    if (first) this.done({ ...first, agent: first.userAgent });
    else if (this.isConnected) this.timer = setTimeout(() => this.ask(), EVERY);
  }

  done({ method, path, agent }) {
    const client = (agent || "?").split(" ")[0].replace("/", " ");
    this.say(t.received(method, path, client), "done");
  }

  say(text, state) {
    let line = this.querySelector("p");
    if (!line) {
      line = document.createElement("p");
      this.append(line);
    }
    line.className = "kp-tick";
    line.dataset.state = state;
    if (line.textContent !== text) line.textContent = text;
  }
}

customElements.define("kp-connect", Connect);
