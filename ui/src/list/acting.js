// Does an action to many objects, a few at a time, and keeps what came of each.
import { post } from "../api.js";

const AT_ONCE = 5;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Acting {
  /**
   * @param {{api: string, action: string, resource: object, options: object, dry?: boolean, tell: () => void, retryMs?: number}} what
   */
  constructor(what) {
    Object.assign(this, { retryMs: 5000, dry: false }, what);
    this.outcomes = new Map();
    this.stopped = false;
  }

  note(target, state, text = "", more = {}) {
    const key = target.uid || `${target.namespace}/${target.name}`;
    this.outcomes.set(key, { audit: this.outcomes.get(key)?.audit, target, state, text, ...more });
    this.tell();
  }

  count(...states) {
    return [...this.outcomes.values()].filter((one) => states.includes(one.state)).length;
  }

  get failed() {
    return [...this.outcomes.values()].filter((one) => one.state === "bad").map((one) => one.target);
  }

  /** Asks the API for one object; returns null, or the error. */
  async one(action, resource, target, options) {
    const { uid, namespace, name } = target;
    const body = { action, resource, target: { uid, namespace, name }, options, dry_run: this.dry };
    try {
      const answer = await post(`${this.api}/actions`, body);
      this.note(target, "good", answer.message, { audit: answer.audit_id });
      return null;
    } catch (error) {
      return error;
    }
  }

  async run(targets) {
    const queue = [...targets];
    const work = async () => {
      while (queue.length && !this.stopped) {
        const target = queue.shift();
        this.note(target, "waiting");
        const error = await this.one(this.action, this.resource, target, this.options);
        if (error) this.note(target, "bad", words(error));
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    this.left = queue.length;
  }

  stop() {
    this.stopped = true;
  }
}

/** A drain, as kubectl does it: cordon, evict each pod, ask again while a budget says no, wait for the end. */
export class Draining extends Acting {
  async run(nodes, pods) {
    for (const node of nodes) {
      const error = await this.one("cordon", this.resource, node, {});
      if (error) this.note(node, "bad", words(error));
    }
    const open = new Map(pods.map((pod) => [pod.uid, { pod, due: 0, asked: false }]));
    while (open.size && !this.stopped) {
      await this.round(open);
      if (this.dry) break;
      this.settle(open, await this.there(nodes));
      if (open.size && !this.stopped) await sleep(Math.min(1000, this.retryMs));
    }
    this.left = this.dry ? 0 : open.size;
  }

  /** Asks for the pods whose turn it is. */
  async round(open) {
    for (const one of open.values()) {
      if (!one.asked && one.due <= Date.now() && !this.stopped) await this.evict(one, open);
    }
  }

  /** Notes the pods that have ended. */
  settle(open, there) {
    for (const [uid, { pod, asked }] of open) {
      if (!there || !asked || there.has(uid)) continue;
      open.delete(uid);
      this.note(pod, "good", this.texts.gone);
    }
  }

  async evict(one, open) {
    const { pod } = one;
    const resource = { group: "", version: "v1", plural: "pods" };
    const { disableEviction, gracePeriodSeconds } = this.options;
    const options = Number.isInteger(gracePeriodSeconds) ? { gracePeriodSeconds } : {};
    const error = await this.one(disableEviction ? "delete" : "evict", resource, pod, options);
    if (!error) {
      one.asked = true;
      if (!this.dry) this.note(pod, "waiting", this.texts.evicted);
    } else if (error.status === 429 && !this.dry) {
      one.due = Date.now() + this.retryMs;
      this.note(pod, "waiting", `${words(error)} ${this.texts.waitsForBudget(Math.ceil(this.retryMs / 1000))}`);
    } else if (error.status === 404 || error.status === 409) {
      open.delete(pod.uid);
      this.note(pod, "good", this.texts.gone);
    } else {
      open.delete(pod.uid);
      this.note(pod, "bad", words(error));
    }
  }

  /** Returns the uids of the pods that are on the nodes now; null when that cannot be told. */
  async there(nodes) {
    try {
      const targets = nodes.map(({ uid, name }) => ({ uid, name }));
      const plan = await post(`${this.api}/actions/plan`, { action: "drain", resource: this.resource, targets });
      return new Set(plan.form.pods.map((pod) => pod.uid));
    } catch {
      return null;
    }
  }
}

/** The API's own words, and its reasons below them. */
function words(error) {
  const causes = Object.values(error.fields ?? {}).flat();
  return [error.message, ...causes.filter((one) => one && !error.message.includes(one))].join(" ");
}

/** Tells which pods a drain evicts under these options, and what stands in its way. */
export function drainOf(pods, options) {
  const evict = pods.filter(({ kind }) => kind === "owned" || kind === "ended" || (kind === "bare" && options.force));
  const blocked = pods.filter((pod) => (pod.kind === "bare" && !options.force) || (pod.local && pod.kind !== "daemon" && pod.kind !== "mirror" && !options.deleteEmptyDirData));
  return { evict, blocked, daemons: pods.filter(({ kind }) => kind === "daemon").length };
}
