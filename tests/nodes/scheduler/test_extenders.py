"""Extenders: what they are asked, and what becomes of their answers."""

import asyncio

import orjson
import pytest

from apimachinery.meta import uid_of
from nodes.client.resources import PODS
from nodes.scheduler.config.reading import Configuration, Extender
from nodes.scheduler.extenders import ExtenderError
from tests.nodes.scheduler.test_loop import Rig
from tests.support.builders import node, pod
from tests.support.eventually import eventually
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME
URL = "http://extender.default.svc:80/scheduler"


class Program:
    """An extender that notes what it is asked; `answers` has one for each verb."""

    def __init__(self, **answers):
        self.answers, self.asked = answers, []

    async def __call__(self, extender, url, body):
        await asyncio.sleep(0.1)
        verb = url.removeprefix(f"{URL}/")
        given = orjson.loads(body)
        self.asked.append((verb, given))
        answer = self.answers[verb]
        if isinstance(answer, ExtenderError):
            raise answer
        return orjson.dumps(answer(given) if callable(answer) else answer)


@pytest.fixture
async def rig():
    made = Rig()
    yield made
    made.scheduler.stop()
    await made.tasks.close()


def use(rig, program, **more):
    rig.scheduler._ask = program
    extender = Extender(URL, **{"filter": "filter", "node_cache": True, **more})
    rig.scheduler.configure(Configuration(extenders=(extender,)))


def only(*names, **why):
    return {"NodeNames": list(names), "FailedNodes": why}


async def test_an_extender_leaves_nodes_out_and_says_why(rig):
    program = Program(filter=only("n2", n1="too old"))
    use(rig, program)
    await rig.create(node("n1"), node("n2"), pod("p"))
    await eventually(lambda: rig.node_of("p") == "n2")
    ((verb, given),) = program.asked
    assert verb == "filter"
    assert given["NodeNames"] == ["n1", "n2"]
    assert given["Nodes"] is None
    assert given["Pod"]["metadata"]["name"] == "p"
    attempt = rig.scheduler.decisions.of(given["Pod"]["metadata"]["uid"])[-1]
    assert attempt.refused == {"n1": (f"Extender {URL}", ("too old",))}


async def test_whole_nodes_are_sent_to_one_without_a_cache_of_them(rig):
    program = Program(filter=lambda given: {"Nodes": {"items": given["Nodes"]["items"][1:]}})
    rig.scheduler._ask = program
    rig.scheduler.configure(Configuration(extenders=(Extender(URL, filter="filter"),)))
    await rig.create(node("n1"), node("n2"), pod("p"))
    await eventually(lambda: rig.node_of("p") == "n2")


async def test_where_an_extender_leaves_nothing_the_sentence_has_its_words(rig):
    use(rig, Program(filter=only(n1="too old")))
    await rig.create(node("n1"), pod("p"))
    await eventually(lambda: rig.condition("p").get("message"))
    assert rig.condition("p")["message"].startswith("0/1 nodes are available: 1 too old.")


async def test_scores_count_ten_times(rig):
    scores = [{"Host": "n1", "Score": 10}, {"Host": "n2", "Score": 0}]
    program = Program(filter=lambda given: only(*given["NodeNames"]), prioritize=scores)
    use(rig, program, prioritize="prioritize", weight=2)
    # Without it the emptier node would win.
    await rig.create(node("n1").cpu(2), node("n2").cpu(64), pod("p").requests(cpu="1"))
    await eventually(lambda: rig.node_of("p") == "n1")
    uid = rig.api.need("pods", "p")["metadata"]["uid"]
    table = rig.scheduler.decisions.of(uid)[-1].as_json()["scores"]
    assert table["n1"][f"Extender {URL}"] == (10, 100, 200)


@pytest.mark.parametrize("answer", [ExtenderError("it is away"), {"Error": "it is away"}])
async def test_one_that_fails_keeps_pods_waiting_unless_it_may_be_ignored(rig, answer):
    use(rig, Program(filter=answer))
    await rig.create(node("n1"), pod("p"))
    await eventually(lambda: rig.condition("p").get("message"))
    assert rig.condition("p")["reason"] == "SchedulerError"
    assert rig.condition("p")["message"] == "it is away"
    use(rig, Program(filter=answer), ignorable=True)
    await eventually(lambda: rig.node_of("p") == "n1")


async def test_one_that_binds(rig):
    program = Program(filter=only("n1"), bind={})
    use(rig, program, bind="bind")
    await rig.create(node("n1"), pod("p"))
    await eventually(lambda: len(program.asked) == 2)
    verb, given = program.asked[-1]
    assert verb == "bind"
    assert given["PodName"] == "p"
    assert given["Node"] == "n1"
    assert rig.node_of("p") is None, "that is the extender's work"


