"""What is remembered of nodes is what would be said of them now, and nobody is asked twice."""

import random

from nodes.scheduler.attempt import Attempt
from nodes.scheduler.cache import Cache
from nodes.scheduler.cycle import Cycle
from nodes.scheduler.memory import Memory
from nodes.scheduler.plugins.node_resources_fit import NodeResourcesFit
from nodes.scheduler.podinfo import PodInfo
from nodes.scheduler.profile import Profile
from tests.nodes.scheduler.test_plugins import Objects, state
from tests.support.builders import node, obj, pod

READ = (
    *("services", "replicationcontrollers", "replicasets", "statefulsets", "namespaces"),
    *("persistentvolumeclaims", "persistentvolumes", "storageclasses", "csinodes"),
    *("csidrivers", "csistoragecapacities"),
    *("volumeattachments", "resourceclaims", "resourceslices", "deviceclasses"),
)


def cycle_on(cache, *, looks_at_all=False, **kinds):
    readers = {name: Objects(*kinds.get(name, ())) for name in READ}
    chance = random.Random(0)
    return Cycle(cache, Profile(), readers, chance, looks_at_all=looks_at_all)


def attempt_at(cycle, built):
    info = PodInfo.of(built)
    attempt = Attempt("default/p", info.uid, 1, "")
    return cycle.run(info, attempt), attempt, info


def found(attempt):
    """Return all that an attempt found out, whatever the order in which it did."""
    rows = {
        node: {one.plugin: (one.weight, one.raw[at], one.even[at]) for one in attempt.table}
        for at, node in enumerate(attempt.scored)
    }
    return attempt.refused, attempt.unresolvable, rows, set(attempt.tied)


def test_it_says_what_a_fresh_look_says_while_nodes_and_pods_come_change_and_go():
    chance, cache = random.Random(5), Cache()
    lasting, placed = cycle_on(cache), []
    for number in range(150):
        name = f"n{chance.randrange(12)}"
        if chance.random() < 0.3:
            changed = node(name).cpu(chance.randrange(1, 5)).labels(disk=chance.choice("ab"))
            cache.set_node(changed.tainted("t", "NoSchedule") if chance.random() < 0.2 else changed)
        elif chance.random() < 0.1:
            cache.remove_node(name)
        if placed and chance.random() < 0.2:
            cache.remove(placed.pop(chance.randrange(len(placed))))
        wanted = pod("p").meta(uid=f"u{number}")
        wanted = chance.choice(
            [
                wanted.requests(cpu="500m"),
                wanted.requests(cpu="1500m", memory="1Gi"),
                wanted.requests(cpu="100m").spec(nodeSelector={"disk": "a"}),
                wanted.tolerates(key="t", operator="Exists"),
            ]
        )
        if chance.random() < 0.1:
            cache.nominate(PodInfo.of(pod("other").meta(uid="other").requests(cpu="1")), name)
        outcome, attempt, info = attempt_at(lasting, wanted)
        _, fresh, _ = attempt_at(cycle_on(cache), wanted)
        assert found(attempt) == found(fresh)
        if outcome.node:
            cache.place(info, outcome.node)
            placed.append(info.uid)
    assert len(placed) > 20


def test_a_pod_like_the_one_before_asks_about_the_node_that_took_it_alone(monkeypatch):
    asked = []
    for point in ("filter", "score"):
        real = getattr(NodeResourcesFit, point)

        def counted(self, state, pod, node, real=real, point=point):
            asked.append((point, node.name))
            return real(self, state, pod, node)

        monkeypatch.setattr(NodeResourcesFit, point, counted)
    cache = Cache()
    for number in range(50):
        cache.set_node(node(f"n{number}"))
    cycle = cycle_on(cache)
    outcome, _, info = attempt_at(cycle, pod("p").meta(uid="u1").requests(cpu="1"))
    assert len(asked) == 100
    cache.place(info, outcome.node)
    asked.clear()
    attempt_at(cycle, pod("q").meta(uid="u2").requests(cpu="1"))
    assert asked == [("filter", outcome.node), ("score", outcome.node)]


def test_what_devices_say_of_a_node_is_not_remembered():
    named = obj("DeviceClass", "gpu", "", spec={"extendedResourceName": "example.com/gpu"})
    info = PodInfo.of(pod("p").requests(**{"example.com/gpu": "1"}))
    for classes, remembered in (([named], False), ([], True)):
        cycle, memory = state([node("n1")], deviceclasses=classes), Memory(Profile())
        assert (memory.of(cycle, info, ()) is memory.of(cycle, info, ())) is remembered
