"""Python clients, set up from a kubeconfig as their users do."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import kubernetes
import lightkube
import pytest

# For tests of packages that leave connections to the garbage collector.
LEAVES_CONNECTIONS = [
    pytest.mark.usefixtures("collected"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture
def collected() -> Iterator[None]:
    """Collect what a test has left behind while its own filters of warnings hold."""
    yield
    gc.collect()


@contextmanager
def official(kubeconfig: Path) -> Iterator[kubernetes.client.ApiClient]:
    """The `kubernetes` package."""
    configuration = kubernetes.client.Configuration()
    kubernetes.config.load_kube_config(str(kubeconfig), client_configuration=configuration)
    with kubernetes.client.ApiClient(configuration) as client:
        yield client
        client.rest_client.pool_manager.clear()


def light(kubeconfig: Path, namespace: str) -> Any:
    """The `lightkube` package."""
    return lightkube.Client(
        lightkube.KubeConfig.from_file(kubeconfig).get(), namespace=namespace, field_manager="test"
    )
