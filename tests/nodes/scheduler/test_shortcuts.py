"""What is remembered, kept up or worked out for all nodes at once is what a plain look would find.

Clusters, pods and changes are drawn. The plain look is at a cache that is made anew for each
attempt, with a cycle that remembers nothing; scores are worked out once more, node by node.
"""

import random
from math import log

import pytest

from nodes.scheduler.cache import Cache
from nodes.scheduler.podinfo import PodInfo
from tests.nodes.scheduler.test_memory import attempt_at, cycle_on, found
from tests.support.builders import node, obj, pod

HOST, ZONE = "kubernetes.io/hostname", "topology.kubernetes.io/zone"
MB = 1024 * 1024
OWNER = obj("ReplicaSet", "web", api_version="apps/v1").spec(selector={"matchLabels": {"app": "a"}})


def drawn_node(chance, name):
    made = node(name).cpu(chance.randrange(1, 9)).labels(disk=chance.choice("ab"))
    if chance.random() < 0.9:
        made.labels(**{ZONE: chance.choice(("z1", "z2", "z3"))})
    if chance.random() < 0.1:
        made.tainted("t", chance.choice(("NoSchedule", "PreferNoSchedule")))
    held = chance.sample(range(4), chance.randrange(4))
    sizes = (None, 5, 60 * MB, 700 * MB, 3000 * MB)
    images = [{"names": [f"i{at}:1", f"i{at}@x"], "sizeBytes": chance.choice(sizes)} for at in held]
    return made.status(images=images)


def drawn_pod(chance):
    made = pod("p").labels(app=chance.choice("abc")).requests(cpu=chance.choice(("1", "200m")))
    made.image(chance.choice(("i0:1", "i1:1", "other")))
    if chance.random() < 0.5:
        made.owned_by(OWNER.meta(uid="r"))
    if chance.random() < 0.2:
        made.spec(nodeSelector={"disk": "a"})
    if chance.random() < 0.2:
        made.tolerates(key="t", operator="Exists")
    alike = {"labelSelector": {"matchLabels": {"app": chance.choice("abc")}}}
    term = {"topologyKey": chance.choice((HOST, ZONE)), **alike}
    if chance.random() < 0.3:
        hard = chance.random() < 0.4
        term |= {"maxSkew": 2, "whenUnsatisfiable": "DoNotSchedule" if hard else "ScheduleAnyway"}
        term["nodeTaintsPolicy"] = chance.choice(("Honor", "Ignore"))
        made.spec(topologySpreadConstraints=[term, {**term, "topologyKey": "disk"}])
    elif chance.random() < 0.3:
        which = chance.choice(("podAffinity", "podAntiAffinity"))
        preferred = {"weight": chance.randrange(1, 100), "podAffinityTerm": term}
        also = {**alike, "topologyKey": "disk"} | chance.choice(({}, {"namespaceSelector": {}}))
        required, wished = ("requiredDuring", [term, also]), ("preferredDuring", [preferred])
        when, terms = required if chance.random() < 0.2 else wished
        made.spec(affinity={which: {f"{when}SchedulingIgnoredDuringExecution": terms}})
    return made


class Cluster:
    """Nodes that come, change and go, with the pods on them; kept beside the cache."""

    def __init__(self, chance, size):
        self.chance, self.cache, self.size = chance, Cache(), size
        self.pods = {}
        for number in range(size):
            self.cache.set_node(drawn_node(chance, f"n{number}"))

    def change(self):
        chance, name = self.chance, f"n{self.chance.randrange(self.size + 2)}"
        if chance.random() < 0.2:
            self.cache.set_node(drawn_node(chance, name))
        elif chance.random() < 0.05:
            self.cache.remove_node(name)
        if self.pods and chance.random() < 0.3:
            uid = chance.choice(sorted(self.pods))
            del self.pods[uid]
            self.cache.remove(uid)

    def place(self, info, name):
        self.pods[info.uid] = (info, name)
        self.cache.place(info, name)

    def anew(self):
        """Return a cache that has been told of what there is, and of nothing else."""
        made = Cache()
        for known in self.cache.nodes:
            made.set_node(known.obj)
        for info, name in self.pods.values():
            made.place(info, name)
        return made

    def count(self, app, labels):
        """Count the pods with a label on the nodes with others."""
        there = {one.name for one in self.cache.nodes if labels.items() <= one.labels.items()}
        pods = self.pods.values()
        return sum(name in there and info.labels["app"] == app for info, name in pods)


