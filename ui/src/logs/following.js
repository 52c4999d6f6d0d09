// The streams behind a view of logs, one for each pod: what they say becomes lines and notes.
import { Stream } from "../stream.js";
import { t } from "../texts.js";
import { Lines } from "./buffer.js";

/** Notes of containers come after those of their pod; a space cannot stand in a name. */
const noteKey = (pod, container = "") => `${pod} ${container}`;

export class Following {
  /**
   * @param {{src: string, ns: string, pods: string[], container: string, previous: boolean, since: string}} what
   *   `since`: "", seconds, or "rev:N"
   * @param {() => void} tell   hears of everything that changes
   */
  constructor(what, tell) {
    Object.assign(this, what);
    this.tell = tell;
    this.lines = new Lines();
    this.notes = new Map();
    this.containers = []; // of all pods: [name, kind]
    this.chosen = this.container;
    this.from = ""; // when a revision was whose logs are asked for
    this.streams = new Map();
    this.over = new Set();
    this.heard = false;
  }

  start() {
    for (const pod of this.pods) this.open(pod);
  }

  /** Follows further pods, which came later. */
  join(pods) {
    this.pods.push(...pods);
    for (const pod of pods) this.open(pod);
  }

  stop() {
    for (const stream of this.streams.values()) stream.stop();
    this.streams.clear();
  }

  /** What a line of a container is called: the pod where there are many, the container where all are shown. */
  named(pod, container) {
    const every = this.chosen === "*";
    if (this.pods.length === 1) return every ? container : pod;
    return every ? `${pod}/${container}` : pod;
  }

  address(pod) {
    const query = new URLSearchParams({ ns: this.ns, pod, container: this.container });
    if (this.previous) query.set("previous", "1");
    const known = [...this.lines.sources.keys()].filter((name) => this.pods.length === 1 || name === pod || name.startsWith(`${pod}/`));
    const from = known.length ? this.lines.resume(known) : "";
    if (from) query.set("since_time", from);
    else if (this.since.startsWith("rev:")) query.set("rev", this.since.slice(4));
    else if (this.since) query.set("since", this.since);
    return `${this.src}?${query}`;
  }

  open(pod) {
    const stream = new Stream(this.address(pod), {
      hello: () => ({}),
      frame: (frame) => this.receive(pod, frame),
      state: (state) => this.state(pod, state),
    });
    this.streams.set(pod, stream);
    stream.start();
  }

  receive(pod, frame) {
    FRAMES[frame.op]?.(this, pod, frame);
    this.tell();
  }

  subject(pod, container) {
    return this.chosen === "*" ? `${pod}/${container}` : pod;
  }

  /** The API's words, and what they mean where that is known. */
  refusal(pod, text) {
    if (/previous terminated container/.test(text)) return { text: t.logs.noPrevious(pod), verbatim: text };
    if (/pods ".*" not found/.test(text)) return { text: t.logs.podGone(pod), verbatim: text };
    return { text: "", verbatim: text };
  }

  finish(pod, note) {
    this.streams.get(pod)?.stop();
    this.over.add(pod);
    if (note) this.notes.set(noteKey(pod), note);
    else this.notes.delete(noteKey(pod));
  }

  /** Nothing more will come. */
  get ended() {
    return this.over.size === this.pods.length;
  }

  state(pod, { name }) {
    // Only what is missing is asked for again.
    const stream = this.streams.get(pod);
    if (name === "connecting" && stream) stream.path = this.address(pod);
    if (name === "beat") this.heard = true;
    if (name === "lost") this.notes.set(noteKey(pod), { text: t.logs.lost });
    else if (name === "ended") this.notes.set(noteKey(pod), { text: t.signedOut });
    else if (name === "open") this.notes.delete(noteKey(pod));
    this.tell();
  }
}

/** What each frame of the stream does; see playground/objects/consumer.py. */
const FRAMES = {
  containers(here, pod, { items, chosen, since }) {
    here.from ||= since;
    for (const one of items) if (!here.containers.some(([name]) => name === one[0])) here.containers.push(one);
    here.chosen = chosen;
  },
  log(here, pod, { container, text }) {
    here.lines.add(here.named(pod, container), text);
    here.notes.delete(noteKey(pod, container));
  },
  again(here, pod, { container }) {
    here.lines.resume([here.named(pod, container)]);
  },
  waiting(here, pod, { container, reason, text }) {
    here.notes.set(noteKey(pod, container), { text: t.logs.notStarted(here.subject(pod, container), reason), verbatim: text });
  },
  ended(here, pod, { container, code, again }) {
    const said = again ? t.logs.runsAgain : t.logs.ran;
    // What was done well and is over needs no word: init containers are like that.
    if (code === 0 && !again) here.notes.delete(noteKey(pod, container));
    else here.notes.set(noteKey(pod, container), { text: said(here.subject(pod, container), code ?? "?") });
  },
  error(here, pod, { code, text }) {
    if (code === "unreachable") here.notes.set(noteKey(pod), { text: t.logs.lost });
    else here.finish(pod, here.refusal(pod, text));
  },
  end(here, pod) {
    here.finish(pod, null);
  },
};
