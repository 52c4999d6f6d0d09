// The dock's panels and the keys that open them.
import assert from "node:assert/strict";
import { test } from "node:test";

import "./page.mjs";

import { PANELS } from "../src/dock/panels.js";
import { defaultKeys, pressed } from "../src/keys.js";
import { t } from "../src/texts.js";
import "../src/dock/kp-dock.js";

const press = (key) => ({ key, shiftKey: true, timeStamp: 0, defaultPrevented: false, composedPath: () => [], preventDefault() {} });

test("each button of the dock has a key, which does what the button does", () => {
  const dock = new (globalThis.customElements.get("kp-dock"))();
  Object.assign(dock, { cluster: "lab", height: { start() {}, stop() {}, separator: () => "" }, scheduleUpdate() {}, focusSoon() {}, contains: () => false });
  dock.connectedCallback();
  for (const { name, many } of PANELS.filter((panel) => panel.button)) {
    const [key] = defaultKeys(`dock.${name}`);
    assert.ok(t.actions[`dock.${name}`], name);
    pressed(press(key.replace("Shift+", "").toUpperCase()));
    assert.equal(dock.state.open, true);
    assert.equal(dock.state.tabs.find((tab) => tab.id === dock.state.active).panel, name);
    pressed(press(key.replace("Shift+", "").toUpperCase()));
    assert.equal(dock.state.open, Boolean(many), "a panel that is one is put away again");
    assert.equal(dock.state.tabs.filter((tab) => tab.panel === name).length, many ? 2 : 1);
  }
  dock.disconnectedCallback();
  pressed(press("V"));
  assert.equal(dock.state.tabs.length, 4, "keys go with the dock");
});
