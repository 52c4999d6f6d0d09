import pytest

from apiserver.endpoints.requestinfo import is_true, parse


@pytest.mark.parametrize(
    ("method", "path", "params", "expected"),
    [
        ("GET", "/api/v1/pods", {}, ("list", "", "v1", "", "pods", "", "")),
        ("GET", "/api/v1/pods", {"watch": "1"}, ("watch", "", "v1", "", "pods", "", "")),
        ("GET", "/api/v1/pods", {"watch": "false"}, ("list", "", "v1", "", "pods", "", "")),
        ("GET", "/api/v1/watch/pods", {}, ("watch", "", "v1", "", "pods", "", "")),
        (
            "GET", "/api/v1/watch/namespaces/a/pods/p", {},
            ("watch", "", "v1", "a", "pods", "", "p"),
        ),
        ("POST", "/api/v1/namespaces", {}, ("create", "", "v1", "", "namespaces", "", "")),
        ("GET", "/api/v1/namespaces/a", {}, ("get", "", "v1", "a", "namespaces", "", "a")),
        (
            "PUT", "/api/v1/namespaces/a/finalize", {},
            ("update", "", "v1", "a", "namespaces", "finalize", "a"),
        ),
        (
            "PATCH", "/apis/apps/v1/namespaces/a/deployments/d/status", {},
            ("patch", "apps", "v1", "a", "deployments", "status", "d"),
        ),
        (
            "DELETE", "/apis/apps/v1/namespaces/a/deployments", {},
            ("deletecollection", "apps", "v1", "a", "deployments", "", ""),
        ),
        (
            "GET", "/api/v1/namespaces/a/pods", {"fieldSelector": "metadata.name=p,x=y"},
            ("list", "", "v1", "a", "pods", "", "p"),
        ),
        ("HEAD", "/api/v1/nodes/n", {}, ("get", "", "v1", "", "nodes", "", "n")),
    ],
)  # fmt: skip
def test_paths_of_resources(method, path, params, expected):
    info = parse(method, path, params)
    assert info.is_resource
    found = (
        info.verb, info.group, info.version, info.namespace, info.resource, info.subresource,
        info.name,
    )  # fmt: skip
    assert found == expected


def test_what_follows_a_proxy_is_kept():
    info = parse("GET", "/api/v1/namespaces/a/services/http:web:80/proxy/x/y", {})
    assert (info.name, info.subresource, info.rest) == ("http:web:80", "proxy", "x/y")
    assert parse("GET", "/api/v1/nodes/n/proxy/x/", {}).rest == "x/"
    assert parse("GET", "/api/v1/nodes/n/proxy/", {}).rest == ""


@pytest.mark.parametrize("path", ["/", "/api", "/api/v1", "/apis", "/apis/apps", "/apis/apps/v1"])
def test_other_paths_keep_their_method(path):
    info = parse("GET", path, {})
    assert (info.is_resource, info.verb, info.path) == (False, "get", path)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [(None, False), ("", True), ("1", True), ("true", True), ("0", False), ("False", False)],
)
def test_booleans_of_a_query(text, meaning):
    assert is_true(text) is meaning
