"""A cluster's past over the site's REST API, against a real worker."""

import gzip
import json

import httpx
import pytest

from tests.support.server import Playground, wait_until


class Rest:
    """The site's REST API of one cluster, as the operator."""

    def __init__(self, playground: Playground, cluster: str) -> None:
        self._http = httpx.Client(
            base_url=f"{playground.site}/api/clusters/{cluster}",
            headers={"Authorization": f"Bearer {playground.token}"},
            timeout=30,
        )

    def close(self) -> None:
        self._http.close()

    def get(self, path, status=200, **params):
        answer = self._http.get(path, params=params)
        assert answer.status_code == status, answer.text
        return answer.json()

    def send(self, method, path, status, body=None):
        answer = self._http.request(method, path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None


@pytest.fixture
def rest(playground):
    made = Rest(playground, "default")
    yield made
    made.close()


@pytest.fixture
def story(api, namespace):
    """A ConfigMap that is made, changed twice, and deleted; return its place and revisions."""
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    revisions = []
    body = {"metadata": {"name": "app"}, "data": {"a": "1", "b": "1"}}
    for data in ({"a": "1", "b": "1"}, {"a": "2", "b": "1"}, {"a": "2", "b": "1", "c": "1"}):
        body["data"] = data
        answer = api.put(f"{path}/app", json=body) if revisions else api.post(path, json=body)
        assert answer.status_code in (200, 201), answer.text
        revisions.append(int(answer.json()["metadata"]["resourceVersion"]))
    return {"resource": "configmaps", "namespace": namespace, "name": "app"}, revisions


def test_the_ends_of_the_log_and_its_density(rest, story):
    found = rest.get("/history", parts=10)
    assert found["oldest"] <= min(story[1]) < found["newest"] + 1
    assert sum(n for one in found["density"] for _part, n in one["parts"]) == found["newest"]
    assert rest.get("/history", after="x", status=422)["error"]["fields"]["after"]


def test_an_objects_history_says_who_changed_what(rest, story):
    place, revisions = story
    items = rest.get("/history/object", **place)["items"]
    assert [one["revision"] for one in items] == revisions[::-1]
    assert [one["type"] for one in items] == ["MODIFIED", "MODIFIED", "ADDED"]
    changed = [(f["path"], f["op"], f["before"], f["after"]) for f in items[1]["fields_changed"]]
    assert changed == [("data.a", "~", "1", "2")]
    assert {(one["user"], one["actor"]) for one in items} == {("admin", "admin")}
    assert items[0]["trace"]
    assert "python-httpx" in items[0]["manager"]
    assert rest.get("/history/object", status=422, resource="configmaps")["error"]["fields"]["name"]


def test_lines_are_blamed_on_their_writes(rest, story):
    place, (first, second, third) = story
    lines = rest.get("/history/lines", **place)["lines"]
    blamed = {line["text"].strip(): line["revision"] for line in lines}
    assert (blamed["b: '1'"], blamed["a: '2'"], blamed["c: '1'"]) == (first, second, third)
    then = rest.get("/history/lines", rev=first, **place)["lines"]
    assert "a: '1'" in [line["text"].strip() for line in then]
    assert rest.get("/history/lines", **{**place, "name": "none"})["lines"] == []


def test_what_happened_in_sentences(rest, story):
    _place, revisions = story
    found = rest.get("/history/facts", after=revisions[0] - 1, upto=revisions[-1])["items"]
    texts = [fact["text"] for fact in found if fact["name"] == "app"]
    assert texts[0].endswith("created ConfigMap app")
    assert texts[1].endswith("changed data.a of ConfigMap app from 1 to 2")


def test_two_revisions_side_by_side(rest, story):
    place, revisions = story
    found = rest.get(
        "/history/difference", a=revisions[0], b=revisions[-1], namespace=place["namespace"]
    )
    (one,) = (item for item in found["items"] if item["name"] == "app")
    assert (one["change"], one["revision"]) == ("changed", revisions[-1])
    answer = rest.get("/history/difference", a=1, b=10**9, status=504)
    assert answer["error"]["code"] == "Timeout"


def test_bookmarks_are_kept_for_their_owner(rest):
    assert rest.send("POST", "/bookmarks", 201, {"revision": 7, "note": "here"})
    assert rest.send("POST", "/bookmarks", 201, {"revision": 7, "note": "really"})
    assert rest.get("/bookmarks")["items"] == [{"revision": 7, "note": "really"}]
    rest.send("POST", "/bookmarks", 422, {"revision": -1})
    rest.send("POST", "/bookmarks", 422, {"revision": 8, "note": "x" * 121})
    rest.send("DELETE", "/bookmarks/7", 204)
    rest.send("DELETE", "/bookmarks/7", 204)
    assert rest.get("/bookmarks")["items"] == []


def test_pages_of_the_past_say_so(playground, story):
    place, revisions = story
    with httpx.Client(base_url=playground.site, follow_redirects=True, timeout=30) as browser:
        browser.get(playground.page)
        path = f"/clusters/default/objects/core/v1/configmaps?ns={place['namespace']}"
        page = wait_until(lambda: browser.get(f"{path}&rev={revisions[0]}")).text
        assert f'rev="{revisions[0]}"' in page
        assert "Changing things is off." in page
        assert "has not happened yet" in browser.get(f"{path}&rev=99999999").text
        assert "kp-past" not in browser.get(path).text
        assert "kp-past" not in browser.get(f"{path}&rev=nonsense").text


def test_the_log_as_a_file(playground, rest, api, story):
    place, revisions = story
    body = {
        "metadata": {
            "name": "s",
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "hidden-twice"},
        },
        "stringData": {"key": "hidden"},
    }
    made = api.post(f"/api/v1/namespaces/{place['namespace']}/secrets", json=body)
    assert made.status_code == 201, made.text

    def recorded(**params):
        with httpx.Client(headers={"Authorization": f"Bearer {playground.token}"}) as http:
            url = f"{playground.site}/api/clusters/default/recording"
            answer = http.get(url, params=params, timeout=30)
        assert answer.headers["content-type"] == "application/gzip"
        assert "attachment" in answer.headers["content-disposition"]
        return json.loads(gzip.decompress(answer.content))

    found = recorded()
    assert (found["kind"], found["secrets"], found["oldest"]) == ("Recording", False, 0)
    numbers = [one["revision"] for one in found["changes"]]
    assert numbers == list(range(1, found["newest"] + 1))
    app = [one for one in found["changes"] if one["revision"] in revisions]
    assert [one["object"]["data"]["a"] for one in app] == ["1", "2", "2"]
    text = json.dumps(found)
    secret = made.json()
    assert secret["data"]["key"] not in text
    assert "hidden" not in text
    uid = secret["metadata"]["uid"]
    (kept,) = (
        one for one in recorded(secrets="1")["changes"] if one["object"]["metadata"]["uid"] == uid
    )
    assert kept["object"]["data"] == secret["data"]
