"""PodTopologySpread and InterPodAffinity: where pods may stand by who stands where."""

from nodes.scheduler.plugins.inter_pod_affinity import InterPodAffinity
from nodes.scheduler.plugins.pod_topology_spread import PodTopologySpread
from tests.nodes.scheduler.test_plugins import (
    UNRESOLVABLE,
    UNSCHEDULABLE,
    configured,
    refused,
    scores,
)
from tests.support.builders import node, obj, pod, service


def spread(key="zone", skew=1, when="DoNotSchedule", **more):
    entry = {
        "topologyKey": key,
        "maxSkew": skew,
        "whenUnsatisfiable": when,
        "labelSelector": {"matchLabels": {"app": "x"}},
    }
    return [{**entry, **more}]


ZONED = [
    node("a1").labels(zone="a"),
    node("a2").labels(zone="a"),
    node("b1").labels(zone="b"),
    node("none"),
]


def test_topology_spread_refuses_more_skew():
    placed = [(pod("p1").labels(app="x"), "a1")]
    built = pod("p").labels(app="x").spec(topologySpreadConstraints=spread())
    found = refused(PodTopologySpread(), built, ZONED, placed)
    why = "node(s) didn't match pod topology spread constraints"
    assert found == {
        "a1": (UNSCHEDULABLE, (why,)),
        "a2": (UNSCHEDULABLE, (why,)),
        "none": (UNRESOLVABLE, (f"{why} (missing required label)",)),
    }


def test_topology_spread_counts_only_domains_that_the_pod_may_use():
    placed = [(pod("p1").labels(app="x"), "a1")]
    built = (
        pod("p")
        .labels(app="x")
        .spec(topologySpreadConstraints=spread(), nodeSelector={"zone": "a"})
    )
    # Zone b does not count for a pod that cannot go there, so there is no skew.
    assert set(refused(PodTopologySpread(), built, ZONED, placed)) == {"none"}


def test_min_domains_makes_the_missing_ones_count_as_empty():
    placed = [(pod("p1").labels(app="x"), "a1"), (pod("p2").labels(app="x"), "b1")]
    built = pod("p").labels(app="x").spec(topologySpreadConstraints=spread(minDomains=3))
    assert set(refused(PodTopologySpread(), built, ZONED, placed)) == {"a1", "a2", "b1", "none"}


def test_pods_of_a_service_spread_over_hosts_by_default():
    nodes = [node("n1"), node("n2")]
    placed = [(pod(f"p{i}").labels(app="x"), "n1") for i in range(3)]
    built = pod("p").labels(app="x")
    given = {"services": [service("web", app="x")]}
    found = scores(PodTopologySpread(), built, nodes, placed, **given)
    assert found is not None
    assert found["n2"] > found["n1"]
    assert scores(PodTopologySpread(), built, nodes, placed) is None


def test_spread_counts_nobody_who_leaves_and_nobody_for_an_empty_selector():
    leaving = pod("p1").labels(app="x")
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    built = pod("p").labels(app="x").spec(topologySpreadConstraints=spread())
    assert set(refused(PodTopologySpread(), built, ZONED, [(leaving, "a1")])) == {"none"}
    there = [(pod("p1").labels(app="x"), "a1"), (pod("p2").labels(app="x"), "a1")]
    anybody = pod("p").spec(topologySpreadConstraints=spread(labelSelector={}))
    assert set(refused(PodTopologySpread(), anybody, ZONED, there)) == {"none"}


def test_spread_by_default_looks_at_services_and_all_that_the_controller_selects():
    nodes = [node("n1"), node("n2")]
    picky = {"matchExpressions": [{"key": "tier", "operator": "In", "values": ["a", "b"]}]}
    owner = obj("ReplicaSet", "rs", api_version="apps/v1", spec={"selector": picky})
    given = {"services": [service("web", app="x")], "replicasets": [owner]}
    built = pod("p").labels(app="x", tier="a").owned_by(owner)
    for labels, even in (({"app": "x", "tier": "b"}, False), ({"app": "x", "tier": "c"}, True)):
        placed = [(pod(f"p{i}").labels(**labels), "n1") for i in range(3)]
        found = scores(PodTopologySpread(), built, nodes, placed, **given)
        assert found is not None
        assert (found["n1"] == found["n2"]) is even


