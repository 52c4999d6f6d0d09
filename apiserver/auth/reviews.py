"""The review kinds: questions about identity and rights that are answered and never stored."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from apimachinery.errors import BadRequest, Invalid
from apimachinery.gvk import GroupKind
from apimachinery.meta import Obj
from apimachinery.validation.field import FieldError, Path, invalid
from apiserver.auth import selectors
from apiserver.auth.attributes import Attributes
from apiserver.auth.authentication import TokenRefused, TokenUser
from apiserver.auth.cluster import ClusterAuth
from apiserver.auth.user import User

AUTHORIZATION = "authorization.k8s.io"
_SPEC = Path("spec")
_ASKED = ("verb", "group", "version", "resource", "subresource", "namespace", "name")


def review(
    auth: ClusterAuth, kind: str, obj: Obj, user: User, namespace: str = ""
) -> Obj | Awaitable[Obj]:
    """Answer a review; a token of an issuer outside may have to be waited for.

    Raises BadRequest or Invalid; `obj` is not changed.
    """
    return _REVIEWS[kind](auth, obj, user, namespace)


def _subject_access(auth: ClusterAuth, obj: Obj, user: User, namespace: str) -> Obj:
    del user, namespace
    spec = obj.get("spec") or {}
    _raise_if([*_subject_spec_errors(spec), *_metadata_errors(obj)])
    return _answer(auth, obj, _subject(spec))


def _local_subject_access(auth: ClusterAuth, obj: Obj, user: User, namespace: str) -> Obj:
    del user
    spec, metadata = obj.get("spec") or {}, obj.get("metadata") or {}
    errors = [*_subject_spec_errors(spec), *_metadata_errors(obj, "namespace")]
    asked = spec.get("resourceAttributes")
    if asked is not None and (asked.get("namespace") or "") != (metadata.get("namespace") or ""):
        path = _SPEC / "resourceAttributes" / "namespace"
        words = "must match metadata.namespace"
        errors.append(invalid(path, asked.get("namespace") or "", words))
    if spec.get("nonResourceAttributes") is not None:
        path = _SPEC / "nonResourceAttributes"
        words = "disallowed on this kind of request"
        errors.append(invalid(path, _as_go_has_it(spec["nonResourceAttributes"]), words))
    _raise_if(errors)
    if namespace != metadata.get("namespace"):
        words = "spec.resourceAttributes.namespace must match namespace"
        raise BadRequest(f"{words}: {namespace}")
    return _answer(auth, obj, _subject(spec))


def _self_subject_access(auth: ClusterAuth, obj: Obj, user: User, namespace: str) -> Obj:
    del namespace
    spec = obj.get("spec") or {}
    _raise_if([*_access_errors(spec), *_selector_errors(spec), *_metadata_errors(obj)])
    return _answer(auth, obj, user)


def _self_subject_rules(auth: ClusterAuth, obj: Obj, user: User, namespace: str) -> Obj:
    del namespace
    asked = (obj.get("spec") or {}).get("namespace") or ""
    if not asked:
        raise BadRequest("no namespace on request")
    resolved = auth.rules_for(user, asked)
    status: Obj = {
        "resourceRules": resolved.resource_rules,
        "nonResourceRules": resolved.non_resource_rules,
        "incomplete": resolved.incomplete,
    }
    if resolved.error:
        status["evaluationError"] = resolved.error
    return {
        "kind": "SelfSubjectRulesReview",
        "apiVersion": obj.get("apiVersion", f"{AUTHORIZATION}/v1"),
        "metadata": {},
        "spec": {},
        "status": status,
    }


def _token(auth: ClusterAuth, obj: Obj, user: User, namespace: str) -> Obj | Awaitable[Obj]:
    del user, namespace
    spec = obj.get("spec") or {}
    if not spec.get("token"):
        raise BadRequest("token is required for TokenReview in authentication")
    try:
        found = auth.token_user(spec["token"], spec.get("audiences") or ())
    except TokenRefused as refused:
        return _token_refused(obj, refused)
    return _token_known(obj, found) if isinstance(found, TokenUser) else _token_later(obj, found)


async def _token_later(obj: Obj, finding: Awaitable[TokenUser]) -> Obj:
    try:
        return _token_known(obj, await finding)
    except TokenRefused as refused:
        return _token_refused(obj, refused)


def _token_refused(obj: Obj, refused: TokenRefused) -> Obj:
    return {**obj, "status": {"user": {}, "error": str(refused)}}


def _token_known(obj: Obj, found: TokenUser) -> Obj:
    status = {
        "authenticated": True,
        "user": user_info(found.user),
        "audiences": list(found.audiences),
    }
    return {**obj, "status": status}


def _self_subject(auth: ClusterAuth, obj: Obj, user: User, namespace: str) -> Obj:
    del namespace
    return {
        "kind": "SelfSubjectReview",
        "apiVersion": obj.get("apiVersion", "authentication.k8s.io/v1"),
        "metadata": {"creationTimestamp": auth.clock.timestamp()},
        "status": {"userInfo": user_info(user)},
    }


_REVIEWS: dict[str, Callable[[ClusterAuth, Obj, User, str], Obj | Awaitable[Obj]]] = {
    "SubjectAccessReview": _subject_access,
    "LocalSubjectAccessReview": _local_subject_access,
    "SelfSubjectAccessReview": _self_subject_access,
    "SelfSubjectRulesReview": _self_subject_rules,
    "TokenReview": _token,
    "SelfSubjectReview": _self_subject,
}


def user_info(user: User) -> Obj:
    """Return a user as authentication.k8s.io/v1 UserInfo."""
    info: Obj = {}
    if user.name:
        info["username"] = user.name
    if user.uid:
        info["uid"] = user.uid
    if user.groups:
        info["groups"] = list(user.groups)
    if user.extra:
        info["extra"] = {key: list(values) for key, values in sorted(user.extra.items())}
    return info


def _answer(auth: ClusterAuth, obj: Obj, user: User) -> Obj:
    asked, problems = _attributes(obj.get("spec") or {}, user)
    decision = auth.authorize(asked)
    status: Obj = {"allowed": decision.allowed}
    if decision.denied:
        status["denied"] = True
    if decision.reason:
        status["reason"] = decision.reason
    if problems:
        status["evaluationError"] = "; ".join(problems)
    return {**obj, "status": status}


def _attributes(spec: Obj, user: User) -> tuple[Attributes, list[str]]:
    """Return what is asked about, and which parts of it had to be left out."""
    path = spec.get("nonResourceAttributes")
    if path is not None:
        verb = path.get("verb") or ""
        asked_path = path.get("path") or ""
        return Attributes(user, verb, path=asked_path, resource_request=False), []
    asked: dict[str, Any] = spec.get("resourceAttributes") or {}
    verb, group, version, resource, subresource, namespace, name = (
        asked.get(field) or "" for field in _ASKED
    )
    fields, problems = selectors.read(asked)
    attributes = Attributes(
        user, verb, group, version, resource, subresource, namespace, name, fields=fields
    )
    return attributes, problems


def _subject(spec: Obj) -> User:
    extra = {key: tuple(values) for key, values in (spec.get("extra") or {}).items()}
    groups = tuple(spec.get("groups") or ())
    return User(spec.get("user") or "", groups, spec.get("uid") or "", extra)


def _raise_if(errors: list[FieldError]) -> None:
    if errors:
        # The kind is not known at this point of Kubernetes' own handler, hence the bare group.
        raise Invalid(GroupKind(AUTHORIZATION, ""), "", errors)


def _subject_spec_errors(spec: Obj) -> Iterator[FieldError]:
    yield from _access_errors(spec)
    yield from _subject_errors(spec)
    yield from _selector_errors(spec)


def _access_errors(spec: Obj) -> Iterator[FieldError]:
    resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if resource is not None and path is not None:
        words = "cannot be specified in combination with resourceAttributes"
        yield invalid(_SPEC / "nonResourceAttributes", _as_go_has_it(path), words)
    if resource is None and path is None:
        words = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        yield invalid(_SPEC / "resourceAttributes", None, words)


def _selector_errors(spec: Obj) -> Iterator[FieldError]:
    asked = spec.get("resourceAttributes")
    if asked is not None:
        yield from selectors.errors(asked, _SPEC / "resourceAttributes")


def _as_go_has_it(attributes: Obj) -> Obj:
    """Return non-resource attributes as the internal type prints them."""
    return {"Path": attributes.get("path") or "", "Verb": attributes.get("verb") or ""}


def _subject_errors(spec: Obj) -> Iterator[FieldError]:
    if not spec.get("user") and not spec.get("groups"):
        yield invalid(_SPEC / "user", "", "at least one of user or group must be specified")


def _metadata_errors(obj: Obj, *allowed: str) -> Iterator[FieldError]:
    ignored = {"managedFields", "creationTimestamp", *allowed}
    metadata = obj.get("metadata") or {}
    if any(value for key, value in metadata.items() if key not in ignored):
        words = "must be empty except for namespace" if allowed else "must be empty"
        yield invalid(Path("metadata"), metadata, words)
