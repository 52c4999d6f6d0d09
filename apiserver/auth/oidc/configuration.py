"""The AuthenticationConfiguration of `--authentication-config`: issuers, and who may be anonymous.

It is `apiserver.config.k8s.io/v1` (or one of its betas, which say the same), in YAML. Everything
that is wrong is found at the start, in Kubernetes' words, and raised as one ValueError.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any
from urllib.parse import urlsplit

import yaml

from apimachinery.cel.env import CompileError, Program
from apimachinery.validation.field import (
    FieldError,
    Path,
    duplicate,
    invalid,
    not_supported,
    required,
)
from apiserver.auth.oidc.claims import compile_claims, compile_user
from apiserver.auth.oidc.issuer import Attribute, Issuer, Rule

KIND = "AuthenticationConfiguration"
VERSIONS = tuple(f"apiserver.config.k8s.io/{v}" for v in ("v1", "v1beta1", "v1alpha1"))
_EMAIL, _VERIFIED = re.compile(r"\bclaims\.email\b"), re.compile(r"\bclaims\.email_verified\b")


@dataclass(frozen=True, slots=True)
class AuthenticationConfiguration:
    """The file's content. `anonymous` is None where it says nothing of anonymous requests."""

    issuers: Sequence[Issuer] = ()
    anonymous: bool | None = None
    # The paths that requests without credentials may ask for; none means all.
    anonymous_paths: Sequence[str] = ()


