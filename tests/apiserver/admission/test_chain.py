"""The chain: who is asked, in which order, and who is not asked at all."""

from __future__ import annotations

import pytest

from apimachinery.errors import Forbidden
from apimachinery.gvk import GroupResource
from apiserver.admission.chain import AdmissionChain
from apiserver.admission.interfaces import ANY, CREATE, DELETE, UPDATE, Rule
from tests.apiserver.admission.support import named, request


class Spy:
    def __init__(self, name, rule, log):
        self.name = name
        self.handles = rule
        self.log = log


class Mutating(Spy):
    def admit(self, request):
        self.log.append(f"{self.name} admits")


class Validating(Spy):
    def validate(self, request):
        self.log.append(f"{self.name} validates")


class Both(Mutating, Validating):
    pass


class Refusing(Spy):
    def admit(self, request):
        raise request.refusal("no")


def test_mutators_then_validators_in_order_and_only_those_that_handle_it():
    log = []
    pods = Rule(("pods",), (CREATE,))
    chain = AdmissionChain(
        [
            Validating("a", pods, log),
            Both("b", Rule((ANY,), (CREATE, DELETE)), log),
            Mutating("c", Rule(("nodes",), (CREATE,)), log),
            Mutating("d", Rule(("pods",), (UPDATE,)), log),
        ]
    )

    chain.admit(request(named("p", "ns")))
    chain.validate(request(named("p", "ns")))

    assert log == ["b admits", "a validates", "b validates"]


@pytest.mark.parametrize(
    ("rule", "resource", "subresource", "matches"),
    [
        (Rule(("pods",), (CREATE,)), "pods", "", True),
        (Rule(("pods",), (CREATE,)), "pods", "status", False),
        (Rule(("pods",), (CREATE,), ("status",)), "pods", "status", True),
        (Rule(("pods",), (CREATE,), (ANY,)), "pods", "eviction", True),
        (Rule(("deployments.apps",), (CREATE,)), "deployments.apps", "", True),
        (Rule(("deployments.apps",), (CREATE,)), "deployments", "", False),
        (Rule((ANY,), (CREATE,)), "widgets.example.com", "", True),
    ],
)
def test_rules(rule, resource, subresource, matches):
    assert rule.matches(resource, subresource, CREATE) is matches


def test_first_refusal_ends_it():
    log = []
    rule = Rule(("pods",), (CREATE,))
    chain = AdmissionChain([Refusing("a", rule, log), Mutating("b", rule, log)])

    with pytest.raises(Forbidden, match='pods "p" is forbidden: no'):
        chain.admit(request(named("p", "ns")))

    assert log == []


def test_handlers_are_worked_out_once():
    chain = AdmissionChain([])
    pods = GroupResource("", "pods")

    assert chain.handlers(pods, "", CREATE) is chain.handlers(pods, "", CREATE)


@pytest.mark.parametrize(
    ("obj", "shown"),
    [
        ({"metadata": {"name": "p"}}, "p"),
        ({"metadata": {"generateName": "gen-"}}, "gen-"),
        ({"metadata": {}}, "Unknown"),
    ],
)
def test_refusal_names_the_object(obj, shown):
    assert request(obj).refusal("no").message == f'pods "{shown}" is forbidden: no'


class Asking(Spy):
    """Has to ask somebody, where `asks` says so."""

    asks = True

    def concerns(self, request):
        return self.asks

    async def admit_async(self, request):
        self.log.append(f"{self.name} asked to admit")

    async def validate_async(self, request):
        self.log.append(f"{self.name} asked to validate")


async def test_what_waits_is_asked_in_its_place():
    log = []
    pods = Rule(("pods",), (CREATE,))
    chain = AdmissionChain(
        [Both("a", pods, log), Asking("hooks", pods, log), Both("quota", pods, log)]
    )
    asked = request(named("p", "ns"))

    waiting = chain.admit(asked)
    assert waiting is not None
    await waiting
    waiting = chain.validate(asked)
    assert waiting is not None
    await waiting

    assert log == [
        "a admits", "hooks asked to admit", "quota admits",
        "a validates", "hooks asked to validate", "quota validates",
    ]  # fmt: skip


def test_nobody_waits_for_a_plugin_that_is_not_concerned():
    log = []
    pods = Rule(("pods",), (CREATE,))
    hooks = Asking("hooks", pods, log)
    hooks.asks = False
    chain = AdmissionChain([hooks, Both("quota", pods, log)])

    assert chain.admit(request(named("p", "ns"))) is None
    assert chain.validate(request(named("p", "ns"))) is None
    assert log == ["quota admits", "quota validates"]


async def test_mutators_run_again_after_a_late_change():
    log = []
    pods = Rule(("pods",), (CREATE,))

    class Late(Asking):
        async def admit_async(self, request):
            await super().admit_async(request)
            request.reinvoke = True

    chain = AdmissionChain([Mutating("a", pods, log), Late("hooks", pods, log)])
    asked = request(named("p", "ns"))
    asked.default = lambda obj: log.append("defaults")
    waiting = chain.admit(asked)
    assert waiting is not None
    await waiting

    again = ["a admits", "hooks asked to admit"]
    assert log == [*again, "defaults", *again]
    assert asked.reinvoked