def anti(kind="podAntiAffinity", labels=None, **more):
    term = {
        "topologyKey": "kubernetes.io/hostname",
        "labelSelector": {"matchLabels": labels or {"app": "x"}},
        **more,
    }
    return {kind: {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}


def test_anti_affinity_both_ways():
    nodes = [node("n1"), node("n2")]
    lonely = pod("p").labels(app="x").spec(affinity=anti())
    there = pod("a").labels(app="x")
    assert refused(InterPodAffinity(), lonely, nodes, [(there, "n1")]) == {
        "n1": (UNSCHEDULABLE, ("node(s) didn't match pod anti-affinity rules",))
    }
    # The pod that is there does not want it, whatever it wants itself.
    placed = [(pod("b").labels(app="x").spec(affinity=anti()), "n1")]
    assert refused(InterPodAffinity(), pod("q").labels(app="x"), nodes, placed) == {
        "n1": (UNSCHEDULABLE, ("node(s) didn't satisfy existing pods anti-affinity rules",))
    }


def test_anti_affinity_of_another_namespace_does_not_count():
    lonely = pod("p").labels(app="x").spec(affinity=anti())
    there = pod("a", "other").labels(app="x")
    assert refused(InterPodAffinity(), lonely, [node("n1")], [(there, "n1")]) == {}
    everywhere = pod("p").labels(app="x").spec(affinity=anti(namespaceSelector={}))
    spaces = {"namespaces": [obj("Namespace", "other", "")]}
    assert set(
        refused(InterPodAffinity(), everywhere, [node("n1")], [(there, "n1")], **spaces)
    ) == {"n1"}


def test_namespaces_are_chosen_by_the_labels_that_they_have():
    lonely = (
        pod("p")
        .labels(app="x")
        .spec(affinity=anti(namespaceSelector={"matchLabels": {"team": "a"}}))
    )
    there = [(pod("a", name).labels(app="x"), f"n{name}") for name in ("1", "2", "default")]
    spaces = [
        obj("Namespace", name, "").labels(team=team) for name, team in zip("12", "ab", strict=True)
    ]
    nodes = [node("n1"), node("n2"), node("ndefault")]
    assert set(refused(InterPodAffinity(), lonely, nodes, there, namespaces=spaces)) == {"n1"}


def test_affinity_joins_its_like_and_the_first_goes_anywhere():
    nodes = [node("n1"), node("n2")]
    social = pod("p").labels(app="x").spec(affinity=anti("podAffinity"))
    assert refused(InterPodAffinity(), social, nodes) == {}
    assert refused(InterPodAffinity(), social, nodes, [(pod("a").labels(app="x"), "n1")]) == {
        "n2": (UNRESOLVABLE, ("node(s) didn't match pod affinity rules",))
    }
    stranger = pod("q").labels(app="y").spec(affinity=anti("podAffinity"))
    assert set(refused(InterPodAffinity(), stranger, nodes)) == {"n1", "n2"}


def test_affinity_joins_those_alone_that_all_its_terms_name():
    nodes = [node("n1").labels(zone="a"), node("n2").labels(zone="a")]
    term = {"labelSelector": {"matchLabels": {"app": "x"}}, "topologyKey": "zone"}
    other = {"labelSelector": {"matchLabels": {"tier": "b"}}, "topologyKey": "zone"}
    when = "requiredDuringSchedulingIgnoredDuringExecution"
    social = pod("p").spec(affinity={"podAffinity": {when: [term, other]}})
    halves = [(pod("a").labels(app="x"), "n1"), (pod("b").labels(tier="b"), "n2")]
    assert set(refused(InterPodAffinity(), social, nodes, halves)) == {"n1", "n2"}
    both = [(pod("a").labels(app="x", tier="b"), "n1")]
    assert refused(InterPodAffinity(), social, nodes, both) == {}


def test_constraints_of_pods_without_their_own():
    constraint = {"topologyKey": "zone", "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"}
    plugin = configured(PodTopologySpread(), defaultingType="List", defaultConstraints=[constraint])
    nodes = [node("a").labels(zone="1"), node("b").labels(zone="2")]
    there = [(pod(f"q{i}").labels(app="web"), "a") for i in range(2)]
    web = pod("p").labels(app="web")
    found = refused(plugin, web, nodes, there, services=[service("web", app="web")])
    assert set(found) == {"a"}
    assert refused(plugin, web, nodes, there) == {}, "of nothing it is one of"


def test_how_much_required_affinity_draws_is_configured():
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "p"}}}
    draws = {"requiredDuringSchedulingIgnoredDuringExecution": [term]}
    there = [(pod("q").spec(affinity={"podAffinity": draws}), "a")]
    nodes = [node("a"), node("b")]
    wanted = pod("p").labels(app="p")
    assert scores(InterPodAffinity(), wanted, nodes, there) == {"a": 100, "b": 0}
    none = configured(InterPodAffinity(), hardPodAffinityWeight=0)
    assert scores(none, wanted, nodes, there) in (None, {"a": 0, "b": 0})