def read_authentication(path: str) -> AuthenticationConfiguration:
    """Return what a file says. Raises ValueError."""
    try:
        document = yaml.safe_load(FilePath(path).read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ValueError(f"failed to read authentication config file: {error}") from error
    if not document:
        raise ValueError("empty config data")
    document = document if isinstance(document, dict) else {}
    version, kind = document.get("apiVersion"), document.get("kind")
    if version not in VERSIONS or kind != KIND:
        raise ValueError(f'no kind "{kind}" is registered for version "{version}"')
    listed, anonymous = document.get("jwt") or [], document.get("anonymous")
    errors = [str(error) for error in (*_errors(listed), *_anonymous_errors(anonymous))]
    if errors:
        raise ValueError(errors[0] if len(errors) == 1 else f"[{', '.join(errors)}]")
    conditions = (anonymous or {}).get("conditions") or ()
    return AuthenticationConfiguration(
        [_issuer(each) for each in listed],
        None if anonymous is None else bool(anonymous.get("enabled")),
        tuple(each.get("path") or "" for each in conditions),
    )


def _issuer(given: Mapping[str, Any]) -> Issuer:
    issuer, mappings = given["issuer"], given["claimMappings"]
    return Issuer(
        url=issuer["url"],
        audiences=tuple(issuer["audiences"]),
        username=_attribute(mappings.get("username")),
        groups=_attribute(mappings.get("groups")),
        uid=_attribute(mappings.get("uid")),
        extra={each["key"]: each["valueExpression"] for each in mappings.get("extra") or ()},
        claim_rules=[_rule(each) for each in given.get("claimValidationRules") or ()],
        user_rules=[_rule(each) for each in given.get("userValidationRules") or ()],
        discovery_url=issuer.get("discoveryURL") or "",
        ca=issuer.get("certificateAuthority") or "",
    )


def _attribute(given: Mapping[str, Any] | None) -> Attribute:
    given = given or {}
    return Attribute(*(given.get(part) or "" for part in ("claim", "prefix", "expression")))


def _rule(given: Mapping[str, Any]) -> Rule:
    fields = ("claim", "requiredValue", "expression", "message")
    return Rule(*(given.get(part) or "" for part in fields))


# -- what may be wrong ----------------------------------------------------------------------------


def _errors(listed: Sequence[Mapping[str, Any]]) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, given in enumerate(listed):
        path = Path("jwt")[index]
        yield from _issuer_errors(given.get("issuer") or {}, path / "issuer", seen)
        mappings = given.get("claimMappings") or {}
        rules = given.get("claimValidationRules") or ()
        yield from _rule_errors(rules, path / "claimValidationRules")
        yield from _mapping_errors(mappings, path / "claimMappings")
        yield from _email_errors(mappings, rules, path / "claimMappings")
        yield from _user_rule_errors(
            given.get("userValidationRules") or (), path / "userValidationRules"
        )


def _issuer_errors(issuer: Mapping[str, Any], path: Path, seen: set[str]) -> Iterator[FieldError]:
    url = issuer.get("url") or ""
    yield from url_errors(url, path / "url")
    if url and url in seen:
        yield duplicate(path / "url", url)
    seen.add(url)
    if discovery := issuer.get("discoveryURL"):
        yield from url_errors(discovery, path / "discoveryURL")
        if discovery.rstrip("/") == url.rstrip("/"):
            yield invalid(
                path / "discoveryURL", discovery, "discoveryURL must be different from URL"
            )
    yield from _audience_errors(issuer, path)
    if (egress := issuer.get("egressSelectorType")) is not None:
        yield not_supported(path / "egressSelectorType", egress, [])


def _audience_errors(issuer: Mapping[str, Any], path: Path) -> Iterator[FieldError]:
    audiences = issuer.get("audiences") or ()
    place = path / "audiences"
    if not audiences:
        yield required(place, f"at least one {place} is required")
    policy = issuer.get("audienceMatchPolicy") or ""
    if len(audiences) > 1 and policy != "MatchAny":
        words = "audienceMatchPolicy must be MatchAny for multiple audiences"
        yield invalid(path / "audienceMatchPolicy", policy, words)
    if len(audiences) <= 1 and policy not in ("", "MatchAny"):
        words = "audienceMatchPolicy must be empty or MatchAny for single audience"
        yield invalid(path / "audienceMatchPolicy", policy, words)
    for index, audience in enumerate(audiences):
        if not audience:
            yield required(place[index], "audience can't be empty")
        elif audience in audiences[:index]:
            yield duplicate(place[index], audience)


def url_errors(url: str, path: Path) -> Iterator[FieldError]:
    """Yield what is wrong with the URL of an issuer."""
    if not url:
        yield required(path, "URL is required")
        return
    parts = urlsplit(url)
    if parts.scheme != "https":
        yield invalid(path, url, "URL scheme must be https")
    if parts.username is not None or parts.password is not None:
        yield invalid(path, url, "URL must not contain a username or password")
    if parts.query:
        yield invalid(path, url, "URL must not contain a query")
    if parts.fragment:
        yield invalid(path, url, "URL must not contain a fragment")


def _mapping_errors(mappings: Mapping[str, Any], path: Path) -> Iterator[FieldError]:
    username = mappings.get("username") or {}
    if not username.get("claim") and not username.get("expression"):
        yield required(path / "username", "claim or expression is required")
    for name in ("username", "groups", "uid"):
        given, place = mappings.get(name) or {}, path / name
        claim, expression = given.get("claim") or "", given.get("expression") or ""
        if claim and expression:
            yield invalid(place, "", "claim and expression can't both be set")
        elif expression:
            yield from _compile_errors(compile_claims, expression, place / "expression")
            if given.get("prefix"):
                words = "prefix can't be set when expression is set"
                yield invalid(place / "prefix", given["prefix"], words)
        elif claim and name != "uid" and given.get("prefix") is None:
            yield required(
                place / "prefix",
                "prefix is required when claim is set. It can be set to an empty string to "
                "disable prefixing",
            )
    yield from _extra_errors(mappings.get("extra") or (), path / "extra")


def _extra_errors(listed: Sequence[Mapping[str, Any]], path: Path) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, given in enumerate(listed):
        key, expression = given.get("key") or "", given.get("valueExpression") or ""
        place = path[index]
        domain = key.partition("/")[0]
        if not key:
            yield required(place / "key", "key is required")
        elif "/" not in key:
            yield invalid(
                place / "key", key, 'must be a domain-prefixed path (such as "acme.io/foo")'
            )
        elif key != key.lower():
            yield invalid(place / "key", key, "key must be lowercase")
        elif any(domain == d or domain.endswith(f".{d}") for d in ("k8s.io", "kubernetes.io")):
            words = "k8s.io, kubernetes.io and their subdomains are reserved for Kubernetes use"
            yield invalid(place / "key", key, words)
        if key in seen:
            yield duplicate(place / "key", key)
        seen.add(key)
        if not expression:
            yield required(place / "valueExpression", "valueExpression is required")
        else:
            yield from _compile_errors(compile_claims, expression, place / "valueExpression")


def _rule_errors(listed: Sequence[Mapping[str, Any]], path: Path) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, given in enumerate(listed):
        place = path[index]
        claim, expression = given.get("claim") or "", given.get("expression") or ""
        if claim and expression:
            yield invalid(place, claim, "claim and expression can't both be set")
        elif not claim and not expression:
            yield required(place, "claim or expression is required")
        elif claim and given.get("message"):
            words = "message can't be set when claim is set"
            yield invalid(place / "message", given["message"], words)
        elif expression and given.get("requiredValue"):
            words = "requiredValue can't be set when expression is set"
            yield invalid(place / "requiredValue", given["requiredValue"], words)
        elif expression:
            yield from _bool_errors(compile_claims, expression, place / "expression")
        if (key := claim or expression) in seen and key:
            yield duplicate(place / ("claim" if claim else "expression"), key)
        seen.add(key)


def _user_rule_errors(listed: Sequence[Mapping[str, Any]], path: Path) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, given in enumerate(listed):
        expression, place = given.get("expression") or "", path[index] / "expression"
        if not expression:
            yield required(place, "expression is required")
            continue
        if expression in seen:
            yield duplicate(place, expression)
        seen.add(expression)
        yield from _bool_errors(compile_user, expression, place)


def _email_errors(
    mappings: Mapping[str, Any], rules: Sequence[Mapping[str, Any]], path: Path
) -> Iterator[FieldError]:
    """An address that nobody has verified must not name a user unseen."""
    username = (mappings.get("username") or {}).get("expression") or ""
    if not _EMAIL.search(username):
        return
    texts = [username, *(each.get("expression") or "" for each in rules)]
    texts += [each.get("valueExpression") or "" for each in mappings.get("extra") or ()]
    if not any(map(_VERIFIED.search, texts)):
        words = (
            "claims.email_verified must be used in claimMappings.username.expression or "
            "claimMappings.extra[*].valueExpression or claimValidationRules[*].expression when "
            "claims.email is used in claimMappings.username.expression"
        )
        yield invalid(path / "username" / "expression", username, words)


Compile = Callable[[str], Program]


def _compile_errors(compile_: Compile, expression: str, path: Path) -> Iterator[FieldError]:
    try:
        compile_(expression)
    except CompileError as error:
        yield invalid(path, expression, f"compilation failed: {error}")


def _bool_errors(compile_: Compile, expression: str, path: Path) -> Iterator[FieldError]:
    errors = list(_compile_errors(compile_, expression, path))
    yield from errors
    if not errors and str(compile_(expression).type) != "bool":
        yield invalid(path, expression, "must evaluate to bool")


def _anonymous_errors(anonymous: Mapping[str, Any] | None) -> Iterator[FieldError]:
    path = Path("anonymous") / "conditions"
    conditions = (anonymous or {}).get("conditions") or ()
    if conditions and not (anonymous or {}).get("enabled"):
        words = "enabled should be set to true when conditions are defined"
        yield invalid(path, conditions, words)
    for index, condition in enumerate(conditions):
        if not condition.get("path"):
            yield required(path[index] / "path", "path is required")
