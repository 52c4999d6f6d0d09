// What a program with @kubernetes/client-node does: node client.mjs KUBECONFIG NAMESPACE.
// Each step throws where the answer is not as expected; the last line printed is "all done".

import assert from "node:assert/strict";
import { createConnection, createServer } from "node:net";
import { PassThrough } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import * as k8s from "@kubernetes/client-node";

const [kubeconfig, namespace] = process.argv.slice(2);
const config = new k8s.KubeConfig();
config.loadFromFile(kubeconfig);
const core = config.makeApiClient(k8s.CoreV1Api);
const apps = config.makeApiClient(k8s.AppsV1Api);
const objects = k8s.KubernetesObjectApi.makeApiClient(config);

const configMap = (name, data = {}, labels = undefined) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace, labels },
  data,
});

/** Wait until `check` returns something true. */
async function until(check, within = 20_000) {
  for (const end = Date.now() + within; ; ) {
    const found = await check();
    if (found) return found;
    assert.ok(Date.now() < end, `not so after ${within} ms: ${check}`);
    await pause(30);
  }
}

async function objectsComeAndGo() {
  await core.createNamespacedConfigMap({ namespace, body: configMap("a", { n: "1" }) });
  await assert.rejects(
    core.createNamespacedConfigMap({ namespace, body: configMap("a") }),
    (error) => error.code === 409 && JSON.parse(error.body).reason === "AlreadyExists",
  );
  const found = await core.readNamespacedConfigMap({ namespace, name: "a" });
  found.data.n = "2";
  const replaced = await core.replaceNamespacedConfigMap({ namespace, name: "a", body: found });
  assert.equal(replaced.data.n, "2");
  await assert.rejects(
    core.replaceNamespacedConfigMap({ namespace, name: "a", body: found }),
    (error) => error.code === 409 && JSON.parse(error.body).reason === "Conflict",
  );
  await core.deleteNamespacedConfigMap({ namespace, name: "a" });
  await assert.rejects(
    core.readNamespacedConfigMap({ namespace, name: "a" }),
    (error) => error.code === 404,
  );
}

async function patchesOfEveryKind() {
  await core.createNamespacedConfigMap({ namespace, body: configMap("p", { n: "1" }) });
  const patch = (body, kind) =>
    core.patchNamespacedConfigMap(
      { namespace, name: "p", body },
      k8s.setHeaderOptions("Content-Type", kind),
    );
  await patch([{ op: "add", path: "/data/json", value: "1" }], k8s.PatchStrategy.JsonPatch);
  await patch({ data: { merge: "1", n: null } }, k8s.PatchStrategy.MergePatch);
  const last = await patch({ data: { strategic: "1" } }, k8s.PatchStrategy.StrategicMergePatch);
  assert.deepEqual(last.data, { json: "1", merge: "1", strategic: "1" });
}

async function appliedFieldsHaveOwners() {
  const apply = (data, manager, force = false) =>
    objects.patch(
      configMap("applied", data), undefined, undefined, manager, force,
      k8s.PatchStrategy.ServerSideApply,
    );
  const first = await apply({ n: "1", m: "1" }, "one");
  assert.equal(first.metadata.managedFields[0].operation, "Apply");
  await assert.rejects(
    apply({ n: "2" }, "two"),
    (error) => error.code === 409 && error.body.includes('conflict with \\"one\\": .data.n'),
  );
  assert.deepEqual((await apply({ n: "2" }, "two", true)).data, { n: "2", m: "1" });
  assert.deepEqual((await apply({ n: "2" }, "one")).data, { n: "2" });
}

async function informersKeepUp() {
  const seen = [];
  const informer = k8s.makeInformer(
    config,
    `/api/v1/namespaces/${namespace}/configmaps`,
    () => core.listNamespacedConfigMap({ namespace, labelSelector: "watched=yes" }),
    "watched=yes",
  );
  for (const event of ["add", "update", "delete"]) {
    informer.on(event, (object) => seen.push(`${event} ${object.metadata.name}`));
  }
  const problems = [];
  informer.on("error", (error) => problems.push(error));
  const labels = { watched: "yes" };
  await core.createNamespacedConfigMap({ namespace, body: configMap("early", {}, labels) });
  await informer.start();
  await core.createNamespacedConfigMap({ namespace, body: configMap("late", {}, labels) });
  await core.replaceNamespacedConfigMap({
    namespace, name: "late", body: configMap("late", { n: "1" }, labels),
  });
  await core.deleteNamespacedConfigMap({ namespace, name: "early" });
  await until(() => seen.length === 4);
  assert.deepEqual(seen, ["add early", "add late", "update late", "delete early"]);
  assert.deepEqual(informer.get("late", namespace).data, { n: "1" });
  assert.deepEqual(problems, []);
  await informer.stop();
}

