"""The node that each test of the runtime has for itself."""

from __future__ import annotations

import pytest

from tests.nodes.runtime.lab import Lab


@pytest.fixture
async def lab():
    node = Lab()
    yield node
    await node.close()
