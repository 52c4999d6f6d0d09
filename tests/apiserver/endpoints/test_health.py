"""Health checks, /statusz and /flagz."""

from __future__ import annotations

import pytest

from apimachinery.clock import ManualClock
from apiserver.endpoints.api import Phase
from apiserver.endpoints.options import ServingOptions
from tests.apiserver.endpoints.support import Client, make_api


async def test_one_word_when_all_is_well(client: Client):
    for root in ("healthz", "livez", "readyz"):
        found = await client.get(f"/{root}")
        assert (found.status, found.body) == (200, b"ok")
        assert found.headers["content-type"] == "text/plain; charset=utf-8"
        assert found.headers["x-content-type-options"] == "nosniff"
        assert found.headers["cache-control"] == "no-cache, private"
        # Probes may ask by any method.
        assert (await client.request("HEAD", f"/{root}")).status == 200


async def test_every_check_has_a_name_of_its_own(client: Client):
    paths = (await client.get("/")).json()["paths"]
    checks = [path for path in paths if path.startswith("/readyz/")]
    assert len(checks) > 30
    for path in checks:
        found = await client.get(path)
        assert (found.status, found.body) == (200, b"ok")
        assert "x-content-type-options" not in found.headers


@pytest.mark.parametrize("path", ["/healthz/nope", "/livez/", "/livez/ping/", "/healthz/shutdown"])
async def test_checks_that_are_not_there(client: Client, path):
    found = await client.get(path)
    assert (found.status, found.body) == (404, b"404 page not found\n")


async def test_verbose(client: Client):
    lines = (await client.get("/livez?verbose")).body.decode().split("\n")
    assert lines[:4] == [
        "[+]ping ok",
        "[+]log ok",
        "[+]etcd ok",
        "[+]poststarthook/start-apiserver-admission-initializer ok",
    ]
    assert lines[-2:] == ["livez check passed", ""]
    ready = (await client.get("/readyz?verbose")).body.decode()
    assert "[+]etcd ok\n[+]etcd-readiness ok\n[+]informer-sync ok\n" in ready
    assert ready.endswith("[+]shutdown ok\nreadyz check passed\n")


async def test_checks_can_be_left_out(client: Client):
    client.api.store.revision = 0
    assert (await client.get("/livez")).status == 500
    found = await client.get(
        "/readyz?verbose&exclude=etcd&exclude=etcd-readiness&exclude=x&exclude=b"
    )
    assert found.status == 200
    text = found.body.decode()
    assert "[+]etcd excluded: ok\n[+]etcd-readiness excluded: ok\n" in text
    wrong = 'warn: some health checks cannot be excluded: no matches for "b","x"\n'
    assert text.endswith(f"{wrong}readyz check passed\n")


async def test_what_is_wrong_is_told_to_who_may_ask_for_the_check_alone(client: Client):
    client.api.store.revision = 0
    failed = await client.get("/readyz")
    assert failed.status == 500
    assert b"[-]etcd failed: reason withheld\n" in failed.body
    assert failed.body.endswith(b"readyz check failed\n")
    one = await client.get("/readyz/etcd")
    assert (one.status, one.body) == (
        500,
        b"internal server error: nothing has been stored yet\n",
    )


async def test_a_cluster_is_ready_between_start_and_end(client: Client):
    client.api.phase = Phase.STARTING
    assert (await client.get("/readyz")).status == 500
    found = await client.get("/livez/poststarthook/rbac/bootstrap-roles")
    assert found.body == b"internal server error: not finished\n"
    client.api.phase = Phase.STOPPING
    assert (await client.get("/livez")).status == 200
    assert b"[-]shutdown failed" in (await client.get("/readyz")).body


async def test_results_are_indicators(client: Client):
    assert (await client.get("/metrics/slis")).body == b""
    await client.get("/livez")
    client.api.store.revision = 0
    await client.get("/livez")
    text = (await client.get("/metrics/slis")).body.decode()
    assert 'kubernetes_healthcheck{name="ping",type="livez"} 1\n' in text
    assert 'kubernetes_healthcheck{name="etcd",type="livez"} 0\n' in text
    assert 'kubernetes_healthchecks_total{name="ping",status="success",type="livez"} 2\n' in text
    assert 'kubernetes_healthchecks_total{name="etcd",status="error",type="livez"} 1\n' in text


async def test_flags_and_status_are_for_people():
    clock = ManualClock()
    serving = ServingOptions(flags=(("request-timeout", "1m0s"), ("anonymous-auth", "true")))
    client = Client(await make_api(clock, bare=True, serving=serving))
    clock.advance(3725)
    flags = await client.get("/flagz")
    assert flags.headers["content-type"] == "text/plain; charset=utf-8"
    assert flags.body.decode().startswith("\nkube-apiserver flags\nWarning: ")
    assert flags.body.endswith(b"\n\nanonymous-auth=true\nrequest-timeout=1m0s\n")
    status = (await client.get("/statusz", accept="text/plain")).body.decode()
    assert "\nUp: 1 hr 02 min 05 sec\n" in status
    assert "\nBinary version: 1.36.2\nEmulation version: 1.36\n" in status
    assert " /livez " in status
    wrong = await client.get("/statusz", accept="application/json")
    assert wrong.status == 406
    assert wrong.body == b"media type not acceptable, must be: text/plain\n"
