"""Discovery, version, health, metrics, OpenAPI, keys; and who may see them."""

import pytest

from apiserver.endpoints.request import Answer, ApiRequest
from tests.apiserver.endpoints.support import TOKEN, Client, config_map

V2 = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
MAPS = "/api/v1/namespaces/default/configmaps"


async def test_groups_and_versions(client: Client):
    groups = (await client.get("/apis")).json()["groups"]
    assert [g["name"] for g in groups][:3] == ["apiregistration.k8s.io", "apps", "events.k8s.io"]
    scaling = (await client.get("/apis/autoscaling")).json()
    assert [v["version"] for v in scaling["versions"]] == ["v2", "v1"]
    assert scaling["preferredVersion"]["version"] == "v2"
    assert (await client.get("/api")).json()["versions"] == ["v1"]


async def test_resources_of_a_version(client: Client):
    rows = {r["name"]: r for r in (await client.get("/api/v1")).json()["resources"]}
    assert list(rows) == sorted(rows)
    assert rows["configmaps"] == {
        "name": "configmaps",
        "singularName": "configmap",
        "namespaced": True,
        "kind": "ConfigMap",
        "verbs": [
            "create", "delete", "deletecollection", "get", "list", "patch", "update", "watch",
        ],
        "shortNames": ["cm"],
        "storageVersionHash": "qFsyl6wFWjQ=",
    }  # fmt: skip
    assert rows["pods/eviction"] == {
        "name": "pods/eviction",
        "singularName": "",
        "namespaced": True,
        "group": "policy",
        "version": "v1",
        "kind": "Eviction",
        "verbs": ["create"],
    }
    assert "storageVersionHash" not in rows["bindings"]


async def test_hashes_name_the_stored_version(client: Client):
    async def hash_of(version: str, name: str) -> str:
        rows = (await client.get(f"/apis/{version}")).json()["resources"]
        return next(r["storageVersionHash"] for r in rows if r["name"] == name)

    assert await hash_of("autoscaling/v1", "horizontalpodautoscalers") == "qwQve8ut294="
    assert await hash_of("events.k8s.io/v1", "events") == "r2yiGXH7wu8="
    definitions = await hash_of("apiextensions.k8s.io/v1", "customresourcedefinitions")
    assert definitions == "jfWCUB31mvA="


async def test_aggregated_discovery_can_be_cached(client: Client):
    found = await client.get("/apis", accept=V2)
    assert found.headers["content-type"] == V2
    apps = next(i for i in found.json()["items"] if i["metadata"]["name"] == "apps")
    deployments = next(
        r for r in apps["versions"][0]["resources"] if r["resource"] == "deployments"
    )
    assert deployments["responseKind"] == {"group": "", "version": "", "kind": "Deployment"}
    assert {s["subresource"] for s in deployments["subresources"]} == {"scale", "status"}
    etag = found.headers["etag"]
    again = await client.request("GET", "/apis", None, {"accept": V2, "if-none-match": etag})
    assert (again.status, again.body) == (304, b"")
    client.api.catalog.remove("leases.coordination.k8s.io")
    changed = await client.get("/apis", accept=V2)
    assert changed.headers["etag"] != etag


@pytest.mark.parametrize("path", ["/nope", "/apis/nope", "/apis/apps/v9", "/healthz/nope"])
async def test_paths_where_nothing_is(client: Client, path):
    found = await client.get(path)
    assert (found.status, found.body) == (404, b"404 page not found\n")


async def test_version_and_paths(client: Client):
    version = (await client.get("/version")).json()
    assert (version["major"], version["minor"], version["gitVersion"]) == ("1", "36", "v1.36.2")
    paths = (await client.get("/")).json()["paths"]
    assert paths == sorted(paths)
    assert {"/api/v1", "/apis/apps/v1", "/livez/ping", "/openapi/v3"} <= set(paths)
    assert {"/flagz", "/metrics/slis", "/readyz/shutdown", "/statusz"} <= set(paths)
    assert not any(path.startswith("/debug") for path in paths)


