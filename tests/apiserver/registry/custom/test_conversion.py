"""Conversion webhooks: what is asked, and which answers are none."""

from __future__ import annotations

import orjson
import pytest

from apimachinery.errors import ApiError
from apimachinery.gvk import GroupVersionKind
from apiserver.registry.calling import CallError, Response
from apiserver.registry.converting import shown
from apiserver.registry.custom.conversion import ConvertedEntries, Converting, WebhookConversion
from apiserver.registry.custom.schemas import VersionSchema
from apiserver.registry.resource import Resource
from apiserver.registry.strategy import Strategy
from apiserver.storage import Entry, Key

V1, V2 = (GroupVersionKind("example.com", version, "Widget") for version in ("v1", "v2"))
ANY = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
SCHEMAS = {"v1": VersionSchema(lambda: ANY), "v2": VersionSchema(lambda: ANY)}
CONFIG = {"service": {"namespace": "ns", "name": "svc", "path": "/convert", "port": 443}}
FAILED = "conversion webhook for example.com/v1, Kind=Widget"


def widget(version="v1", name="a", **content):
    about = {"name": name, "namespace": "ns", "uid": "u", "generation": 1}
    return {"apiVersion": f"example.com/{version}", "kind": "Widget", "metadata": about, **content}


class Webhook:
    """Answers as `change` makes it of a good answer; remembers what was asked."""

    def __init__(self, change=lambda review: review):
        self.asked, self.change = [], change

    async def __call__(self, address, body, timeout):
        review = orjson.loads(body)
        self.asked.append((address.url, timeout, review))
        request = review.pop("request")
        objs = [{**obj, "apiVersion": request["desiredAPIVersion"]} for obj in request["objects"]]
        review["response"] = {
            "uid": request["uid"],
            "convertedObjects": objs,
            "result": {"status": "Success"},
        }
        review["request"] = request
        found = self.change(review)
        if isinstance(found, Exception):
            raise found
        return found if isinstance(found, Response) else Response(200, orjson.dumps(found))


def conversion(webhook, *reviews, entries=None):
    spec = {
        "strategy": "Webhook",
        "webhook": {"clientConfig": CONFIG, "conversionReviewVersions": list(reviews or ("v1",))},
    }
    converting = Converting(webhook, lambda: "review-1", entries or ConvertedEntries())
    return WebhookConversion(spec, V1, SCHEMAS, {}, converting)


async def test_only_what_is_in_another_version_is_asked_about_and_all_at_once():
    webhook = Webhook()
    objs = [widget(name="a"), widget("v2", name="b"), widget(name="c")]
    found = await conversion(webhook).convert(objs, V2)
    assert [obj["metadata"]["name"] for obj in found] == ["a", "b", "c"]
    assert {obj["apiVersion"] for obj in found} == {"example.com/v2"}
    assert found[1] is objs[1]
    ((url, timeout, review),) = webhook.asked
    assert (url, timeout) == ("https://svc.ns.svc:443/convert", 30.0)
    assert review["apiVersion"] == "apiextensions.k8s.io/v1"
    assert review["request"]["uid"] == "review-1"
    assert [obj["metadata"]["name"] for obj in review["request"]["objects"]] == ["a", "c"]
    assert await conversion(webhook).convert([objs[1]], V2) == [objs[1]]
    assert len(webhook.asked) == 1


@pytest.mark.parametrize(
    ("reviews", "asked"), [(("v1beta1", "v1"), "v1beta1"), (("v2", "v1"), "v1")]
)
async def test_the_first_version_of_reviews_that_is_known(reviews, asked):
    webhook = Webhook()
    await conversion(webhook, *reviews).convert([widget()], V2)
    assert webhook.asked[0][2]["apiVersion"] == f"apiextensions.k8s.io/{asked}"


async def test_labels_and_annotations_may_change_and_nothing_else():
    def change(review):
        (obj,) = review["response"]["convertedObjects"]
        more = {"generation": 9, "labels": {"a": "b"}, "annotations": {"c": "d"}}
        obj["metadata"] = {**obj["metadata"], **more, "finalizers": ["x/y"]}
        return review

    (found,) = await conversion(Webhook(change)).convert([widget()], V2)
    meta = widget()["metadata"]
    assert found["metadata"] == {**meta, "labels": {"a": "b"}, "annotations": {"c": "d"}}


