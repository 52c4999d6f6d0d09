"""The API as curl sees it: anonymous, refused in Kubernetes' words, and by the real certificate."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support.server import Playground

pytestmark = pytest.mark.e2e


def curl(*arguments: str) -> tuple[int, str]:
    """Return the status code and the body."""
    done = subprocess.run(
        ["curl", "-sS", "-w", "\n%{http_code}", *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    body, _, code = done.stdout.rpartition("\n")
    return int(code), body


def test_the_version_is_for_everybody(playground: Playground) -> None:
    code, body = curl("-k", f"{playground.api}/version")
    assert code == 200
    version = json.loads(body)
    assert (version["major"], version["minor"]) == ("1", "36")
    assert version["gitVersion"].startswith("v1.36.")


def test_health_is_for_everybody(playground: Playground) -> None:
    for path in ("healthz", "livez", "readyz"):
        assert curl("-k", f"{playground.api}/{path}") == (200, "ok")


def test_anonymous_is_refused_in_kubernetes_words(playground: Playground) -> None:
    code, body = curl("-k", f"{playground.api}/api/v1/namespaces")
    assert code == 403
    status = json.loads(body)
    assert status == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": 'namespaces is forbidden: User "system:anonymous" cannot list resource '
        '"namespaces" in API group "" at the cluster scope',
        "reason": "Forbidden",
        "details": {"kind": "namespaces"},
        "code": 403,
    }


def test_a_wrong_token_is_no_anonymous(playground: Playground) -> None:
    code, body = curl("-k", "-H", "Authorization: Bearer wrong", f"{playground.api}/version")
    assert code == 401
    assert json.loads(body)["message"] == "Unauthorized"


def test_the_kubeconfigs_certificate_is_enough(playground: Playground, tmp_path: Path) -> None:
    config = yaml.safe_load(playground.kubeconfig.read_text())
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    assert cluster["server"] == playground.api
    files = {
        "ca": cluster["certificate-authority-data"],
        "cert": user["client-certificate-data"],
        "key": user["client-key-data"],
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(base64.b64decode(data))
    # The serving certificate is checked, and the client's own is taken.
    code, body = curl(
        *("--cacert", str(tmp_path / "ca"), "--cert", str(tmp_path / "cert")),
        *("--key", str(tmp_path / "key"), f"{playground.api}/api/v1/namespaces/default"),
    )
    assert code == 200
    assert json.loads(body)["metadata"]["name"] == "default"


def test_the_admin_token_and_other_formats(playground: Playground) -> None:
    token = ("-k", "-H", f"Authorization: Bearer {playground.token}")
    code, body = curl(*token, "-H", "Accept: application/yaml", f"{playground.api}/api/v1/nodes")
    assert code == 200
    assert yaml.safe_load(body)["kind"] == "NodeList"
    table = "Accept: application/json;as=Table;v=v1;g=meta.k8s.io"
    code, body = curl(*token, "-H", table, f"{playground.api}/api/v1/nodes")
    assert code == 200
    assert [column["name"] for column in json.loads(body)["columnDefinitions"]][:2] == [
        "Name",
        "Status",
    ]


def test_plain_http_is_not_served(playground: Playground) -> None:
    done = subprocess.run(
        ["curl", "-sS", "-m", "5", playground.api.replace("https:", "http:")],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode != 0
    assert done.stdout == ""


def test_the_playgrounds_own_api(playground: Playground) -> None:
    token = ("-H", f"Authorization: Bearer {playground.token}")
    code, body = curl(*token, f"{playground.site}/api/clusters")
    assert code == 200
    assert "default" in [item["name"] for item in json.loads(body)["items"]]
    code, _ = curl(f"{playground.site}/api/clusters")
    assert code in (401, 403)
    code, body = curl(*token, f"{playground.site}/api/schema")
    assert code == 200
    assert yaml.safe_load(body)["openapi"].startswith("3.")
    json_body = ("-H", "Content-Type: application/json", "-d")
    code, body = curl(
        *token, *json_body, '{"name": "Not_Valid"}', f"{playground.site}/api/clusters"
    )
    assert code == 422
    assert json.loads(body)["error"]["message"].startswith("name: a lowercase RFC 1123 label")
    code, _ = curl(*token, *json_body, '{"name": "default"}', f"{playground.site}/api/clusters")
    assert code == 409
    code, _ = curl(*token, "-X", "DELETE", f"{playground.site}/api/clusters/nobody")
    assert code == 404
