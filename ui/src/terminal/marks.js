// Where prompts, commands and outputs are: the shell marks them (OSC 133), we remember.

const KEPT = 500;

export class Marks {
  /** @param {object} terminal @param {() => void} changed */
  constructor(terminal, changed) {
    this.terminal = terminal;
    this.changed = changed;
    this.commands = [];
    this.now = null;
    terminal.parser.registerOscHandler(133, (data) => this.hear(data));
  }

  hear(data) {
    const [what, argument] = data.split(";");
    if (what === "A" && argument !== "k=s") this.prompt();
    else if (what === "B") this.input();
    else if (what === "C") this.output();
    else if (what === "D") this.ended(argument);
    return true;
  }

  get place() {
    const { cursorX, cursorY, baseY } = this.terminal.buffer.active;
    return { column: cursorX, line: baseY + cursorY };
  }

  prompt() {
    this.now = { prompt: this.terminal.registerMarker(0), inputs: [], requests: [], code: null };
  }

  input() {
    if (!this.now) return;
    this.now.inputs.push({ marker: this.terminal.registerMarker(0), column: this.place.column });
  }

  output() {
    const { now } = this;
    if (!now?.inputs.length || now.output) return;
    now.output = this.terminal.registerMarker(0);
    now.text = this.typed(now);
    this.commands.push(now);
    if (this.commands.length > KEPT) this.commands.shift();
    this.changed();
  }

  ended(code) {
    const last = this.commands.at(-1);
    if (!last || last.end) return;
    last.end = this.terminal.registerMarker(0);
    last.code = Number.parseInt(code, 10);
    this.changed();
  }

  /** What was typed as a command: the lines from its first mark to its output. */
  typed(command) {
    const lines = [];
    for (let line = command.inputs[0].marker.line; line < command.output.line; line += 1) {
      const row = this.terminal.buffer.active.getLine(line);
      const mark = command.inputs.find((one) => one.marker.line === line);
      const text = row?.translateToString(true, mark?.column ?? 0) ?? "";
      if (row?.isWrapped) lines[lines.length - 1] += text;
      else lines.push(text);
    }
    return lines.join("\n").trim();
  }

  /** A request that came while the last command ran, or from one in the background. */
  request(request) {
    const last = this.commands.at(-1);
    if (!last || last.requests.some((one) => one.id === request.id)) return;
    last.requests.push(request);
    this.changed();
  }

  /** The command whose output a line is part of. */
  at(line) {
    for (let index = this.commands.length - 1; index >= 0; index -= 1) {
      const command = this.commands[index];
      if (command.output.line !== -1 && command.output.line <= line) {
        return !command.end || line < command.end.line || command.end.line === -1 ? command : null;
      }
    }
    return null;
  }

  /** How many columns of a line are prompt. */
  promptWidth(line) {
    for (const command of [this.now, ...this.commands]) {
      const mark = command?.inputs.find((one) => one.marker.line === line);
      if (mark) return mark.column;
    }
    return 0;
  }

  /** What the last command printed; null where none has. */
  lastOutput() {
    const command = this.commands.findLast((one) => one.output.line !== -1);
    if (!command) return null;
    const end = command.end && command.end.line !== -1 ? command.end.line : this.place.line;
    return this.text(command.output.line, end);
  }

  /** The text of lines, with what was wrapped put together again. */
  text(from, until) {
    const lines = [];
    for (let line = from; line < until; line += 1) {
      const row = this.terminal.buffer.active.getLine(line);
      const text = row?.translateToString(true) ?? "";
      if (row?.isWrapped && lines.length) lines[lines.length - 1] += text;
      else lines.push(text);
    }
    return lines.join("\n");
  }

  /** The selection without the prompts in it. */
  selection() {
    const range = this.terminal.getSelectionPosition();
    if (!range) return "";
    const lines = [];
    for (let line = range.start.y; line <= range.end.y; line += 1) {
      const row = this.terminal.buffer.active.getLine(line);
      if (!row) continue;
      const from = Math.max(line === range.start.y ? range.start.x : 0, this.promptWidth(line));
      const until = line === range.end.y ? range.end.x : this.terminal.cols;
      const text = until > from ? row.translateToString(true, from, until) : "";
      if (row.isWrapped && lines.length) lines[lines.length - 1] += text;
      else lines.push(text);
    }
    return lines.join("\n");
  }

  /** Scrolls to the prompt of the command before or after what is shown on top. */
  jump(step) {
    const top = this.terminal.buffer.active.viewportY;
    const lines = this.commands.map((one) => one.prompt.line).filter((line) => line >= 0);
    const line = step < 0 ? lines.findLast((one) => one < top) : lines.find((one) => one > top);
    if (line !== undefined) this.terminal.scrollToLine(line);
    else if (step > 0) this.terminal.scrollToBottom();
  }
}