@pytest.mark.parametrize("path", ["/version", "/api", "/api/v1", "/apis/apps", "/apis/apps/v1"])
async def test_pages_that_can_only_be_read(client: Client, path):
    for method in ("POST", "DELETE", "HEAD"):
        assert (await client.request(method, path)).status == 405


async def test_openapi(client: Client):
    index = (await client.get("/openapi/v3")).json()["paths"]
    assert "apis/apps/v1" in index
    found = await client.get(index["api/v1"]["serverRelativeURL"])
    document = found.json()
    assert "/api/v1/namespaces/{namespace}/pods/{name}" in document["paths"]
    again = await client.request(
        "GET", "/openapi/v3/api/v1", None, {"if-none-match": found.headers["etag"]}
    )
    assert again.status == 304
    assert (await client.get("/openapi/v3/apis/nope/v1")).status == 404
    kind = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
    v2 = await client.get("/openapi/v2", accept=kind)
    assert v2.headers["content-type"] == kind.replace("@", ".")


async def test_token_keys_are_published(client: Client):
    found = await client.get("/openid/v1/jwks")
    assert found.headers["content-type"] == "application/jwk-set+json"
    assert found.json()["keys"][0]["kty"] == "EC"
    about = (await client.get("/.well-known/openid-configuration")).json()
    assert about["jwks_uri"] == "https://test/openid/v1/jwks"


async def test_strangers_are_sent_away(client: Client):
    client.token = "wrong"
    unknown = await client.get(MAPS)
    assert (unknown.status, unknown.json()["reason"]) == (401, "Unauthorized")
    client.token = ""
    anonymous = await client.get(MAPS)
    assert anonymous.message == (
        'configmaps is forbidden: User "system:anonymous" cannot list resource "configmaps" in '
        'API group "" in the namespace "default"'
    )
    assert (await client.get("/metrics")).message == (
        'forbidden: User "system:anonymous" cannot get path "/metrics"'
    )


async def test_impersonation(client: Client):
    who = {"impersonate-user": "ann", "impersonate-group": "devs"}
    found = await client.request("GET", MAPS, None, who)
    assert found.status == 403
    assert 'User "ann"' in found.message
    path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    who["impersonate-group"] = "system:masters"
    me = await client.request("POST", path, {}, who)
    info = me.json()["status"]["userInfo"]
    assert info["username"] == "ann"
    assert info["groups"] == ["system:masters", "system:authenticated"]


async def test_clusters_have_addresses_of_their_own(client: Client):
    await client.post(f"/clusters/test{MAPS}", config_map("a"))
    assert (await client.get(f"{MAPS}/a")).status == 200
    assert (await client.get("/clusters/test/version")).status == 200
    assert (await client.get("/clusters/other/version")).status == 404


async def test_bodies_have_a_limit(client: Client):
    found = await client.post(MAPS, b"{" + b" " * (3 * 1024 * 1024))
    assert (found.status, found.json()["reason"]) == (413, "RequestEntityTooLarge")


async def test_faults_are_told_and_logged(client: Client, caplog: pytest.LogCaptureFixture):
    client.api.catalog = None  # type: ignore[assignment]
    found = await client.get(MAPS)
    assert (found.status, found.json()["reason"]) == (500, "InternalError")
    assert "a request failed" in caplog.text
    assert TOKEN not in found.message


async def test_what_clients_make_up_is_not_kept(client: Client):
    """Names in paths, hosts and Audit-IDs are anybody's: memory must not grow by them."""

    async def ask(number: int) -> None:
        await client.get(f"/apis/g{number}")
        await client.get(f"/apis/g{number}/v1")
        await client.get(f"/api/v{number}x")
        await client.get(f"/apis/g{number}/v1/things{number}/x/part{number}")
        await client.get(f"/api/v1/pods/x/part{number}")
        await client.request(f"VERB{number}", "/api/v1/pods")
        await client.request(f"VERB{number}", "/version")

    def kept() -> int:
        return len(client.api.metrics.requests) + len(client.api._documents)

    await ask(0)
    before = kept()
    for number in range(1, 5):
        await ask(number)
    assert kept() == before

    long = {"Audit-ID": "a" * 1000}
    await client.request("GET", f"/{'p' * 2000}", headers=long)
    trace = next(iter(client.api.traces))
    assert (len(trace.audit_id), len(trace.path)) == (64, 1024)


