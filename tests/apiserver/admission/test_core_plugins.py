"""NamespaceLifecycle, Priority, DefaultTolerationSeconds: what they change and what they refuse."""

from __future__ import annotations

import pytest

from apimachinery.errors import Forbidden, NotFound
from apiserver.admission.interfaces import CREATE, DELETE, UPDATE
from apiserver.admission.plugins.default_toleration_seconds import DefaultTolerationSeconds
from apiserver.admission.plugins.namespace_lifecycle import NamespaceLifecycle
from apiserver.admission.plugins.priority import Priority
from tests.apiserver.admission.support import Reader, named, pod, request

NAMESPACES = Reader(
    namespaces=[
        named("ns", status={"phase": "Active"}),
        named("going", status={"phase": "Terminating"}),
    ]
)


def lifecycle(wanted):
    NamespaceLifecycle(NAMESPACES).admit(wanted)


@pytest.mark.parametrize("operation", [CREATE, UPDATE])
def test_namespace_must_exist(operation):
    with pytest.raises(NotFound, match=r'^namespaces "absent" not found$'):
        lifecycle(request(named("a", "absent"), "configmaps", operation))


def test_terminating_namespace_takes_nothing_new():
    with pytest.raises(Forbidden) as caught:
        lifecycle(request(named("a", "going"), "configmaps"))

    assert caught.value.message == (
        'configmaps "a" is forbidden: unable to create new content in namespace going because it '
        "is being terminated"
    )
    assert caught.value.details == {
        "name": "a",
        "kind": "configmaps",
        "causes": [
            {
                "reason": "NamespaceTerminating",
                "message": "namespace going is being terminated",
                "field": "metadata.namespace",
            }
        ],
    }


@pytest.mark.parametrize(
    "allowed",
    [
        request(named("a", "ns"), "configmaps"),
        request(named("a", "going"), "configmaps", UPDATE),
        request(named("n1"), "nodes"),
        request(named("absent"), "namespaces", namespace="absent"),
        request(operation=DELETE, old_object=named("a", "absent"), resource="configmaps"),
        request(operation=DELETE, resource="namespaces", name="ns", namespace="ns"),
        request(named("", "absent"), "localsubjectaccessreviews.authorization.k8s.io"),
    ],
)
def test_lifecycle_lets_through(allowed):
    lifecycle(allowed)


@pytest.mark.parametrize("name", ["default", "kube-system", "kube-public"])
def test_namespaces_of_the_system_stay(name):
    with pytest.raises(Forbidden) as caught:
        lifecycle(request(operation=DELETE, resource="namespaces", name=name, namespace=name))

    assert caught.value.message == (
        f'namespaces "{name}" is forbidden: this namespace may not be deleted'
    )


HIGH = named("high", value=1000, preemptionPolicy="Never")
CLASSES = {"priorityclasses__scheduling__k8s__io": [HIGH]}


def priority(obj, *more, operation=CREATE, **about):
    reader = Reader(**CLASSES)
    reader.add("priorityclasses.scheduling.k8s.io", *more)
    Priority(reader).admit(request(obj, operation=operation, **about))
    spec = obj["spec"]
    return tuple(spec.get(key) for key in ("priorityClassName", "priority", "preemptionPolicy"))


def test_priority_comes_from_the_class():
    assert priority(pod(priorityClassName="high")) == ("high", 1000, "Never")
    assert priority(pod()) == (None, 0, "PreemptLowerPriority")
    assert priority(pod(priority=1000, priorityClassName="high"))[1] == 1000


def test_lowest_default_class_counts():
    defaults = [named(n, value=v, globalDefault=True) for n, v in [("two", 2), ("one", 1)]]

    assert priority(pod(), *defaults) == ("one", 1, "PreemptLowerPriority")


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (
            {"priority": 5},
            (
                "the integer value of priority (5) must not be provided in pod spec; priority "
                "admission controller computed 0 from the given PriorityClass name"
            ),
        ),
        (
            {"preemptionPolicy": "Never"},
            (
                "the string value of PreemptionPolicy (Never) must not be provided in pod spec; "
                "priority admission controller computed PreemptLowerPriority from the given "
                "PriorityClass name"
            ),
        ),
        ({"priorityClassName": "gone"}, "no PriorityClass with name gone was found"),
    ],
)
def test_priority_refusals(spec, words):
    with pytest.raises(Forbidden) as caught:
        priority(pod(**spec))

    assert caught.value.message == f'pods "p" is forbidden: {words}'


def test_update_keeps_the_priority_that_a_client_left_out():
    old = pod(priority=7, preemptionPolicy="Never")

    assert priority(pod(), operation=UPDATE, old_object=old) == (None, 7, "Never")


def test_one_default_class_alone():
    classes = "priorityclasses.scheduling.k8s.io"
    reader = Reader(priorityclasses__scheduling__k8s__io=[named("one", globalDefault=True)])
    plugin = Priority(reader)
    plugin.validate(request(named("one", globalDefault=True), classes, UPDATE))
    plugin.validate(request(named("two"), classes))

    with pytest.raises(Forbidden) as caught:
        plugin.validate(request(named("two", globalDefault=True), classes))

    assert caught.value.message == (
        'priorityclasses.scheduling.k8s.io "two" is forbidden: PriorityClass one is already '
        "marked as default. Only one default can exist"
    )


def toleration(taint, **more):
    return {"key": f"node.kubernetes.io/{taint}", "operator": "Exists", **more}


NOT_READY = toleration("not-ready", effect="NoExecute", tolerationSeconds=300)
UNREACHABLE = toleration("unreachable", effect="NoExecute", tolerationSeconds=300)


@pytest.mark.parametrize(
    ("given", "added"),
    [
        ([], [NOT_READY, UNREACHABLE]),
        ([toleration("not-ready", effect="NoExecute")], [UNREACHABLE]),
        ([toleration("not-ready")], [UNREACHABLE]),
        ([toleration("not-ready", effect="NoSchedule")], [NOT_READY, UNREACHABLE]),
        ([{"operator": "Exists"}], []),
    ],
)
def test_tolerations(given, added):
    obj = pod(tolerations=list(given))

    DefaultTolerationSeconds().admit(request(obj))

    assert obj["spec"]["tolerations"] == given + added
