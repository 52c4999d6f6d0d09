// Which rows are chosen: by uid, so that a choice survives sorting, filtering and scrolling.

export class Selection {
  constructor() {
    this.uids = new Set();
    this.anchor = null;
  }

  get size() {
    return this.uids.size;
  }

  has(uid) {
    return this.uids.has(uid);
  }

  clear() {
    this.uids.clear();
    this.anchor = null;
  }

  toggle(uid) {
    if (!this.uids.delete(uid)) this.uids.add(uid);
    this.anchor = uid;
  }

  /** Chooses everything between the last choice and a row of the view. */
  extend(view, index) {
    const from = this.anchor === null ? -1 : view.findIndex((row) => row.uid === this.anchor);
    const [low, high] = from < 0 ? [index, index] : [Math.min(from, index), Math.max(from, index)];
    for (let i = low; i <= high; i += 1) this.uids.add(view[i].uid);
    if (from < 0) this.anchor = view[index].uid;
  }

  all(view) {
    for (const row of view) this.uids.add(row.uid);
  }

  /** Forgets what is gone. */
  drop(rows) {
    for (const { uid } of rows) this.uids.delete(uid);
  }
}

/** Returns which rows of a list are drawn: those in sight, and a few before and after. */
export function visible({ top, height, row, count, extra = 8 }) {
  const first = Math.max(0, Math.min(Math.floor(top / row) - extra, count - 1));
  const last = Math.min(count, Math.ceil((top + height) / row) + extra);
  return { first: count ? Math.max(first, 0) : 0, last };
}
