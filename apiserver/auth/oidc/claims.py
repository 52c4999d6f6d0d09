"""From verified claims to a user, by an issuer's mappings; refusals are Kubernetes' own words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from apimachinery.cel.admission import USER
from apimachinery.cel.env import CostExceeded, Env, EvalError, Program
from apimachinery.cel.types import DYN, STRING, map_of
from apiserver.auth.oidc.issuer import Issuer, Rule
from apiserver.auth.tokens import InvalidToken
from apiserver.auth.user import User

Claims = Mapping[str, Any]

_CLAIMS = Env({"claims": map_of(STRING, DYN)})
_USER = Env({"user": USER})


def compile_claims(expression: str) -> Program:
    """Compile an expression over `claims`. Raises CompileError."""
    return _CLAIMS.compile(expression)


def compile_user(expression: str) -> Program:
    """Compile an expression over `user`. Raises CompileError."""
    return _USER.compile(expression)


class ClaimMapper:
    """The mappings of one issuer, compiled."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer
        attributes = (issuer.username, issuer.groups, issuer.uid)
        texts = [each.expression for each in attributes if each.expression]
        texts += [*issuer.extra.values(), *(r.expression for r in issuer.claim_rules)]
        self._programs = {text: compile_claims(text) for text in texts if text}
        self._user_programs = [(rule, compile_user(rule.expression)) for rule in issuer.user_rules]

    def user(self, claims: Claims) -> User:
        """Return the user. Raises InvalidToken with what a TokenReview shows."""
        issuer = self._issuer
        user = User(
            self._username(claims),
            self._groups(claims),
            self._uid(claims),
            self._extra(claims),
        )
        for rule in issuer.claim_rules:
            if rule.claim:
                _require(rule, claims)
        for rule in issuer.claim_rules:
            if rule.expression:
                what = "claim validation expression"
                _hold(rule, self._run(rule.expression, claims, what), what)
        for rule, program in self._user_programs:
            what = "user info validation rule"
            _hold(rule, _evaluated(program, {"user": _shown(user)}, what), what)
        return user

    def _username(self, claims: Claims) -> str:
        wanted = self._issuer.username
        if wanted.expression:
            found = self._run(wanted.expression, claims, "username claim expression")
            if not isinstance(found, str):
                why = "username claim expression must return a string"
                raise InvalidToken(f"oidc: error evaluating username claim expression: {why}")
            return found
        name = _text(claims, wanted.claim, "username claims")
        if wanted.claim == "email" and "email_verified" in claims:
            verified = claims["email_verified"]
            if not isinstance(verified, bool):
                why = f"json: cannot unmarshal {_kind(verified)} into Go value of type bool"
                raise InvalidToken(f"oidc: parse 'email_verified' claim: {why}")
            if not verified:
                raise InvalidToken("oidc: email not verified")
        return wanted.prefix + name

    def _groups(self, claims: Claims) -> tuple[str, ...]:
        wanted = self._issuer.groups
        if wanted.claim:
            if wanted.claim not in claims:
                return ()
            found = claims[wanted.claim]
            listed = [found] if isinstance(found, str) else found
            if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
                why = f"json: cannot unmarshal {_kind(found)} into Go value of type string"
                raise InvalidToken(f'oidc: parse groups claim "{wanted.claim}": {why}')
            return tuple(wanted.prefix + each for each in listed)
        if not wanted.expression:
            return ()
        what = "group claim expression"
        return _strings(self._run(wanted.expression, claims, what), what)

    def _uid(self, claims: Claims) -> str:
        wanted = self._issuer.uid
        if wanted.claim:
            return _text(claims, wanted.claim, "uid claim")
        if not wanted.expression:
            return ""
        found = self._run(wanted.expression, claims, "uid claim expression")
        if not isinstance(found, str):
            why = "uid claim expression must return a string"
            raise InvalidToken(f"oidc: error evaluating uid claim expression: {why}")
        return found

    def _extra(self, claims: Claims) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for key, expression in self._issuer.extra.items():
            what = "extra claim expression"
            values = _strings(self._run(expression, claims, what), f"{what}: {expression}")
            if values:
                found[key] = values
        return found

    def _run(self, expression: str, claims: Claims, what: str) -> Any:
        return _evaluated(self._programs[expression], {"claims": dict(claims)}, what)


def _evaluated(program: Program, variables: Mapping[str, Any], what: str) -> Any:
    try:
        return program.run(variables)
    except (EvalError, CostExceeded) as error:
        why = f"expression '{program.source}' resulted in error: {error}"
        raise InvalidToken(f"oidc: error evaluating {what}: {why}") from error


def _text(claims: Claims, claim: str, what: str) -> str:
    if claim not in claims:
        raise InvalidToken(f'oidc: parse {what} "{claim}": claim not present')
    found = claims[claim]
    if not isinstance(found, str):
        why = f"json: cannot unmarshal {_kind(found)} into Go value of type string"
        raise InvalidToken(f'oidc: parse {what} "{claim}": {why}')
    return found


def _strings(found: Any, what: str) -> tuple[str, ...]:
    """Read what an expression came to as strings; empty ones count as absent."""
    if found is None:
        return ()
    listed = [found] if isinstance(found, str) else found
    if not isinstance(listed, Sequence) or not all(isinstance(each, str) for each in listed):
        why = "expression must return a string or a list of strings"
        raise InvalidToken(f"oidc: error evaluating {what}: {why}")
    return tuple(each for each in listed if each)


def _require(rule: Rule, claims: Claims) -> None:
    if rule.claim not in claims:
        raise InvalidToken(f"oidc: required claim {rule.claim} not present in ID token")
    found = claims[rule.claim]
    if not isinstance(found, str):
        why = f"json: cannot unmarshal {_kind(found)} into Go value of type string"
        raise InvalidToken(f"oidc: parse claim {rule.claim}: {why}")
    if found != rule.required:
        raise InvalidToken(
            f"oidc: required claim {rule.claim} value does not match. Got = {found}, "
            f"want = {rule.required}"
        )


def _hold(rule: Rule, found: Any, what: str) -> None:
    if found is True:
        return
    why = "validation expression must return a boolean"
    if found is False:
        why = f"validation expression '{rule.expression}' failed: {rule.message}"
    raise InvalidToken(f"oidc: error evaluating {what}: {why}")


def _shown(user: User) -> dict[str, Any]:
    return {
        "username": user.name,
        "uid": user.uid,
        "groups": list(user.groups),
        "extra": {key: list(values) for key, values in user.extra.items()},
    }


def _kind(value: Any) -> str:
    """Say what a value is in JSON, as Go's decoder does."""
    if isinstance(value, bool):
        return "bool"
    names = {dict: "object", list: "array", str: "string", type(None): "null"}
    return names.get(type(value), "number")


def read_claims(payload: bytes) -> dict[str, Any]:
    """Return the claims of a token's payload. Raises InvalidToken."""
    try:
        found = orjson.loads(payload)
    except ValueError as error:
        raise InvalidToken(f"oidc: parse claims: {error}") from error
    if not isinstance(found, dict):
        raise InvalidToken("oidc: parse claims: it is no object")
    return found
