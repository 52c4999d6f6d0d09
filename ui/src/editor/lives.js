// What is in the cluster under the names that a text uses: each is asked for when somebody looks at it.

/** Finds the resource of a kind, whatever its version: `kinds` holds [apiVersion, kind, title, namespaced]. */
export function resourceOf(kinds, { apiVersion, kind }) {
  const group = (version) => (version.includes("/") ? version.split("/")[0] : "");
  const found = kinds.find(([version, name]) => name === kind && group(version) === group(apiVersion));
  return found ? { title: found[2], namespaced: found[3] } : null;
}

export class Lives {
  /** @param {{kinds: any[], namespace: string, read: (place: object) => Promise<object>, changed: () => void}} given */
  constructor(given) {
    Object.assign(this, given);
    this.known = new Map();
  }

  forget() {
    this.known.clear();
  }

  place({ about }) {
    const resource = resourceOf(this.kinds, about);
    if (!resource || !about.name) return null;
    return { kind: resource.title, namespace: resource.namespaced ? about.namespace || this.namespace : "", name: about.name };
  }

  /** Returns at which revision the object of a document is now, nothing for none. */
  async newest(section) {
    const place = this.place(section);
    const live = place && (await this.read(place).catch(() => null));
    return live?.revision ?? "";
  }

  /** Returns the object of a document as it is now, null for none; undefined until it is known. */
  of(section) {
    const place = this.place(section);
    if (!place) return null;
    const key = Object.values(place).join("/");
    if (!this.known.has(key)) {
      this.known.set(key, undefined);
      this.read(place)
        .catch(() => null)
        .then((live) => {
          if (this.known.has(key)) this.known.set(key, live);
          this.changed();
        });
    }
    return this.known.get(key);
  }
}
