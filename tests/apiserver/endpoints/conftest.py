"""A fresh API, and a client of it, for each test."""

from __future__ import annotations

import pytest

from apimachinery.clock import ManualClock
from apiserver.endpoints.api import ClusterApi
from tests.apiserver.endpoints.support import Client, make_api


@pytest.fixture
async def api(clock: ManualClock) -> ClusterApi:
    return await make_api(clock, bare=True)


@pytest.fixture
def client(api: ClusterApi) -> Client:
    return Client(api)
