// Dots beside the commands that made requests; each leads to the trace of the last of them.
import { t } from "../texts.js";

/** The request that a command was about: the last that changed something, else the last of all. */
export function chief(requests) {
  return requests.findLast((one) => one.method !== "GET") ?? requests.at(-1);
}

/** The page of a request, beside the others of the same run of kubectl. */
export function traceOf(cluster, request, requests) {
  const page = `/clusters/${encodeURIComponent(cluster)}/trace/${encodeURIComponent(request.id)}`;
  const alone = requests.length === 1 || !request.session;
  return alone ? page : `${page}?session=${encodeURIComponent(request.session)}`;
}

export class Gutter {
  constructor(box, screen, marks, cluster) {
    this.box = box;
    this.screen = screen;
    this.marks = marks;
    this.cluster = cluster;
    this.dots = new Map(); // command -> its link
    this.subscriptions = [screen.terminal.onRender(() => this.soon()), screen.terminal.onScroll(() => this.soon())];
  }

  soon() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  draw() {
    const { terminal } = this.screen;
    const rows = terminal.element?.querySelector(".xterm-screen");
    if (!rows) return;
    const height = rows.clientHeight / terminal.rows;
    const top = terminal.buffer.active.viewportY;
    const plain = terminal.buffer.active.type === "normal";
    const seen = new Set();
    for (const command of this.marks.commands) {
      const row = command.prompt.line - top;
      if (!plain || !command.requests.length || command.prompt.line < 0 || row < 0 || row >= terminal.rows) continue;
      seen.add(command);
      this.place(command, row * height + height / 2);
    }
    for (const [command, dot] of this.dots) {
      if (seen.has(command)) continue;
      dot.remove();
      this.dots.delete(command);
    }
  }

  place(command, y) {
    let dot = this.dots.get(command);
    if (!dot) {
      dot = document.createElement("a");
      dot.className = "kp-term-dot";
      this.dots.set(command, dot);
      this.box.append(dot);
    }
    const request = chief(command.requests);
    // A refusal on the way, as of what is not there yet, is no failure of the command.
    const failed = command.code === null ? request.status >= 400 : command.code !== 0;
    const label = t.terminal.traceOf(command.text, command.requests.length);
    dot.href = traceOf(this.cluster, request, command.requests);
    dot.dataset.state = failed ? "failed" : "ok";
    dot.title = label;
    dot.setAttribute("aria-label", label);
    dot.style.top = `${Math.round(y)}px`;
  }

  dispose() {
    cancelAnimationFrame(this.frame);
    for (const one of this.subscriptions) one.dispose();
    this.box.replaceChildren();
  }
}