def plain_image_score(cluster, image, name):
    """Return the score of the image that all nodes know by one name."""
    sizes = {
        one.name: held["sizeBytes"] or 0
        for one in cluster.cache.nodes
        for held in one.obj["status"]["images"]
        if image in held["names"]
    }
    size = sizes.get(name, 0) * len(sizes) // len(cluster.cache.nodes)
    return 100 * (min(max(size, 23 * MB), 1000 * MB) - 23 * MB) // (977 * MB)


def plain_spread_score(cluster, info, scored, labels):
    """Return the score of a node for a pod of the ReplicaSet that says nothing of it."""
    zones = {cluster.cache.node(name).labels.get(ZONE) for name in scored}
    total = cluster.count("a", {HOST: labels[HOST]}) * log(len(scored) + 2) + 2
    if ZONE in labels:
        wanted = {ZONE: labels[ZONE], **info.spec.get("nodeSelector", {})}
        total += cluster.count("a", wanted) * log(len(zones) + 2) + 4
    return int(total + 0.5)


@pytest.mark.parametrize(("seed", "size"), [(1, 7), (2, 30), (3, 120)])
def test_the_same_is_found_as_by_a_plain_look(seed, size):
    chance = random.Random(seed)
    cluster, built = Cluster(chance, size), drawn_pod(chance)
    lasting = cycle_on(cluster.cache, looks_at_all=True, replicasets=[OWNER])
    seen = set()
    for number in range(120):
        cluster.change()
        if chance.random() < 0.3:
            built = drawn_pod(chance)
        built["metadata"]["uid"] = f"u{number}"
        fresh = cycle_on(cluster.anew(), looks_at_all=True, replicasets=[OWNER])
        outcome, attempt, info = attempt_at(lasting, built)
        expected, plain, _ = attempt_at(fresh, built)
        assert found(attempt) == found(plain)
        assert outcome.message == expected.message
        check_scores(cluster, attempt, info)
        seen |= {one.plugin for one in attempt.table}
        if outcome.node:
            cluster.place(PodInfo.of({**built, "metadata": dict(built["metadata"])}), outcome.node)
    assert seen >= {"PodTopologySpread", "InterPodAffinity", "ImageLocality"}


def check_scores(cluster, attempt, info):
    """Work out node by node what can be said in a line, and the sums."""
    spread_by_default = "topologySpreadConstraints" not in info.spec
    sums = dict.fromkeys(attempt.scored, 0)
    for plugin, weight, raws, evens in attempt.table:
        for name, raw, even in zip(attempt.scored, raws, evens, strict=True):
            sums[name] += even * weight
            labels = cluster.cache.node(name).labels
            if plugin == "ImageLocality":
                image = info.spec["containers"][0]["image"]
                assert raw == even == plain_image_score(cluster, image, name)
            elif plugin == "PodTopologySpread" and spread_by_default:
                assert raw == plain_spread_score(cluster, info, attempt.scored, labels)
                most, least = max(raws), min(raws)
                assert even == (100 * (most + least - raw) // most if most else 100)
    best = max(sums.values(), default=0)
    assert list(attempt.tied) == [name for name, total in sums.items() if total == best]
    assert sorted(attempt.totals().items()) == sorted(sums.items())


def test_a_taint_by_itself_changes_which_nodes_count():
    cache = Cache()
    for name, zone in (("n1", "z1"), ("n2", "z1"), ("n3", "z2")):
        cache.set_node(node(name).labels(**{ZONE: zone}))
    cache.place(PodInfo.of(pod("a").meta(uid="a").labels(app="a")), "n1")
    spread = {"topologyKey": ZONE, "maxSkew": 1, "whenUnsatisfiable": "ScheduleAnyway"}
    spread |= {"labelSelector": {"matchLabels": {"app": "a"}}, "nodeTaintsPolicy": "Honor"}
    built = pod("p").meta(uid="u").labels(app="a").spec(topologySpreadConstraints=[spread])
    cycle = cycle_on(cache)
    assert attempt_at(cycle, built)[1].tied == ("n3",)
    cache.set_node(node("n1").labels(**{ZONE: "z1"}).tainted("t", "NoSchedule"))
    assert attempt_at(cycle, built)[1].tied == ("n2", "n3")


def test_pods_that_mind_others_are_known_as_long_as_there_are_any():
    cache = Cache()
    cache.set_node(node("n1"))
    term = {"topologyKey": HOST, "labelSelector": {}}
    apart = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    for uid in "abc":
        cache.place(PodInfo.of(pod(uid).meta(uid=uid).spec(affinity=apart)), "n1")
    (kind,) = cache.company.kinds()
    assert kind.many == 3
    for uid in "abc":
        cache.remove(uid)
    assert not list(cache.company.kinds())
