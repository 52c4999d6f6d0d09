"""Service account tokens: JWTs signed with a cluster's own key, good while what they name lives.

A token is verified once by its signature and then remembered; that its service account, and the
pod, node or secret it is bound to, still exist is looked up every time. A cluster knows its own
key alone, so a token of one cluster means nothing to another.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from apimachinery.clock import Clock, parse_time
from apimachinery.meta import Obj, is_deleting
from apiserver.auth.attributes import quote
from apiserver.auth.pki import CREDENTIAL_ID, key_pem
from apiserver.auth.remarks import Remarks
from apiserver.auth.source import Objects
from apiserver.auth.user import User, service_account_groups, service_account_user
from apiserver.storage.types import Entry, Key

ISSUER = "https://kubernetes.default.svc.cluster.local"
LEGACY_ISSUER = "kubernetes/serviceaccount"
ALGORITHM = "ES256"
# How far clocks may differ: the leeway of the JWT library that Kubernetes uses.
LEEWAY = 60.0
MAX_VERIFIED = 4096
_LEGACY = "kubernetes.io/serviceaccount/"
_EXTRA = "authentication.kubernetes.io/"
_LEGACY_NOTE = "authentication.k8s.io/legacy-token"
LAST_USED = "kubernetes.io/legacy-token-last-used"
INVALID_SINCE = "kubernetes.io/legacy-token-invalid-since"

Claims = dict[str, Any]


class InvalidToken(Exception):
    """A token that is not good here; the text, if any, is what a TokenReview shows."""


def create_token_key() -> str:
    """Make the key that a cluster signs its tokens with."""
    return key_pem(ec.generate_private_key(ec.SECP256R1()))


class ServiceAccountTokens:
    """Signs and verifies the service account tokens of one cluster."""

    def __init__(
        self,
        key: str,
        objects: Objects,
        clock: Clock,
        issuers: Sequence[str] = (ISSUER,),
        audiences: Sequence[str] = (),
    ) -> None:
        """`issuers`: the first one signs, and tokens of all are good; they are also for whom
        tokens of the API have to be, unless there are `audiences`.
        """
        loaded = serialization.load_pem_private_key(key.encode(), password=None)
        if not isinstance(loaded, ec.EllipticCurvePrivateKey):
            raise TypeError("a token key is an EC key")
        self.clock = clock
        self.issuer, self._issuers = issuers[0], frozenset((*issuers, LEGACY_ISSUER))
        self.audiences = tuple(audiences or issuers)
        # Told of each use of an everlasting token, with its Secret and the day.
        self.on_legacy_use: Callable[[Obj, str], None] | None = None
        self._key = loaded
        self._public = loaded.public_key()
        self._objects = objects
        self._verified: dict[str, Claims] = {}
        spki = self._public.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.key_id = _base64url(hashlib.sha256(spki).digest())

    # -- signing --------------------------------------------------------------------------------

    def sign(self, claims: Claims) -> str:
        """Return the claims as a signed JWT."""
        return jwt.encode(claims, self._key, ALGORITHM, headers={"kid": self.key_id})

    def issue(
        self,
        service_account: Mapping[str, Any],
        audiences: Sequence[str],
        seconds: int,
        bound: Mapping[str, Any] | None = None,
        warn_after: int = 0,
        jti: str = "",
    ) -> str:
        """Return a new token. `bound` has the claims of what it is bound to: pod, node, secret."""
        metadata = service_account["metadata"]
        now = int(self.clock.seconds())
        private: Claims = {
            "namespace": metadata["namespace"],
            "serviceaccount": reference(service_account),
            **(bound or {}),
        }
        if warn_after:
            private["warnafter"] = now + warn_after
        return self.sign(
            {
                "aud": list(audiences),
                "exp": now + seconds,
                "iat": now,
                "iss": self.issuer,
                "jti": jti or str(uuid.uuid4()),
                "kubernetes.io": private,
                "nbf": now,
                "sub": service_account_user(metadata["namespace"], metadata["name"]),
            }
        )

    def issue_legacy(self, service_account: Mapping[str, Any], secret_name: str) -> str:
        """Return the everlasting token of a Secret of type kubernetes.io/service-account-token."""
        metadata = service_account["metadata"]
        return self.sign(
            {
                "iss": LEGACY_ISSUER,
                f"{_LEGACY}namespace": metadata["namespace"],
                f"{_LEGACY}secret.name": secret_name,
                f"{_LEGACY}service-account.name": metadata["name"],
                f"{_LEGACY}service-account.uid": metadata["uid"],
                "sub": service_account_user(metadata["namespace"], metadata["name"]),
            }
        )

    # -- verifying ------------------------------------------------------------------------------

    def verify(
        self, token: str, audiences: Sequence[str], remarks: Remarks
    ) -> tuple[User, tuple[str, ...]]:
        """Return whose token it is, and for which of the audiences. Raises InvalidToken."""
        claims = self._verified.get(token)
        if claims is None:
            claims = self._signed_claims(token)
            if len(self._verified) >= MAX_VERIFIED:
                self._verified.clear()
            self._verified[token] = claims
        if claims["iss"] == LEGACY_ISSUER:
            return self._legacy_user(token, claims, remarks), tuple(
                each for each in audiences if each in self.audiences
            )
        named = claims.get("aud") or []
        named = [named] if isinstance(named, str) else named
        common = tuple(each for each in named if each in audiences)
        if not common:
            raise InvalidToken(
                f"token audiences {go_strings(named)} is invalid for the target audiences "
                f"{go_strings(audiences)}"
            )
        self._check_times(claims)
        user = self._bound_user(claims)
        self._note_age(claims, remarks)
        return user, common

    def _signed_claims(self, token: str) -> Claims:
        try:
            claims: Claims = jwt.decode(
                token,
                self._public,
                algorithms=[ALGORITHM],
                # Times are judged by the cluster's clock, audiences by what is asked.
                options={
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                    "verify_aud": False,
                },
            )
        except jwt.InvalidSignatureError as error:
            why = "go-jose/go-jose: error in cryptographic primitive"
            raise InvalidToken(why) from error
        except jwt.PyJWTError as error:
            raise InvalidToken from error
        if claims.get("iss") not in self._issuers:
            raise InvalidToken
        return claims

    def _check_times(self, claims: Claims) -> None:
        now = self.clock.seconds()
        if now - LEEWAY > claims.get("exp", 0):
            raise InvalidToken("service account token has expired")
        if now + LEEWAY < claims.get("nbf", 0):
            raise InvalidToken("service account token is not valid yet")

    def _bound_user(self, claims: Claims) -> User:
        private: Claims = claims.get("kubernetes.io") or {}
        namespace, account = private.get("namespace", ""), private.get("serviceaccount") or {}
        self._check_account(namespace, account)
        self._check_bound("secrets", namespace, private.get("secret"))
        self._check_bound("pods", namespace, private.get("pod"))
        if not private.get("pod"):
            self._check_bound("nodes", "", private.get("node"))
        extra: dict[str, tuple[str, ...]] = {}
        if claims.get("jti"):
            extra[CREDENTIAL_ID] = (f"JTI={claims['jti']}",)
        for kind in ("node", "pod"):
            if bound := private.get(kind):
                extra[f"{_EXTRA}{kind}-name"] = (bound["name"],)
                if bound.get("uid"):
                    extra[f"{_EXTRA}{kind}-uid"] = (bound["uid"],)
        return _user(namespace, account.get("name", ""), account.get("uid", ""), extra)

    def _check_account(self, namespace: str, account: Mapping[str, str]) -> None:
        name = account.get("name", "")
        entry = self._objects.get(Key("serviceaccounts", namespace, name))
        if entry is None:
            raise InvalidToken(f'serviceaccounts "{name}" not found')
        if self._gone(entry):
            raise InvalidToken(f"service account {namespace}/{name} has been deleted")
        if entry.uid != account.get("uid"):
            raise InvalidToken(
                f"service account UID ({entry.uid}) does not match claim ({account.get('uid', '')})"
            )

    def _check_bound(self, resource: str, namespace: str, bound: Mapping[str, str] | None) -> None:
        if not bound:
            return
        entry = self._objects.get(Key(resource, namespace, bound.get("name", "")))
        if entry is None or self._gone(entry):
            raise InvalidToken("service account token has been invalidated")
        if entry.uid != bound.get("uid"):
            raise InvalidToken(
                f"{resource[:-1]} UID ({entry.uid}) does not match service account "
                f"{resource[:-1]} ref claim ({bound.get('uid', '')})"
            )

    def _gone(self, entry: Entry) -> bool:
        if b'"deletionTimestamp"' not in entry.raw:
            return False
        obj = entry.obj()
        if not is_deleting(obj):
            return False
        deleted = parse_time(obj["metadata"]["deletionTimestamp"]).timestamp()
        return deleted < self.clock.seconds() - LEEWAY

    def _note_age(self, claims: Claims, remarks: Remarks) -> None:
        """A token whose life was extended is on its way out once it is older than asked for."""
        warn_after = (claims.get("kubernetes.io") or {}).get("warnafter")
        now = int(self.clock.seconds())
        if warn_after and now > warn_after:
            remarks.annotations["authentication.k8s.io/stale-token"] = (
                f"subject: {claims.get('sub', '')}, "
                f"seconds after warning threshold: {now - warn_after}"
            )

    def _legacy_user(self, token: str, claims: Claims, remarks: Remarks) -> User:
        namespace = claims.get(f"{_LEGACY}namespace", "")
        name = claims.get(f"{_LEGACY}service-account.name", "")
        uid = claims.get(f"{_LEGACY}service-account.uid", "")
        secret_name = claims.get(f"{_LEGACY}secret.name", "")
        secret = self._objects.get(Key("secrets", namespace, secret_name))
        data = (secret.obj().get("data") or {}) if secret is not None else {}
        known = str(data.get("token") or "").encode()
        if not hmac.compare_digest(known, base64.b64encode(token.encode())):
            raise InvalidToken("service account token has been invalidated")
        self._check_account(namespace, {"name": name, "uid": uid})
        if secret is not None:
            account = self._objects.get(Key("serviceaccounts", namespace, name))
            self._note_legacy(secret.obj(), account.obj() if account else {}, remarks)
        return _user(namespace, name, uid, {})

    def _note_legacy(self, secret: Obj, account: Obj, remarks: Remarks) -> None:
        """Keep track of everlasting tokens. Raises InvalidToken for one that is marked invalid."""
        metadata = secret["metadata"]
        labels = metadata.get("labels") or {}
        where = f"{metadata['namespace']}/{metadata['name']}"
        now = self.clock.now()
        days = (now.strftime("%Y-%m-%d"), (now + timedelta(days=1)).strftime("%Y-%m-%d"))
        if self.on_legacy_use is not None and labels.get(LAST_USED) not in days:
            self.on_legacy_use(secret, days[0])
        notes = remarks.annotations
        if labels.get(INVALID_SINCE):
            notes[f"{_LEGACY_NOTE}-invalidated"] = f"{metadata['name']}/{metadata['namespace']}"
            raise InvalidToken(
                f"the token in secret {where} for service account "
                f"{metadata['namespace']}/{account['metadata']['name']} has been marked invalid. "
                "Use tokens from the TokenRequest API or manually created secret-based tokens, or "
                f"remove the '{INVALID_SINCE}' label from the secret to temporarily allow use of "
                "this token"
            )
        if any(each.get("name") == metadata["name"] for each in account.get("secrets") or ()):
            remarks.warnings.append(
                "Use tokens from the TokenRequest API or manually created secret-based tokens "
                "instead of auto-generated secret-based tokens."
            )
            notes[f"{_LEGACY_NOTE}-autogenerated-secret"] = metadata["name"]
        else:
            notes[f"{_LEGACY_NOTE}-manual-secret"] = metadata["name"]

    # -- what others verify with ----------------------------------------------------------------

    def jwks(self) -> Obj:
        """Return /openid/v1/jwks: the public key."""
        numbers = self._public.public_numbers()
        point = {"x": numbers.x, "y": numbers.y}
        key: Obj = {"use": "sig", "kty": "EC", "kid": self.key_id, "crv": "P-256"}
        key["alg"] = ALGORITHM
        key |= {axis: _base64url(value.to_bytes(32, "big")) for axis, value in point.items()}
        return {"keys": [key]}


def openid_configuration(issuer: str, jwks_uri: str) -> Obj:
    """Return /.well-known/openid-configuration."""
    return {
        "issuer": issuer,
        "jwks_uri": jwks_uri,
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
    }


def reference(obj: Mapping[str, Any]) -> dict[str, str]:
    """Return an object's name and uid as claims carry them."""
    return {"name": obj["metadata"]["name"], "uid": obj["metadata"]["uid"]}


def _user(namespace: str, name: str, uid: str, extra: dict[str, tuple[str, ...]]) -> User:
    groups = service_account_groups(namespace)
    return User(service_account_user(namespace, name), groups, uid, extra)


def go_strings(values: Sequence[str]) -> str:
    """Print strings as Go's %q does a slice of them."""
    return "[" + " ".join(map(quote, values)) + "]"


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
