// From one write of an object to the next: its revisions, read a page at a time and kept.
import { ask } from "./ask.js";
import { parseRef } from "./model.js";

const PAGE = 100;

export class Steps {
  constructor(cluster, read = ask) {
    this.cluster = cluster;
    this.read = read;
    this.ref = "";
  }

  /** Returns the object's write before (-1) or after (1) a revision, null where there is none. */
  async from(ref, rev, direction, newest) {
    if (ref !== this.ref || newest !== this.newest) Object.assign(this, { ref, newest, revisions: [], more: true });
    while (this.more && !(this.revisions.at(-1) < rev)) await this.readOn();
    if (direction < 0) return this.revisions.find((one) => one < rev) ?? null;
    return this.revisions.findLast((one) => one > rev) ?? null;
  }

  async readOn() {
    const before = this.revisions.at(-1) ?? this.newest + 1;
    const found = await this.read(this.cluster, "/history/object", { ...parseRef(this.ref), before, limit: PAGE });
    this.revisions.push(...found.items.map((one) => one.revision));
    this.more = found.more;
  }
}
