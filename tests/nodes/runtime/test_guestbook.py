"""The guestbook of the examples, run on the simulated node as the kubelet would run it."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
import yaml

from nodes.network.rules import RuleKey, ServiceRule, ServiceRules
from nodes.runtime.cri import Mount

pytestmark = pytest.mark.looptime

EXAMPLES = Path(__file__).parents[3] / "examples" / "guestbook"


def manifests():
    return [
        document
        for path in sorted(EXAMPLES.glob("*.yaml"))
        for document in yaml.safe_load_all(path.read_text())
    ]


class Book:
    """Runs the pods of the manifests, and keeps their Services' rules."""

    def __init__(self, lab):
        self.lab = lab
        self.objects = {(item["kind"], item["metadata"]["name"]): item for item in manifests()}
        self.rules = ServiceRules(lab.clock, Random(1))
        lab.net.set_rules("n1", self.rules)

    async def run(self, kind, name):
        template = self.objects[kind, name]["spec"]["template"]["spec"]
        pods = []
        for number in range(self.objects[kind, name]["spec"].get("replicas", 1)):
            volumes = {
                volume["name"]: self.volume(f"{name}-{number}", volume)
                for volume in template.get("volumes", ())
            }
            pods.append(await self.pod(template["containers"], volumes))
        return pods

    def volume(self, uid, volume):
        path = f"/var/lib/kubelet/pods/{uid}/volumes/x/{volume['name']}"
        self.lab.files.mkdir(path)
        if "configMap" in volume:
            data = self.objects["ConfigMap", volume["configMap"]["name"]]["data"]
            self.lab.files.replace(
                path, {key: (text.encode(), 0o644) for key, text in data.items()}
            )
        return path

    async def pod(self, containers, volumes):
        pod = None
        for spec in containers:
            options = {
                "args": tuple(spec.get("args", ())),
                "mounts": tuple(
                    Mount(
                        mount["mountPath"],
                        "/".join([volumes[mount["name"]], mount.get("subPath", "")]).rstrip("/"),
                    )
                    for mount in spec.get("volumeMounts", ())
                ),
            }
            command = tuple(spec.get("command", ()))
            if pod is None:
                pod = first = await self.lab.pod(spec["image"], *command, **options)
            else:
                await self.lab.container(pod, spec["image"], *command, **options)
        return first

    def service(self, name, ip, pods):
        self.lab.service(name, ip)
        port = self.objects["Service", name]["spec"]["ports"][0]["port"]
        backends = tuple((pod.ip, port) for pod in pods)
        self.rules.set(RuleKey(ip, port), ServiceRule(f"default/{name}", backends))


async def test_guestbook(lab):
    book = Book(lab)
    leader = await book.run("Deployment", "redis-leader")
    book.service("redis-leader", "10.96.1.1", leader)
    followers = await book.run("Deployment", "redis-follower")
    book.service("redis-follower", "10.96.1.2", followers)
    frontends = await book.run("Deployment", "frontend")
    book.service("frontend", "10.96.1.3", frontends)
    [job] = await book.run("Job", "first-entry")
    visitor = await lab.pod("busybox", "sleep", "10000")
    await lab.clock.sleep(10)

    assert (await job.status()).exit_code == 0
    assert len(frontends) == 3
    assert "<h1>Guestbook</h1>" in await visitor.sh("wget -qO- http://frontend")
    assert await visitor.sh("wget -qO- http://frontend/healthz") == "ok\n"
    probe = await followers[0].sh("redis-cli info replication | grep -q master_link_status:up")
    assert probe == ""

    await leader[0].run("redis-cli", "rpush", "guestbook", "Grace was here")
    await lab.clock.sleep(5)
    entries = await visitor.sh("for i in 1 2 3 4 5; do wget -qO- http://frontend/entries.txt; done")
    assert entries == "Welcome to the guestbook\nGrace was here\n" * 5
    seen = {trace.hops[-1].where for trace in lab.net.traces.since(0) if "frontend" in trace.target}
    assert len(seen) > 1
