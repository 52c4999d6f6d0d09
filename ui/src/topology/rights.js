// What one may not do here while one looks as somebody else, and why. Shells are a matter of Kubernetes' rights;
// to break things is none, so it is for those who look as themselves.
import { get } from "../api.js";
import { t } from "../texts.js";

export class Rights {
  constructor(host) {
    this.host = host;
    this.shells = new Map(); // by kind and namespace: why not, empty where one may
  }

  get breaking() {
    const { viewing } = this.host;
    return viewing ? t.topology.break.notAs(viewing) : "";
  }

  /** Returns why one may open no shell; empty where one may, and until that is known. */
  shell(plural, ns = "") {
    if (!this.host.viewing) return "";
    const key = `${plural}/${ns}`;
    if (!this.shells.has(key)) {
      this.shells.set(key, "");
      this.ask(key, new URLSearchParams({ group: "", version: "v1", plural, namespace: ns }));
    }
    return this.shells.get(key);
  }

  async ask(key, query) {
    try {
      const { shell } = await get(`/api/clusters/${this.host.cluster}/permissions?${query}`);
      this.shells.set(key, shell.reason);
      this.host.requestUpdate();
    } catch {
      // The shell itself says what is wrong.
    }
  }
}
