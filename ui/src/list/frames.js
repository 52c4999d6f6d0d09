// What the stream of a list says, and how the list takes it.
import { connection, freshness, live, refused } from "../el/kp-freshness.js";
import { note as problem } from "../problems.js";
import { t } from "../texts.js";

const SAID_FOR = 30_000;

/** Takes how the connection stands. */
export function told(list, state) {
  if (list.config.rev) return;
  if (state.name === "beat") list.live();
  else connection(state, list.rev);
  if (state.name === "ended") {
    if (state.code === 4401) list.notice("signed-out", { text: t.signedOut, link: { href: location.href, text: t.signIn } });
    if (state.code === 4404) list.notice("gone", { text: t.clusterGone, link: { href: "/", text: t.allClusters } });
  }
}

/** What was refused of a list, in our words. */
function refusedText(list, { code, text }) {
  const { plural } = list.resource;
  // Who may list without watching sees how it was.
  if (code === 403 && list.complete && /cannot watch/.test(text)) return t.objects.notWatched(plural, list.ns, list.rev);
  if (code === 403) return t.objects.forbidden(plural, list.ns);
  return code === 404 && list.model.rows.size > 0 ? t.objects.kindGone(plural) : t.objects.refused;
}

/** Says what the API refused, and what to ask for. */
function refuse(list, frame) {
  list.stream.stop();
  if (frame.code === 403) refused(list.complete && list.rev);
  else freshness("ended", t.ended);
  const kind = list.resource.group ? `${list.resource.plural}.${list.resource.group}` : list.resource.plural;
  const text = refusedText(list, frame);
  const rule = frame.code === 403 ? { apiGroups: [list.resource.group], resources: [list.resource.plural] } : null;
  problem(list.config.cluster, { what: list.command, text: frame.text });
  list.notice("refused", { bad: true, text, verbatim: frame.text, ask: rule && t.objects.askFor(kind), rule, link: list.complete && rule ? { href: location.href, text: t.readAgain } : null });
}

/** What each frame of the stream does; see playground/objects/listing.py. */
export const FRAMES = {
  columns(list, { columns }) {
    const { now } = list.config;
    list.model.reset(columns, { across: list.across, ...(now && { now: () => now * 1000 }) });
    list.widths = [];
    list.complete = false;
    list.build();
  },
  rows(list, { rows, read, total }) {
    list.model.add(rows);
    list.progress = { read, total };
    list.soon();
  },
  ready(list, { rev }) {
    list.rev = rev;
    list.complete = true;
    list.progress = null;
    list.selection.drop([...list.selection.uids].filter((uid) => !list.model.rows.has(uid)).map((uid) => ({ uid })));
    list.build();
    list.live();
    list.dispatchEvent(new CustomEvent("kp-ready", { bubbles: true }));
  },
  batch(list, { rev, ev }) {
    const { changed, gone } = list.model.apply(ev);
    list.rev = rev;
    list.selection.drop(gone);
    list.attention.flash(changed);
    if (changed.length + gone.length) list.attention.say(changed.length + gone.length);
    list.soon();
    list.live();
  },
  behind(list) {
    list.live();
  },
  gap(list, { skipped, to }) {
    list.notice("gap", { text: t.tooFast(skipped, to) });
    list.live();
    setTimeout(() => list.notice("gap", null), SAID_FOR);
  },
  beat(list, { rev }) {
    list.rev = rev || list.rev;
    list.live();
  },
  kinds(list) {
    list.loadKinds();
  },
  status(list, { upstream, text }) {
    list.notice("down", upstream === "down" ? { bad: true, text: t.objects.down, verbatim: text } : null);
    live(list.rev, list.stream);
  },
  error(list, frame) {
    refuse(list, frame);
  },
};
