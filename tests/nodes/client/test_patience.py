"""Calls that are asked again when the answer says after which time."""

import asyncio

import pytest

from apimachinery.errors import (
    AlreadyExists,
    ApiError,
    Overloaded,
    ServiceUnavailable,
    Timeout,
    TooManyRequests,
)
from apimachinery.gvk import GroupResource
from nodes.client.patience import RETRIES, Patient
from nodes.client.resources import PODS
from nodes.client.rest import Client
from nodes.client.turns import Turns
from tests.support.builders import pod
from tests.support.faults import Faulty

pytestmark = pytest.mark.looptime


@pytest.fixture
def transport(api):
    return Faulty(api.transport("system:kubelet"))


def later(error, seconds):
    error.details = {"retryAfterSeconds": seconds}
    return error


@pytest.mark.parametrize("error", [Overloaded(3), later(Timeout("too large"), 3)])
async def test_it_asks_again_after_as_long_as_it_is_told(api, transport, clock, error):
    transport.fail("create", "pods", error, times=2)
    began = clock.seconds()
    await Client(Patient(transport, clock)).create(pod("a"))
    assert len(api.all("pods")) == 1
    assert clock.seconds() - began == pytest.approx(6)


@pytest.mark.parametrize(
    "error",
    [
        TooManyRequests("Cannot evict pod as it would violate the pod's disruption budget."),
        ServiceUnavailable("away"),
        later(AlreadyExists(GroupResource("", "pods"), "a"), 1),
    ],
)
async def test_what_names_no_time_or_will_not_pass_is_the_callers(api, transport, clock, error):
    transport.fail("create", "pods", error)
    with pytest.raises(ApiError) as refused:
        await Client(Patient(transport, clock)).create(pod("a"))
    assert refused.value is error
    assert api.all("pods") == []


async def test_it_gives_up_after_ten_more_tries(transport, clock):
    transport.fail("list", "pods", Overloaded(1), times=RETRIES + 1)
    began = clock.seconds()
    with pytest.raises(Overloaded):
        await Client(Patient(transport, clock)).list(PODS)
    assert clock.seconds() - began == pytest.approx(RETRIES)
    assert await Client(Patient(transport, clock)).list(PODS)


async def test_who_waits_keeps_no_turn_of_others(api, transport, clock):
    client = Client(Patient(Turns(transport, 1), clock))
    transport.fail("create", "pods", Overloaded(5), name="")
    waits = asyncio.ensure_future(client.create(pod("first")))
    await asyncio.sleep(0.1)
    await client.create(pod("second"))
    assert [one["metadata"]["name"] for one in api.all("pods")] == ["second"]
    await waits
