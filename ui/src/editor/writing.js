// Writing: every document by itself, once nothing is left to decide; and what is so when all of it has arrived.
import { say } from "../router.js";
import { t } from "../texts.js";
import { write as send } from "./checking.js";
import { changedTo, follow } from "./meanwhile.js";

export async function write(editor) {
  if (editor.busy || editor.readOnly || !editor.code) return;
  if (!editor.sections.length) return editor.answer(t.editor.empty);
  const wrong = editor.sections.find((one) => one.errors.length);
  if (wrong) return editor.code.nextProblem();
  if (editor.merging.length) return editor.answer(t.editor.settle(editor.merging.length));
  if (editor.how === "apply") {
    await editor.check();
    const left = editor.undecided().length;
    if (left) return editor.answer(t.editor.decide(left));
  }
  return writeAll(editor);
}

async function writeAll(editor) {
  editor.busy = true;
  editor.said = "";
  const { text } = editor;
  const settings = {
    ...editor.settings,
    forced: (section) => editor.forced(section),
    revisionOf: (section) => (editor.isOpened(section) ? editor.base?.revision : ""),
    renewed: () => renewed(editor),
    newest: (section) => editor.lives.newest(section),
  };
  editor.answers = await send(editor.sections, settings, (body) => editor.send(body, {}), (answers) => {
    editor.answers = answers;
    editor.draw();
  });
  editor.busy = false;
  const good = editor.answers.filter(({ state }) => state === "good");
  if (good.length === editor.answers.length) arrived(editor, text);
  say(editor.answers.map(spoken).join("; "));
  editor.schemas.forget();
  editor.again();
}

/** The object's revision, if nothing of its text is changed by it: a status changes all the time. */
async function renewed(editor) {
  const { resource: kind, namespace, name } = editor.config.object;
  const live = await editor.read({ kind, namespace, name }).catch(() => null);
  if (live?.text === editor.base.text) return live.revision;
  if (live) changedTo(editor, live);
  return null;
}

/** All of it is in the cluster: nothing is unsaved, and the object is what the API made of it. */
function arrived(editor, text) {
  editor.taken.clear();
  editor.notes = {};
  editor.merging = [];
  editor.written = text;
  // What was created is there now: the next time it is changed.
  if (editor.how === "create" && editor.sections.every(({ doc }) => doc.hasIn(["metadata", "name"]))) editor.choose("how", editor.standardHow);
  const { object } = editor.config;
  const own = object && editor.answers.find(({ answer }) => answer.resource === object.resource && answer.name === object.name);
  if (own && editor.text === text && editor.sections.length === 1) {
    editor.live = { ...editor.live, text: own.answer.text, live: own.answer.result, revision: own.answer.revision };
    editor.base = { text: own.answer.text, revision: own.answer.revision };
    editor.code.replace(own.answer.text);
    if (!editor.following) follow(editor);
  }
  editor.keep();
}

/** What a screen reader hears of an answer. */
function spoken({ about, state, answer: given, error }) {
  return state === "good" ? `${about.kind} ${given.name} ${given.outcome}` : `${about.kind} ${about.name}: ${error?.message ?? t.editor.waiting}`;
}
