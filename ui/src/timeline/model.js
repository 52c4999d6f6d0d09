// What the timeline computes of the log's density and of addresses. Pure functions.

import { momentOf } from "./moments.js";

// Kinds that have a colour of their own; the rest is counted together.
export const COLOURS = 6;
export const SPANS = [0, 5000, 500, 100]; // revisions that are shown; 0 is all of them

/** Returns the range that is shown: the last `span` revisions, moved so that `rev` lies within. */
export function rangeOf(span, oldest, newest, rev = newest) {
  if (!span || newest - oldest <= span) return { after: oldest, upto: newest };
  const upto = Math.min(newest, Math.max(rev + Math.floor(span / 4), oldest + span));
  return { after: upto - span, upto };
}

/** Returns where a revision stands in a range, from 0 to 1. */
export function place(rev, { after, upto }) {
  return upto > after ? Math.min(1, Math.max(0, (rev - after) / (upto - after))) : 1;
}

/** Returns the revision at a place from 0 to 1. */
export function revAt(fraction, { after, upto }) {
  return Math.round(after + Math.min(1, Math.max(0, fraction)) * (upto - after));
}

/** Returns the kinds by their number of changes, the busiest first, those without a colour as one. */
export function kindsOf(density) {
  const counted = density
    .map(({ resource, parts }) => ({ resource, count: parts.reduce((sum, [, n]) => sum + n, 0) }))
    .sort((a, b) => b.count - a.count || (a.resource < b.resource ? -1 : 1));
  const own = counted.slice(0, COLOURS).map((kind, colour) => ({ ...kind, colour: colour + 1, resources: [kind.resource] }));
  const rest = counted.slice(COLOURS);
  if (!rest.length) return own;
  const count = rest.reduce((sum, kind) => sum + kind.count, 0);
  return [...own, { resource: "", count, colour: 0, resources: rest.map((kind) => kind.resource) }];
}

// Changes within less are as good as at once.
const SHORTEST = 0.5; // s

/**
 * Returns the bars of the density: for each part its height from 0 to 1, and the shares of the kinds.
 *
 * On a scale of revisions every part has as many changes as any other: heights show how fast they
 * came. They grow with the root of that, so that a burst does not flatten everything else.
 */
export function barsOf({ density, after, upto, width, moments }, kinds, hidden = new Set()) {
  const found = new Map();
  const colours = new Map(kinds.flatMap((kind) => kind.resources.map((resource) => [resource, kind])));
  for (const { resource, parts } of density) {
    const kind = colours.get(resource);
    if (!kind || hidden.has(kind.resource)) continue;
    for (const [part, count] of parts) {
      const bar = found.get(part) ?? { part, total: 0, counts: new Map() };
      bar.total += count;
      bar.counts.set(kind.colour, (bar.counts.get(kind.colour) ?? 0) + count);
      found.set(part, bar);
    }
  }
  const bars = [...found.values()].sort((a, b) => a.part - b.part);
  const range = { after, upto };
  const ends = ({ part }) => [after + part * width, Math.min(upto, after + (part + 1) * width)];
  const rate = (bar) => {
    const [from, to] = ends(bar).map((rev) => momentOf(moments, rev) ?? 0);
    return Math.sqrt(bar.total / Math.max(SHORTEST, to - from));
  };
  const most = Math.max(Number.MIN_VALUE, ...bars.map(rate));
  return bars.map((bar) => {
    const { total, counts } = bar;
    const [from, to] = ends(bar);
    const shares = kinds.filter(({ colour }) => counts.has(colour)).map(({ colour }) => ({ colour, share: counts.get(colour) / total }));
    return { from: from + 1, to, x: place(from, range), end: place(to, range), total, height: rate(bar) / most, shares };
  });
}

/** Returns some round places of a scale: revisions within a range. */
export function ticksOf({ after, upto }, wanted = 6) {
  const span = upto - after;
  if (span <= 0) return [upto];
  const rough = span / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(1, [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough));
  const ticks = [];
  for (let rev = Math.ceil((after + 1) / step) * step; rev <= upto; rev += step) ticks.push(rev);
  return ticks;
}

const REF = /^([a-z0-9.-]+)\/([a-z0-9.-]*)\/([^/\s]+)$/;

/** Reads "deployments.apps/default/web" or "nodes/-/node-1"; null for anything else. */
export function parseRef(text) {
  const found = REF.exec((text ?? "").trim());
  return found ? { resource: found[1], namespace: found[2] === "-" ? "" : found[2], name: found[3] } : null;
}

export function refText({ resource, namespace, name }) {
  return `${resource}/${namespace || "-"}/${name}`;
}

/** Names an object as one speaks of it: "configmaps/app". */
export const refName = ({ resource, name }) => `${resource}/${name}`;

/** Returns how many revisions go by in `seconds` of play. */
export const playedIn = (seconds, speed) => seconds * 2 * speed;

/** What machines write all the time: as a rule it is not what one compares for. */
export const QUIET = new Set(["events", "leases.coordination.k8s.io", "endpoints", "endpointslices.discovery.k8s.io"]);

/** Groups differences by resource, in order. */
export function byResource(items) {
  const groups = new Map();
  for (const item of items) {
    if (!groups.has(item.resource)) groups.set(item.resource, []);
    groups.get(item.resource).push(item);
  }
  return [...groups];
}
