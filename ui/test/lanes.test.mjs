// The lenses of traffic and storage: which lane a pod stands in, and what leads to it.
import assert from "node:assert/strict";
import test from "node:test";

import { hit } from "../src/scene/hit.js";
import { Layout } from "../src/scene/layout.js";
import { LENSES } from "../src/scene/lenses.js";
import { toSvg } from "../src/scene/save.js";
import { Store } from "../src/store.js";

function filled() {
  const store = new Store();
  const put = (table, ...items) => items.forEach((item) => store.put(table, item));
  const pod = (name, labels, claims = []) => ({ uid: name, ns: "a", name, node: "n1", status: "Running", ready: "1/1", restarts: 0, owner: "", cpu: 0, labels, claims });
  put("pods", pod("web-1", { app: "web", tier: "x" }), pod("web-2", { app: "web" }), pod("db-0", { app: "db" }, ["data-db-0"]), pod("alone", {}));
  put(
    "services",
    { uid: "s1", ns: "a", name: "web", type: "ClusterIP", ip: "10.96.0.7", selector: { app: "web" }, ports: ["80/TCP"] },
    { uid: "s2", ns: "a", name: "special", type: "ClusterIP", ip: "None", selector: { app: "web", tier: "x" }, ports: [] },
    { uid: "s3", ns: "b", name: "web", type: "ClusterIP", ip: "10.96.0.8", selector: { app: "web" }, ports: [] },
    { uid: "s4", ns: "a", name: "outside", type: "ExternalName", ip: "", selector: {}, ports: [] },
  );
  put("slices", { uid: "e1", ns: "a", name: "web-x", service: "web", ready: 1, serving: 1, terminating: 1, endpoints: 2, ports: ["80"] });
  put("ingresses", { uid: "i1", ns: "a", name: "shop", class: "", routes: [["shop.example", "/", "web"], ["", "/other", "elsewhere"]], addresses: [] });
  put("claims", { uid: "c1", ns: "a", name: "data-db-0", phase: "Bound", class: "standard", volume: "pv-1", size: "1Gi" });
  put("volumes", { uid: "v1", name: "pv-1", phase: "Bound", class: "standard", size: "1Gi", reclaim: "Delete" });
  return store;
}

test("a pod stands behind the first Service that selects it, by name", () => {
  const store = filled();
  const { boxOf } = LENSES.traffic;
  assert.equal(boxOf(store.pods.get("web-1"), store), "a/special");
  assert.equal(boxOf(store.pods.get("web-2"), store), "a/web");
  assert.equal(boxOf(store.pods.get("alone"), store), "none:a");
});

test("services of other namespaces and without a selector select nothing", () => {
  const store = filled();
  assert.deepEqual(store.servicesOf(store.pods.get("web-1")).map((one) => one.uid), ["s2", "s1"]);
  store.fold({ k: "services", t: "D", o: "s2" });
  assert.deepEqual(store.servicesOf(store.pods.get("web-1")).map((one) => one.uid), ["s1"]);
});

test("what leads to a Service stands from left to right", () => {
  const [ingresses, services, slices] = LENSES.traffic.stages("a/web", filled());
  assert.deepEqual(ingresses.map((one) => one.note), ["shop.example/"]);
  assert.equal(services[0].note, "10.96.0.7 80/TCP");
  assert.equal(slices[0].note, "1 of 2 ready, 1 ending");
});

test("a Service that selects and has nothing ready is marked; one without a selector is not", () => {
  const store = filled();
  assert.equal(LENSES.traffic.state("a/web", store), "plain");
  assert.equal(LENSES.traffic.state("a/special", store), "warn");
  assert.equal(LENSES.traffic.state("a/outside", store), "plain");
});

test("a claim shows its volume and its class, and what of that is not there", () => {
  const store = filled();
  const [classes, volumes, claims] = LENSES.storage.stages("a/data-db-0", store);
  assert.equal(volumes[0].note, "1Gi Bound Delete");
  assert.equal(claims[0].note, "1Gi Bound");
  assert.equal(classes[0].state, "warn");
  assert.equal(LENSES.storage.stages("a/lost", store)[2][0].state, "bad");
  assert.equal(LENSES.storage.boxOf(store.pods.get("db-0"), store), "a/data-db-0");
});

