// Moments of a cluster's clock, as the reader's own clock shows them.
const TIME = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

/** Says a moment in seconds since the epoch: "09:41:07", with its day where that is another than `now`'s. */
export function clock(seconds, now = Date.now() / 1000) {
  const date = new Date(seconds * 1000);
  const time = TIME.format(date);
  return date.toDateString() === new Date(now * 1000).toDateString() ? time : `${DAY.format(date)} ${time}`;
}

/** Says a moment to the minute: "09:30", with its day where that is another than `now`'s. */
export function minute(seconds, now = Date.now() / 1000) {
  return clock(seconds, now).slice(0, -3);
}

/** Returns when a revision was, between the moments that are known: [[revision, seconds]...] in order. */
export function momentOf(moments, revision) {
  if (!moments.length) return null;
  let low = 0;
  let high = moments.length - 1;
  if (revision <= moments[0][0]) return moments[0][1];
  if (revision >= moments[high][0]) return moments[high][1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (moments[middle][0] <= revision) low = middle;
    else high = middle;
  }
  const [before, from] = moments[low];
  const [after, to] = moments[high];
  return from + ((to - from) * (revision - before)) / (after - before);
}

/** Returns the revision that was current at a moment, between those that are known. */
export function revisionAt(moments, seconds) {
  const swapped = moments.map(([revision, at]) => [at, revision]);
  return Math.floor(momentOf(swapped, seconds));
}