async def test_the_host_is_that_of_who_asks(client: Client):
    def address(found: dict) -> str:
        return found["serverAddressByClientCIDRs"][0]["serverAddress"]

    assert address((await client.get("/api", host="one")).json()) == "one"
    assert address((await client.get("/api", host="two")).json()) == "two"


async def test_a_head_that_ends_the_answer_has_no_body(client: Client):
    """Bytes behind it would be read as the answer to the connection's next request."""

    class Pod:
        async def fetch(self, request: ApiRequest, target: object) -> Answer:
            return Answer(int(request.params["code"]), text=b"HTTP/1.1 200 OK\r\n\r\n")

    client.api.proxy = Pod()
    await client.post("/api/v1/nodes", {"metadata": {"name": "n"}})
    for code, length in ((200, "19"), (204, None), (304, None)):
        found = await client.get(f"/api/v1/nodes/n/proxy?code={code}")
        assert (found.status, bool(found.body)) == (code, length is not None)
        assert found.headers.get("content-length") == length


async def test_openapi_documents_have_addresses_that_can_be_kept(client: Client):
    index = (await client.get("/openapi/v3")).json()["paths"]
    where = index["apis/apps/v1"]["serverRelativeURL"]
    found = await client.get(where)
    assert found.headers["etag"] == f'"{where.partition("=")[2]}"'
    assert found.headers["cache-control"] == "public, immutable"
    assert found.headers["expires"].endswith(" UTC")
    old = await client.get("/openapi/v3/apis/apps/v1?hash=OLD")
    assert (old.status, old.headers["location"]) == (301, where)
    plain = await client.get("/openapi/v3/apis/apps/v1")
    assert plain.headers["cache-control"] == "no-cache, private"
    # Made once for a generation of the catalog, not once for each who asks.
    assert client.api.document(("openapi/v3", "apis/apps/v1"), lambda: None) is not None
    client.api.catalog.remove("leases.coordination.k8s.io")
    assert client.api.document(("openapi/v3", "apis/apps/v1"), lambda: None) is None


async def test_every_method_is_for_who_listens_behind_a_proxy(client: Client):
    asked = []

    class Pod:
        async def fetch(self, request: ApiRequest, target: object) -> Answer:
            asked.append((request.method, request.query))
            return Answer(999, text=b"odd")

    client.api.proxy = Pod()
    await client.post("/api/v1/nodes", {"metadata": {"name": "n"}})
    for method in ("GET", "HEAD", "OPTIONS", "PROPFIND"):
        found = await client.request(method, "/api/v1/nodes/n/proxy/x?a=1&a=2")
        assert found.status == 999
    assert asked == [(m, "a=1&a=2") for m in ("GET", "HEAD", "OPTIONS", "PROPFIND")]
    wrong = await client.get("/api/v1/nodes/ftp:n:80/proxy/")
    assert (wrong.status, wrong.message) == (400, 'invalid node request "ftp:n:80"')


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "TRACE", "FOO"])
async def test_methods_that_resources_do_not_have(client: Client, method):
    found = await client.request(method, MAPS)
    assert found.status == 405
    assert method == "HEAD" or found.message == (
        "the server does not allow this method on the requested resource"
    )


async def test_of_a_parameter_that_comes_twice_the_first_counts(client: Client):
    for name in "ab":
        await client.post(MAPS, config_map(name))
    found = await client.get(f"{MAPS}?limit=1&limit=2")
    assert len(found.json()["items"]) == 1
