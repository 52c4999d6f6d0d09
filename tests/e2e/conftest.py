"""Real clients against a real playground: kubectl in two versions, a namespace for each test.

Kubectls that are older, and talk otherwise, have tests of their own.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.clients import collected
from tests.support.kubectl import Kubectl
from tests.support.server import Playground, wait_until

__all__ = ["collected"]

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """kubectl's home, where it keeps what discovery told it."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session", params=("1.36", "1.37"))
def admin(request: pytest.FixtureRequest, playground: Playground, home: Path) -> Kubectl:
    """Each kubectl in turn, as the administrator of the default cluster."""
    return Kubectl(request.param, playground.kubeconfig, home)


@pytest.fixture
def api(playground: Playground) -> Iterator[httpx.Client]:
    """The default cluster's API, as the administrator."""
    with playground.client() as client:
        yield client


@pytest.fixture
def namespace(api: httpx.Client) -> Iterator[str]:
    """A namespace of the test's own, in which pods can be made."""
    name = f"test-{next(_numbers)}"
    made = api.post("/api/v1/namespaces", json={"metadata": {"name": name}})
    assert made.status_code == 201, made.text
    account = f"/api/v1/namespaces/{name}/serviceaccounts/default"
    wait_until(lambda: api.get(account).status_code == 200)
    yield name
    api.request("DELETE", f"/api/v1/namespaces/{name}")


@pytest.fixture
def kubectl(admin: Kubectl, namespace: str) -> Kubectl:
    """kubectl in a namespace of the test's own."""
    return admin.within(namespace)


@pytest.fixture
def newest(playground: Playground, home: Path, namespace: str) -> Kubectl:
    """The kubectl of the server's own version alone, where the client's version is no matter."""
    return Kubectl("1.36", playground.kubeconfig, home, namespace)
