"""`agnhost crd-conversion-webhook`: a `hostPort` in v1 is a `host` and a `port` in v2."""

from __future__ import annotations

from typing import Any, TypeAlias

import orjson

from nodes.network.http import Headers, HttpRequest, HttpResponse

Obj: TypeAlias = dict[str, Any]
_TEXT = Headers([("Content-Type", "text/plain; charset=utf-8")])
_JSON = Headers([("Content-Type", "application/json")])
_GROUP, _EXAMPLE = "apiextensions.k8s.io", "stable.example.com"
_VERSIONS = (f"{_GROUP}/v1", f"{_GROUP}/v1beta1")


class _Refused(Exception):
    """An object that cannot be converted; the text says why."""


async def answer(request: HttpRequest) -> HttpResponse:
    """Answer /crdconvert: a ConversionReview of v1 or v1beta1; and /readyz."""
    if request.path == "/readyz":
        return HttpResponse(200, _TEXT, b"ok")
    if request.path != "/crdconvert":
        return HttpResponse(404, _TEXT, b"404 page not found\n")
    media_type = request.headers.get("Content-Type")
    if media_type != "application/json":
        return _bad(f"invalid Content-Type header `{media_type}`")
    try:
        review: Obj = orjson.loads(request.body)
        version, asked = review["apiVersion"], review["request"]
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        return _bad(f"failed to deserialize body with error {error}")
    if version not in _VERSIONS or review.get("kind") != "ConversionReview":
        return _bad(f"Unsupported group version kind: {version}, Kind={review.get('kind')}")
    response = {"uid": asked.get("uid"), **_converted(asked)}
    body = {"kind": "ConversionReview", "apiVersion": version, "response": response}
    return HttpResponse(200, _JSON, orjson.dumps(body))


def _bad(why: str) -> HttpResponse:
    return HttpResponse(400, _TEXT, f"{why}\n".encode())


def _converted(asked: Obj) -> Obj:
    wanted = asked.get("desiredAPIVersion") or ""
    try:
        found = [_convert(obj, wanted) for obj in asked.get("objects") or ()]
    except _Refused as error:
        result = {"metadata": {}, "status": "Failure", "message": str(error)}
        return {"convertedObjects": None, "result": result}
    return {"convertedObjects": found, "result": {"metadata": {}, "status": "Success"}}


def _convert(obj: Obj, wanted: str) -> Obj:
    have = obj.get("apiVersion") or ""
    if have == wanted:
        raise _Refused(f"conversion from a version to itself should not call the webhook: {wanted}")
    v1, v2 = f"{_EXAMPLE}/v1", f"{_EXAMPLE}/v2"
    if have not in (v1, v2):
        raise _Refused(f'unexpected conversion version "{have}"')
    if wanted not in (v1, v2):
        raise _Refused(f'unexpected conversion version "{wanted}"')
    new = {**obj, "apiVersion": wanted}
    if have == v1:
        if "hostPort" in new:
            value = new.pop("hostPort")
            parts = str(value).split(":")
            if len(parts) != 2:
                raise _Refused(f"invalid hostPort value `{value}`")
            new["host"], new["port"] = parts
    elif "host" in new or "port" in new:
        new["hostPort"] = f"{new.pop('host', '')}:{new.pop('port', '')}"
    return new
