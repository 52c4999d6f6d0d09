// What describes the kinds of a text.

/** The schemas of kinds, each fetched when a document first names the kind; the browser keeps them by their hash. */
export class Schemas {
  constructor(cluster, fetchJson) {
    this.cluster = cluster;
    this.fetchJson = fetchJson;
    this.known = new Map();
  }

  of({ apiVersion, kind }) {
    if (!apiVersion || !kind) return Promise.resolve(null);
    const key = `${apiVersion} ${kind}`;
    if (!this.known.has(key)) {
      const query = new URLSearchParams({ apiVersion, kind });
      const found = this.fetchJson(`/api/clusters/${this.cluster}/editor/schema?${query}`).then(
        (schema) => (schema.root ? schema : null),
        () => this.forget(key),
      );
      this.known.set(key, found);
    }
    return this.known.get(key);
  }

  /** What could not be read, or may have changed, is asked for again. */
  forget(key) {
    if (key) this.known.delete(key);
    else this.known.clear();
    return null;
  }
}
