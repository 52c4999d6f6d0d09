// Tries what one writes: each document goes to the cluster as a dry run, so validation, defaulting and admission all
// have their say. What did not change is not asked for again.
import { conflicts, problems, waitsFor } from "./problems.js";
import { sent } from "./documents.js";

/** What a document is tried as: the same text may be good to apply and wrong to create. */
const keyOf = (section, { how, namespace }) => `${how}\n${namespace}\n${sent(section)}`;

export class Checking {
  /** @param {{send: (body: object, options: object) => Promise<object>, newest: (section: object) => Promise<string>, changed: () => void}} given */
  constructor(given) {
    Object.assign(this, given);
    this.found = new Map();
    this.running = null;
  }

  /** Returns what is known of a document: {state, result, warnings, problems, conflicts}. */
  of(section, settings) {
    if (section.errors.length) return { state: "bad", problems: section.errors.map((one) => ({ ...one, severity: "error" })), conflicts: [], warnings: [] };
    return this.found.get(keyOf(section, settings)) ?? { state: "waiting", problems: [], conflicts: [], warnings: [] };
  }

  /** The cluster is another one now: what it said counts no more. */
  forget() {
    this.stop();
    this.found.clear();
  }

  stop() {
    this.running?.abort();
    this.running = null;
  }

  /** Tries the documents that were not tried as they are now. */
  async run(sections, settings) {
    this.stop();
    const running = new AbortController();
    this.running = running;
    const kept = new Map();
    for (const section of sections) {
      const key = keyOf(section, settings);
      if (section.errors.length) continue;
      const before = this.found.get(key);
      if (before) kept.set(key, before);
      else {
        const outcome = await this.try(section, sections, settings, running.signal);
        if (running.signal.aborted) return;
        kept.set(key, outcome);
        this.found.set(key, outcome);
        this.changed();
      }
    }
    this.found = kept;
    this.running = null;
    this.changed();
  }

  async try(section, sections, { how, namespace }, signal) {
    const body = { text: sent(section), action: how, namespace, dry_run: true };
    try {
      return good(await asked(section, body, (one) => this.send(one, { signal }), this.newest));
    } catch (error) {
      if (signal.aborted) return null;
      const owned = conflicts(error);
      if (owned.length) return this.owned(section, body, owned, signal);
      if (unanswered(error)) return { state: "unknown", message: error.message, problems: [], conflicts: [], warnings: [] };
      const waits = waitsFor(section, sections, error);
      if (waits) return { state: "later", waits: waits.about, problems: [], conflicts: [], warnings: [] };
      return { state: "bad", problems: problems(section, error), conflicts: [], warnings: [] };
    }
  }

  /** What it would be if all fields were taken, besides whose they are. */
  async owned(section, body, owned, signal) {
    try {
      return { ...good(await this.send({ ...body, force: true }, { signal })), state: "owned", conflicts: owned };
    } catch (error) {
      return { state: "bad", problems: error.status ? problems(section, error) : [], conflicts: owned, warnings: [] };
    }
  }
}

/** Asks; of kinds that must say which revision they replace, it is the newest, as with kubectl. */
async function asked(section, body, send, newest) {
  try {
    return await send(body);
  } catch (error) {
    const wanted = body.action === "replace" && error.causes?.some(({ field }) => field === "metadata.resourceVersion");
    const revision = wanted && (await newest(section));
    if (!revision) throw error;
    return send({ ...body, text: sent(section, revision) });
  }
}

/** No word of the cluster about the text: no network, no worker, or one that rests. */
const unanswered = ({ status }) => !status || [502, 503, 504].includes(status);

const good = (answer) => ({ state: "good", result: answer.result, outcome: answer.outcome, warnings: answer.warnings, problems: [], conflicts: [] });

/**
 * Writes the documents one after the other; a later one may need an earlier one. Returns what came of each.
 *
 * `revisionOf` says which revision a document replaces, if that matters; `renewed` is asked when it is another one by
 * then, and returns the newer one where nothing of the document is changed by it. `newest` is as for trying.
 */
export async function write(sections, { how, namespace, forced, revisionOf, renewed, newest }, send, tell) {
  const answers = sections.map((section) => ({ about: section.about, index: section.index, state: "waiting" }));
  const bodyOf = (section, revision) => ({
    text: sent(section, how === "replace" ? revision : ""),
    action: how,
    namespace,
    ...(how === "apply" && forced(section) ? { force: true } : {}),
  });
  const one = async (section) => {
    const revision = revisionOf(section);
    try {
      return await asked(section, bodyOf(section, revision), send, newest);
    } catch (error) {
      const newer = how === "replace" && revision && error.code === "Conflict" ? await renewed() : null;
      if (!newer) throw error;
      return send(bodyOf(section, newer));
    }
  };
  for (const [index, section] of sections.entries()) {
    answers[index] = { ...answers[index], state: "busy" };
    tell([...answers]);
    try {
      answers[index] = { ...answers[index], state: "good", answer: await one(section) };
    } catch (error) {
      answers[index] = { ...answers[index], state: "bad", error };
    }
    tell([...answers]);
  }
  return answers;
}