async function watchesResume() {
  const { metadata } = await core.listNamespacedSecret({ namespace });
  for (const name of ["one", "two"]) {
    await core.createNamespacedSecret({ namespace, body: { metadata: { name } } });
  }
  const watch = new k8s.Watch(config);
  const from = (resourceVersion, count) =>
    new Promise((resolve, reject) => {
      const seen = [];
      watch
        .watch(
          `/api/v1/namespaces/${namespace}/secrets`,
          { resourceVersion, timeoutSeconds: 20 },
          (type, object) => {
            seen.push([type, object.metadata.name, object.metadata.resourceVersion]);
            if (seen.length === count) resolve(seen);
          },
          (error) => error && reject(error),
        )
        .then((controller) => until(() => seen.length >= count).then(() => controller.abort()));
    });
  const [one] = await from(metadata.resourceVersion, 1);
  assert.deepEqual(one.slice(0, 2), ["ADDED", "one"]);
  const [two] = await from(one[2], 1);
  assert.deepEqual(two.slice(0, 2), ["ADDED", "two"]);
}

async function podsTalk() {
  const container = { name: "web", image: "nginx", ports: [{ containerPort: 80 }] };
  await core.createNamespacedPod({
    namespace, body: { metadata: { name: "web" }, spec: { containers: [container] } },
  });
  await until(async () => {
    const pod = await core.readNamespacedPod({ namespace, name: "web" });
    return pod.status.conditions?.some((one) => one.type === "Ready" && one.status === "True");
  });
  assert.match(await core.readNamespacedPodLog({ namespace, name: "web" }), /start up|nginx/);

  const run = async (command, input) => {
    const [out, err, stdin] = [new PassThrough(), new PassThrough(), new PassThrough()];
    const status = await new Promise((resolve, reject) => {
      new k8s.Exec(config)
        .exec(namespace, "web", "web", command, out, err, input && stdin, false, resolve)
        .catch(reject);
      if (input) stdin.write(input);
    });
    return [String(out.read() ?? ""), String(err.read() ?? ""), status];
  };
  const [out, err, status] = await run(["sh", "-c", "echo out; echo err >&2; exit 3"]);
  assert.deepEqual([out, err, status.reason], ["out\n", "err\n", "NonZeroExitCode"]);
  assert.equal(status.details.causes[0].message, "3");
  const [said] = await run(["sh", "-c", "read line; echo got $line"], "hello\n");
  assert.equal(said, "got hello\n");

  const forward = new k8s.PortForward(config);
  const server = createServer((socket) => forward.portForward(namespace, "web", [80], socket, null, socket));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const answer = await new Promise((resolve, reject) => {
    const socket = createConnection(server.address().port, "127.0.0.1");
    socket.on("data", (data) => resolve(String(data))).on("error", reject);
    socket.write("GET / HTTP/1.0\r\nHost: web\r\n\r\n");
  });
  assert.match(answer, /^HTTP\/1\.1 200 OK/);
  server.close();
}

async function workloadsScale() {
  const labels = { app: "web" };
  const template = {
    metadata: { labels }, spec: { containers: [{ name: "web", image: "nginx" }] },
  };
  await apps.createNamespacedDeployment({
    namespace,
    body: { metadata: { name: "web" }, spec: { replicas: 1, selector: { matchLabels: labels }, template } },
  });
  const scale = await apps.readNamespacedDeploymentScale({ namespace, name: "web" });
  assert.equal(scale.status.selector, "app=web");
  await apps.patchNamespacedDeploymentScale(
    { namespace, name: "web", body: { spec: { replicas: 2 } } },
    k8s.setHeaderOptions("Content-Type", k8s.PatchStrategy.MergePatch),
  );
  await until(async () => {
    const { status } = await apps.readNamespacedDeployment({ namespace, name: "web" });
    return status.readyReplicas === 2 && status.observedGeneration === 2;
  });
}

async function customObjects() {
  const custom = config.makeApiClient(k8s.CustomObjectsApi);
  const where = { group: "coordination.k8s.io", version: "v1", namespace, plural: "leases" };
  await custom.createNamespacedCustomObject({
    ...where, body: { metadata: { name: "held" }, spec: { holderIdentity: "me" } },
  });
  const { items } = await custom.listNamespacedCustomObject(where);
  assert.deepEqual(items.map((item) => item.spec.holderIdentity), ["me"]);
  const review = await config.makeApiClient(k8s.AuthorizationV1Api).createSelfSubjectAccessReview({
    body: { spec: { resourceAttributes: { verb: "delete", resource: "nodes" } } },
  });
  assert.equal(review.status.allowed, true);
}

const steps = [
  objectsComeAndGo, patchesOfEveryKind, appliedFieldsHaveOwners, informersKeepUp, watchesResume,
  podsTalk, workloadsScale, customObjects,
];
const run = async (step) => {
  try {
    await step();
    console.log(`${step.name}: done`);
    return true;
  } catch (error) {
    console.log(`${step.name}: ${error?.stack ?? error}`);
    return false;
  }
};
const done = (await Promise.all(steps.map(run))).every(Boolean);
console.log(done ? "all done" : "not all done");
process.exit(done ? 0 : 1);
