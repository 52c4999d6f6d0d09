"""What the API shows of every kind is what the models of the `kubernetes` package expect.

They refuse what lacks a required field, or has one of another type.
"""

from __future__ import annotations

from typing import Any

import kubernetes
import pytest

from apimachinery.gvk import GroupVersionKind
from tests.contracts.test_resources import Kind, kind

__all__ = ["kind"]


def model(of: GroupVersionKind) -> str:
    """Return the name of a kind's model: with its group where others have a kind of that name."""
    version = of.version.title()
    group = (of.group.partition(".")[0] or "core").title()
    return next(
        name
        for name in (f"{group}{version}{of.kind}", f"{version}{of.kind}")
        if hasattr(kubernetes.client, name)
    )


@pytest.fixture
def client() -> Any:
    return kubernetes.client.ApiClient()


async def test_every_kind_is_read_and_written_back(client: Any, kind: Kind) -> None:
    await kind.make()
    body = (await kind.get()).body.decode()
    read = client.deserialize(body, model(kind.resource.kind), "application/json")
    written = client.sanitize_for_serialization(read)
    assert written["metadata"]["name"] == kind.name
    answer = await kind.put(written)
    assert answer.status == 200, answer.message
    # Nothing was lost on the way: the object is as it was.
    assert answer.json()["metadata"]["resourceVersion"] == written["metadata"]["resourceVersion"]
