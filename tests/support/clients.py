"""Python clients, set up from a kubeconfig as their users do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import kubernetes
import lightkube


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
