"""Flags reach every cluster of a real playground."""

from __future__ import annotations

from pathlib import Path

from tests.support.server import serving


def test_anonymous_requests_can_be_refused(tmp_path: Path):
    with serving(tmp_path / "data", "--anonymous-auth=false") as playground:
        made = playground.make_cluster("other", nodes=0, template="bare")
        for base in (playground.api, made.server):
            with playground.client(token=None, base=base) as nobody:
                assert nobody.get("/version").status_code == 401
            with playground.client(base=base) as admin:
                assert admin.get("/version").status_code == 200
