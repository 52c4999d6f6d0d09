"""Kinds in two versions: both have the same Table, each with its own objects, in watches too."""

from __future__ import annotations

from typing import Any

import pytest

from tests.apiserver.endpoints.support import Client
from tests.apiserver.endpoints.test_watches import TABLE, Stream

NOW = "2026-01-02T03:04:05Z"
EVENT = {
    "metadata": {"name": "e", "namespace": "default"},
    "involvedObject": {"kind": "Pod", "namespace": "default", "name": "web"},
    "reason": "Started",
    "message": "Container started",
    "type": "Normal",
    "source": {"component": "kubelet"},
    "firstTimestamp": NOW,
    "lastTimestamp": NOW,
    "count": 3,
}
AUTOSCALER = {
    "metadata": {"name": "web"},
    "spec": {
        "maxReplicas": 3,
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        "metrics": [
            {
                "type": "Resource",
                "resource": {
                    "name": "cpu",
                    "target": {"type": "Utilization", "averageUtilization": 50},
                },
            },
            {
                "type": "Resource",
                "resource": {
                    "name": "memory",
                    "target": {"type": "AverageValue", "averageValue": "1Gi"},
                },
            },
        ],
    },
}
KINDS = [
    ("/api/v1", "/apis/events.k8s.io/v1", "events", EVENT, ("Normal", "Started", "pod/web")),
    (
        "/apis/autoscaling/v2",
        "/apis/autoscaling/v1",
        "horizontalpodautoscalers",
        AUTOSCALER,
        ("web", "Deployment/web", "cpu: <unknown>/50%, memory: <unknown>/1Gi"),
    ),
]


@pytest.mark.parametrize(("stored", "other", "plural", "body", "shown"), KINDS)
async def test_tables(client: Client, stored, other, plural, body, shown) -> None:
    path = f"/namespaces/default/{plural}"
    made = await client.post(stored + path, body)
    assert made.status == 201, made.message
    answers: list[Any] = []
    for version in (stored, other):
        watch = Stream(client, f"{version}{path}?watch=1&includeObject=Object", accept=TABLE)
        (added,) = await watch.events()
        await watch.leave()
        tables = [added["object"]]
        for query in ("", f"/{body['metadata']['name']}"):
            answer = await client.get(f"{version}{path}{query}?includeObject=Object", accept=TABLE)
            tables.append(answer.json())
        for table in tables:
            (row,) = table["rows"]
            assert set(shown) <= set(row["cells"])
            assert version.endswith(f"/{row['object']['apiVersion']}")
            answers.append((table["columnDefinitions"], row["cells"]))
    assert all(answer == answers[0] for answer in answers)