def _response(**changed):
    return lambda review: {**review, "response": {**review["response"], **changed}}


def _object(**changed):
    def change(review):
        (obj,) = review["response"]["convertedObjects"]
        return _response(convertedObjects=[{**obj, **changed}])(review)

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda review: CallError("dial tcp 10.0.0.1:443: connect: connection refused"),
            (
                " failed: Post "
                '"https://svc.ns.svc:443/convert?timeout=30s": dial tcp 10.0.0.1:443: '
                "connect: connection refused"
            ),
        ),
        (
            lambda review: Response(404, b""),
            " failed: the server could not find the requested resource",
        ),
        (
            lambda review: {**review, "kind": "Review"},
            (
                " failed: expected webhook response of apiextensions.k8s.io/v1, "
                "Kind=ConversionReview, got apiextensions.k8s.io/v1, Kind=Review"
            ),
        ),
        (lambda review: {**review, "response": None}, " failed: no response provided"),
        (_response(uid="else"), ' failed: expected response.uid="review-1", got "else"'),
        (_response(result={"status": "Failure", "message": "no way"}), " failed: no way"),
        (
            _response(result={"status": "Maybe"}),
            " failed: response.result.status was 'Maybe', not 'Success'",
        ),
        (_response(result="Success"), " failed: the answer is no ConversionReview"),
        (_response(convertedObjects=5), " failed: the answer is no ConversionReview"),
        (_response(convertedObjects=[]), " returned 0 objects, expected 1"),
        (
            _object(apiVersion="example.com/v3"),
            (
                " returned invalid object at index 0: invalid groupVersion "
                "(expected example.com/v2, received example.com/v3)"
            ),
        ),
        (
            _object(kind="Gadget"),
            " returned invalid object at index 0: invalid kind (expected Widget, received Gadget)",
        ),
        (
            _object(metadata={"name": "b", "namespace": "ns", "uid": "u"}),
            " returned invalid object: must have the same name: a != b",
        ),
        (
            _object(metadata={"name": "a", "namespace": "ns", "uid": "v"}),
            " returned invalid object: must have the same UID: u != v",
        ),
    ],
)
async def test_answers_that_are_none(change, said):
    with pytest.raises(ApiError) as caught:
        await conversion(Webhook(change)).convert([widget()], V2)
    assert caught.value.message == f"{FAILED}{said}"
    assert (caught.value.code, caught.value.reason) == (500, "")


async def test_labels_that_are_none():
    about = {**widget()["metadata"], "labels": {"not a label": "x"}}
    with pytest.raises(ApiError, match="returned invalid metadata: "):
        await conversion(Webhook(_object(metadata=about))).convert([widget()], V2)


@pytest.mark.parametrize("free", [{"labels": ["a"]}, {"labels": {"a": 1}}, {"annotations": "text"}])
async def test_metadata_of_another_type(free):
    about = {**widget()["metadata"], **free}
    with pytest.raises(ApiError, match="must be a map of strings"):
        await conversion(Webhook(_object(metadata=about))).convert([widget()], V2)


def entry(name, revision, size=10):
    obj = widget(name=name, text="x" * size)
    return Entry(Key("widgets", "ns", name), name, revision, orjson.dumps(obj), {}, {})


def test_so_many_bytes_are_kept():
    kept = ConvertedEntries(size=3000)
    for number in range(10):
        kept.put(number, entry("a", number, size=500))
        kept.put(number, entry("a", number, size=600))
    assert [number for number in range(10) if kept.get(number)] == [6, 7, 8, 9]
    kept.put("large", entry("b", 1, size=5000))
    assert kept.get("large") is None


async def test_what_is_forgotten_while_a_webhook_is_asked_is_shown_converted():
    entries = ConvertedEntries()
    made = conversion(Webhook(), entries=entries)
    resource = Resource(
        kind=V2, plural="widgets", strategy=Strategy(), custom=True, conversion=made
    )
    first, second = entry("a", 1), entry("b", 2)
    await shown(resource, [first])

    def forget(review):
        entries.__init__()
        return review

    made._call.change = forget
    found = await shown(resource, [first, second])
    assert [one.obj()["apiVersion"] for one in found] == ["example.com/v2"] * 2
    assert [one.key.name for one in found] == ["a", "b"]