async def test_resources_that_it_manages(rig):
    program = Program(filter=lambda given: only(*given["NodeNames"]))
    use(rig, program, managed={"example.com/foo": True})
    foo = {"example.com/foo": "1"}
    await rig.create(node("n1"), pod("p"), pod("q").requests(**foo))
    await eventually(lambda: rig.node_of("p") and rig.node_of("q"))
    assert [given["Pod"]["metadata"]["name"] for _, given in program.asked] == ["q"]


async def test_a_pod_that_goes_meanwhile_is_forgotten(rig):
    program = Program(filter=only("n1"))
    use(rig, program)
    await rig.create(node("n1"), pod("p"))
    await eventually(lambda: program.asked or len(rig.scheduler.queue) == 0)
    await rig.client.delete(PODS, "default", "p", grace=0)
    await asyncio.sleep(5)
    assert len(rig.scheduler.queue) == 0
    assert rig.scheduler.cache.node("n1").pods == {}


def low(name, node_name):
    return pod(name).requests(cpu="3").on(node_name).spec(priority=0)


def wanting(name="high"):
    return pod(name).requests(cpu="3").spec(priority=10)


def meta(**victims):
    """An answer: node -> the uids of those who have to go."""
    return {
        "nodeNameToMetaVictims": {
            node: {"pods": [{"uid": uid} for uid in uids], "numPDBViolations": 0}
            for node, uids in victims.items()
        }
    }


async def crowded(rig):
    await rig.create(node("n1"), node("n2"), low("a", "n1"), low("b", "n2"))
    await eventually(lambda: rig.scheduler.cache.place_of(uid_of(rig.api.need("pods", "b"))))
    return {name: uid_of(rig.api.need("pods", name)) for name in "ab"}


def attempts(rig, name="high"):
    return rig.scheduler.decisions.of(uid_of(rig.api.need("pods", name)))


@pytest.mark.parametrize("cache", [True, False])
async def test_one_says_where_room_is_made_and_who_goes(rig, cache):
    uids = await crowded(rig)
    program = Program(preempt=meta(n2=[uids["b"]]))
    use(rig, program, filter="", node_cache=cache, preempt="preempt")
    await rig.create(wanting())
    await eventually(lambda: rig.events("Preempted"))
    await rig.client.delete(PODS, "default", "b", grace=0)
    await eventually(lambda: rig.node_of("high") == "n2")
    verb, given = program.asked[0]
    assert verb == "preempt"
    assert given["Pod"]["metadata"]["name"] == "high"
    told = given["NodeNameToMetaVictims" if cache else "NodeNameToVictims"]
    assert given["NodeNameToVictims" if cache else "NodeNameToMetaVictims"] is None
    (shown,) = told["n1"]["Pods"]
    assert (shown == {"UID": uids["a"]}) is cache
    assert cache or shown["metadata"]["name"] == "a"
    first = attempts(rig)[0]
    assert first.spared == {"n1": f"Extender {URL}"}
    assert [one.node for one in first.candidates] == ["n2"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (meta(), "no candidate node for preemption"),
        (meta(n1=[]), 'expected at least one victim pod on node "n1"'),
        (
            meta(n1=["x"]),
            (
                f"extender: {URL} claims to preempt pod (UID: x) on node: n1, but the pod is not "
                "found on that node"
            ),
        ),
        (ExtenderError("it is away"), "it is away"),
    ],
)
async def test_where_it_leaves_nothing_nobody_goes(rig, answer, words):
    await crowded(rig)
    use(rig, Program(preempt=answer), filter="", preempt="preempt")
    await rig.create(wanting())
    await eventually(lambda: rig.condition("high").get("message"))
    said = rig.condition("high")["message"]
    assert said == f"0/2 nodes are available: 2 Insufficient cpu. preemption: {words}"
    assert rig.events("Preempted") == []
    assert attempts(rig)[-1].candidates == ()


async def test_one_that_may_be_ignored_does_not_keep_others_from_going(rig):
    await crowded(rig)
    use(rig, Program(preempt=ExtenderError("x")), filter="", preempt="preempt", ignorable=True)
    await rig.create(wanting())
    await eventually(lambda: rig.events("Preempted"))


async def test_one_that_fails_to_bind_and_may_be_ignored_leaves_it_to_the_scheduler(rig):
    program = Program(filter=only("n1"), bind=ExtenderError("it is away"))
    use(rig, program, bind="bind", ignorable=True)
    await rig.create(node("n1"), pod("p"))
    await eventually(lambda: rig.node_of("p") == "n1")


async def test_a_node_that_was_not_asked_about_is_an_error(rig):
    use(rig, Program(filter=only("n1", "n9")))
    await rig.create(node("n1"), pod("p"))
    await eventually(lambda: rig.condition("p").get("message"))
    assert rig.condition("p")["message"] == (
        f'extender "{URL}" claims a filtered node "n9" which is not found in the input node list'
    )
