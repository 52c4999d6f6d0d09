// What the parts of a control plane do, from what the stream tells of them. Pure: times are given.
import { group } from "../texts/numbers.js";
import { t } from "../texts.js";

// Where the requests of a part are seen, below the cluster's address.
const WAYS = {
  api: "trace?who=all",
  store: "timeline",
  controllers: "trace?who=all&user=controllers",
  scheduler: "trace?who=all&user=kube-scheduler",
  kubelets: "trace?who=all&user=kubelet",
};
const SPAN = 5000; // ms over which requests a second are counted

export class Plane {
  constructor() {
    this.told = null;
    this.forbidden = ""; // the API's words, where one may not read what it does
    this.asked = []; // [when, how many]
    // How often each part was heard of: what changes is shown as a beat.
    this.beats = { api: 0, store: 0, controllers: 0, scheduler: 0, kubelets: 0 };
  }

  /** Takes a frame of the stream. */
  take(frame, now) {
    const { beats } = this;
    this.forbidden = frame.forbidden ?? "";
    if (this.forbidden) return;
    if (frame.requests) {
      this.asked.push([now, frame.requests]);
      beats.api += 1;
    }
    if (this.told && frame.revision > this.told.revision) beats.store += 1;
    for (const [part, from] of [["controllers", "controllers"], ["scheduler", "scheduler"], ["kubelets", "kubelet"]]) if (frame.from[from]) beats[part] += 1;
    this.told = frame;
  }

  /** Requests a second, over the last few. */
  rate(now) {
    this.asked = this.asked.filter(([at]) => now - at < SPAN);
    return (this.asked.reduce((sum, [, n]) => sum + n, 0) * 1000) / SPAN;
  }

  /** The parts in the order of a request's way: {name, title, text, more, state, beat, path}. */
  parts(now) {
    const { told, beats } = this;
    // Before anything is known there is room for it all the same.
    if (!told) return ["api", "store", "controllers", "scheduler", "kubelets"].map((name) => ({ name, title: t.topology.plane[name], text: "…", more: "", state: "plain", beat: 0, path: WAYS[name] }));
    const words = t.topology.plane;
    const { scheduler, controllers, kubelets } = told;
    const queued = Object.values(controllers).reduce((sum, n) => sum + n, 0);
    const rate = this.rate(now);
    return [
      { name: "api", text: rate ? words.rate(rate) : words.idle, more: words.apiMore(told.watches), state: "plain" },
      { name: "store", text: words.revision(told.revision), more: words.storeMore, state: "plain" },
      { name: "controllers", text: queued ? words.queued(queued) : words.idle, more: list(controllers) || words.controllersMore, state: "plain" },
      { name: "scheduler", ...waiting(scheduler) },
      { name: "kubelets", text: words.running(kubelets.running, kubelets.all), more: words.kubeletsMore, state: kubelets.running < kubelets.all ? "warn" : "plain" },
    ].map((part) => ({ ...part, path: WAYS[part.name], title: words[part.name], beat: beats[part.name] }));
  }
}

function waiting({ active, backoff, unschedulable, gated }) {
  const words = t.topology.plane;
  const text = [active + backoff && words.queued(active + backoff), unschedulable && words.unschedulable(unschedulable), gated && words.gated(gated)].filter(Boolean).join(" · ");
  return { text: text || words.idle, more: words.schedulerMore(active, backoff, unschedulable, gated), state: unschedulable ? "warn" : "plain" };
}

const list = (depths) => Object.entries(depths).map(([name, n]) => `${name} ${group(n)}`).join("\n");
