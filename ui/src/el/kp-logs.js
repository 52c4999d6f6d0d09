// Follows a container's log. Keeps the last lines only, and the reader's place when they scroll up.
import { Stream } from "../stream.js";
import { t } from "../texts.js";

const KEPT = 5000;

class Logs extends HTMLElement {
  connectedCallback() {
    this.replaceChildren();
    this.box = document.createElement("pre");
    this.box.className = "kp-log";
    this.box.tabIndex = 0;
    this.box.setAttribute("role", "log");
    this.box.setAttribute("aria-label", t.tabs.logs);
    this.note = document.createElement("p");
    this.note.className = "kp-muted";
    this.note.textContent = t.loading;
    this.append(this.box, this.note);
    this.lines = 0;
    this.rest = "";
    this.start();
  }

  disconnectedCallback() {
    this.stream?.stop();
    cancelAnimationFrame(this.frame);
  }

  start() {
    const query = new URLSearchParams();
    for (const name of ["ns", "pod", "container"]) query.set(name, this.getAttribute(name) ?? "");
    if (this.hasAttribute("previous")) query.set("previous", "1");
    this.stream = new Stream(`${this.getAttribute("src")}?${query}`, {
      hello: () => ({}),
      frame: (frame) => this.receive(frame),
      state: (state) => this.tell(state),
    });
    this.stream.start();
  }

  receive(frame) {
    if (frame.op === "log") this.add(frame.text);
    else if (frame.op === "error") this.finish(frame.text);
    else if (frame.op === "end") this.finish(this.lines || this.rest ? t.logEnded : t.logEmpty);
  }

  finish(text) {
    this.stream.stop();
    this.note.textContent = text;
  }

  tell(state) {
    if (state.name === "connecting" && this.lines) {
      // The API sends the tail again: start over rather than show lines twice.
      this.box.replaceChildren();
      this.lines = 0;
    }
    if (state.name === "lost") this.note.textContent = t.logLost;
    else if (state.name === "beat" && !this.lines) this.note.textContent = t.logEmpty;
    else if (state.name === "ended") this.note.textContent = t.signedOut;
  }

  add(text) {
    this.rest += text;
    this.note.textContent = "";
    this.frame ||= requestAnimationFrame(() => this.flush());
  }

  flush() {
    this.frame = 0;
    const end = this.rest.lastIndexOf("\n") + 1;
    if (!end) return;
    const atEnd = this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight < 24;
    const part = this.rest.slice(0, end);
    this.rest = this.rest.slice(end);
    this.box.append(part);
    this.lines += part.split("\n").length - 1;
    while (this.lines > KEPT && this.box.firstChild !== this.box.lastChild) {
      this.lines -= this.box.firstChild.textContent.split("\n").length - 1;
      this.box.firstChild.remove();
    }
    if (atEnd) this.box.scrollTop = this.box.scrollHeight;
  }
}

customElements.define("kp-logs", Logs);
