// Other tabs of the browser: each has a text of its own of an object, and is told where another has changes to it.
const THIS_TAB = `${performance.timeOrigin} ${Math.random()}`;

export class Elsewhere {
  /**
   * @param {string} key names the object
   * @param {(there: boolean) => void} changed hears whether another tab has changes
   */
  constructor(key, changed, tab = THIS_TAB) {
    Object.assign(this, { key, changed, tab, mine: false, others: new Set() });
    this.channel = new BroadcastChannel("kubeground.editor");
    this.channel.addEventListener("message", ({ data }) => this.hear(data));
    this.left = () => this.tell(false);
    window.addEventListener("pagehide", this.left);
    this.send({ asks: true });
  }

  stop() {
    this.tell(false);
    window.removeEventListener("pagehide", this.left);
    this.channel.close();
  }

  /** Tells the others whether there are changes here. */
  tell(mine) {
    if (mine === this.mine) return;
    this.mine = mine;
    this.send();
  }

  send(more = {}) {
    this.channel.postMessage({ key: this.key, tab: this.tab, changes: this.mine, ...more });
  }

  hear({ key, tab, changes, asks }) {
    if (key !== this.key || tab === this.tab) return;
    if (asks) this.send();
    const before = this.others.size;
    if (changes) this.others.add(tab);
    else this.others.delete(tab);
    if (this.others.size !== before) this.changed(this.others.size > 0);
  }
}
