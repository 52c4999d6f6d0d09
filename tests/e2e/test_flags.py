"""Flags reach every cluster of a real playground."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.kubectl import Kubectl
from tests.support.server import Playground, serving


def test_anonymous_requests_can_be_refused(tmp_path: Path):
    with serving(tmp_path / "data", "--anonymous-auth=false") as playground:
        made = playground.make_cluster("other", nodes=0, template="bare")
        for base in (playground.api, made.server):
            with playground.client(token=None, base=base) as nobody:
                assert nobody.get("/version").status_code == 401
            with playground.client(base=base) as admin:
                assert admin.get("/version").status_code == 200


def test_kubectl_makes_a_namespace_on_the_way(tmp_path: Path):
    flag = "--enable-admission-plugins=NodeRestriction,NamespaceAutoProvision"
    with serving(tmp_path / "data", flag) as playground:
        kubectl = Kubectl("1.36", playground.kubeconfig, tmp_path)
        kubectl("create", "configmap", "a", "-n", "blue")
        assert "namespace/blue" in kubectl("get", "namespaces", "-o", "name")


def test_a_plugin_that_nobody_knows_ends_the_start(tmp_path: Path):
    with pytest.raises(AssertionError, match="no `ready`"):
        Playground(tmp_path / "data", "--enable-admission-plugins=Nothing").start()
    log = (tmp_path / "data.log").read_text()
    assert 'CommandError: enable-admission-plugins plugin "Nothing" is unknown' in log