test("Gateways stand before the rules that go through them, where there are any", () => {
  const store = filled();
  assert.equal(LENSES.traffic.stages("a/web", store).length, 3);
  store.put("gateways", { uid: "g1", ns: "edge", name: "public", class: "sim", listeners: ["80/HTTP"], addresses: ["10.0.0.9"], why: "" });
  store.put("routes", { uid: "r1", ns: "a", name: "shop-route", gateways: ["edge/public", "a/lost"], routes: [["shop.example", "/cart", "a/web"], ["", "/", "b/web"]], why: "" });
  const [gateways, rules, services] = LENSES.traffic.stages("a/web", store);
  assert.deepEqual(gateways.map(({ name, note, state }) => [name, note, state]), [["public", "sim 80/HTTP 10.0.0.9", "plain"], ["lost", "not there", "bad"]]);
  assert.deepEqual(rules.map(({ kind, note }) => [kind, note]), [["Ingress", "shop.example/"], ["HTTPRoute", "shop.example/cart"]]);
  assert.equal(services[0].name, "web");
  assert.deepEqual(LENSES.traffic.stages("b/web", store)[1].map((one) => one.note), ["*/"], "a route leads to other namespaces too");
});

test("what a controller complains of stands on the card", () => {
  const store = filled();
  store.put("routes", { uid: "r1", ns: "a", name: "shop-route", gateways: ["a/public"], routes: [["", "/", "a/web"]], why: "no listener fits" });
  const [, rules] = LENSES.traffic.stages("a/web", store);
  assert.deepEqual([rules[1].note, rules[1].state], ["no listener fits", "warn"]);
});

test("a rule that leads to a Service that is not there has a lane, and so has a Gateway without routes", () => {
  const store = filled();
  store.put("gateways", { uid: "g1", ns: "a", name: "idle", class: "sim", listeners: [], addresses: [], why: "" });
  const layout = new Layout(LENSES.traffic, store);
  layout.arrange({ w: 1200, h: 800 });
  assert.equal(LENSES.traffic.state("a/elsewhere", store), "bad");
  assert.ok(layout.boxes.has("a/elsewhere"));
  const idle = [...layout.boxes.values()].find((box) => box.stages[0]?.[0]?.kind === "Gateway" && box.stages.length === 1);
  assert.equal(LENSES.traffic.title(idle.key, store).trim(), "idle");
  store.put("routes", { uid: "r1", ns: "a", name: "r", gateways: ["a/idle"], routes: [["", "/", "a/web"]], why: "" });
  layout.follow();
  assert.ok(!layout.boxes.has(idle.key), "its lane is that of the Service now");
});

test("pods of a lane stand right of its cards, and are found there", () => {
  const store = filled();
  const layout = new Layout(LENSES.traffic, store);
  layout.arrange({ w: 1200, h: 800 });
  const corner = layout.corner("web-2");
  const box = layout.boxes.get("a/web");
  assert.ok(corner.x >= box.x + box.lead);
  assert.equal(hit(layout, corner.x + 5, corner.y + 5).uid, "web-2");
  const card = layout.cardAt(box, 2, 0);
  assert.ok(card.x + card.w <= corner.x);
});

test("what is deleted loses its lane, once it is empty; what is nobody's comes last", () => {
  const store = filled();
  const layout = new Layout(LENSES.traffic, store);
  store.fold({ k: "services", t: "D", o: "s4" });
  store.fold({ k: "services", t: "D", o: "s1" });
  layout.follow();
  assert.equal(layout.boxes.has("a/outside"), false);
  assert.equal(layout.where.get("web-2").box.key, "none:a");
  assert.equal(layout.bands.get("a").boxes.at(-1).key, "none:a");
});

test("the picture as SVG names each pod, and holds no markup of anybody's", () => {
  const store = filled();
  store.put("pods", { ...store.pods.get("alone"), uid: "bad", name: "<script>&" });
  const layout = new Layout(LENSES.traffic, store);
  layout.arrange({ w: 1200, h: 800 });
  const svg = toSvg({ layout, store, palette: {}, test: null });
  assert.match(svg, /<title>a\/web-1: Running<\/title>/);
  assert.match(svg, /&lt;script&gt;&amp;/);
  assert.ok(!svg.includes("<script>"));
  assert.match(svg, /shop\.example/);
});
