"""How long nodes may keep what they have read."""

import pytest

from apimachinery.meta import annotations_of
from nodes.client.resources import NODES
from nodes.controllers.ttl import ANNOTATION, step_for
from tests.support.builders import node


@pytest.mark.parametrize(
    ("nodes", "before", "step"),
    [
        (1, 0, 0),
        (100, 0, 0),
        (101, 0, 1),
        (95, 1, 1),  # a step is left later than it was entered
        (89, 1, 0),
        (3000, 0, 4),
        (1700, 4, 3),
        (10, 4, 0),
    ],
)
def test_steps(nodes, before, step):
    assert step_for(nodes, before) == step


def ttl(rig, name):
    return annotations_of(rig.need("nodes", name)).get(ANNOTATION)


@pytest.mark.looptime
async def test_nodes_are_told_when_they_change(rig):
    await rig.create(*(node(f"n{index}") for index in range(100)))
    await rig.run("ttl-controller")
    await rig.settle(1)
    assert {ttl(rig, f"n{index}") for index in range(100)} == {"0"}
    await rig.create(node("new"))
    await rig.settle()
    assert (ttl(rig, "new"), ttl(rig, "n0")) == ("15", "0")
    await rig.client.patch(NODES, "", "n0", {"spec": {"unschedulable": True}})
    await rig.settle()
    assert ttl(rig, "n0") == "15"
