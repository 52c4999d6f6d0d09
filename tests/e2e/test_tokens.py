"""Tokens of service accounts, as clients get and use them."""

from __future__ import annotations

import base64
from typing import Any

import httpx

from tests.support.server import Playground, wait_until


def test_the_use_of_an_everlasting_token_is_written_on_its_secret(
    playground: Playground, api: httpx.Client, namespace: str
):
    secrets = f"/api/v1/namespaces/{namespace}/secrets"
    annotations = {"kubernetes.io/service-account.name": "default"}
    made = {
        "metadata": {"name": "forever", "annotations": annotations},
        "type": "kubernetes.io/service-account-token",
    }
    assert api.post(secrets, json=made).status_code == 201

    def secret() -> Any:
        return api.get(f"{secrets}/forever").json()

    token = wait_until(lambda: (secret().get("data") or {}).get("token"))
    with playground.client(token=base64.b64decode(token).decode()) as robot:
        review = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
        who = robot.post(review, json={}).json()["status"]["userInfo"]["username"]
        assert who == f"system:serviceaccount:{namespace}:default"
        label = "kubernetes.io/legacy-token-last-used"
        wait_until(lambda: label in (secret()["metadata"].get("labels") or {}))
        mark = {"kubernetes.io/legacy-token-invalid-since": "2026-01-01"}
        marked = {"metadata": {"labels": mark}}
        merge = {"Content-Type": "application/merge-patch+json"}
        assert api.patch(f"{secrets}/forever", json=marked, headers=merge).status_code == 200
        assert robot.post(review, json={}).status_code == 401
