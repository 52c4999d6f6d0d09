"""CertificateSigningRequests: somebody asks for a certificate, one approves, another signs."""

from __future__ import annotations

from collections.abc import Callable

from apimachinery.duration import human_duration
from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.validation.field import (
    FieldErrors,
    Path,
    duplicate,
    forbidden,
    invalid,
    not_supported,
    repeats,
    required,
    show,
    too_long,
)
from apimachinery.validation.names import is_dns1123_label, is_dns1123_subdomain, is_path_segment
from apiserver.registry.certificates.pem import why_no_certificate, why_no_request
from apiserver.registry.podspec.checks import one_of_required
from apiserver.registry.podspec.godiff import diff_lists
from apiserver.registry.resource import Column, Resource, Subresource
from apiserver.registry.strategy import MetadataCheck, StatusStrategy, Strategy, StrategyContext
from apiserver.registry.table import AGE, NAME, dig, field

_SPEC, _CONDITIONS = Path("spec"), Path("status") / "conditions"
_CONDITION = "io.k8s.api.certificates.v1.CertificateSigningRequestCondition"
_DECISIONS = ("Approved", "Denied")
_LASTING = (*_DECISIONS, "Failed")
_STATUSES = ("False", "True", "Unknown")
_LEAST_SECONDS = 600
_LONGEST_DOMAIN = 253
_LEAST_LABELS = 2
_LONGEST_SIGNER = 571  # a domain, a slash, a subdomain, a dot and a label: 253 + 1 + 253 + 1 + 63
_METADATA_CHECKS = (MetadataCheck.WHOLE, MetadataCheck.CHANGES)
_LEGACY_SIGNER = "kubernetes.io/legacy-unknown"
_USAGES = (
    "any",
    "cert sign",
    "client auth",
    "code signing",
    "content commitment",
    "crl sign",
    "data encipherment",
    "decipher only",
    "digital signature",
    "email protection",
    "encipher only",
    "ipsec end system",
    "ipsec tunnel",
    "ipsec user",
    "key agreement",
    "key encipherment",
    "microsoft sgc",
    "netscape sgc",
    "ocsp signing",
    "s/mime",
    "server auth",
    "signing",
    "timestamping",
)


class CertificateSigningRequestStrategy(Strategy):
    """Who asks is written down by the server, and nothing of a request changes."""

    name_rule = staticmethod(is_path_segment)
    metadata_checks = _METADATA_CHECKS

    def prepare_for_create(self, obj: Obj, ctx: StrategyContext) -> None:
        spec = obj.setdefault("spec", {})
        for name in ("username", "uid", "groups", "extra"):
            spec.pop(name, None)
        spec.update({key: value for key, value in ctx.user_info.items() if value})
        obj["status"] = {}

    def prepare_for_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> None:
        new["spec"], new["status"] = old["spec"], old.get("status") or {}

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from _request_errors(obj)

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from _update_errors(new, old)


def _request_errors(obj: Obj) -> FieldErrors:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    if (why := why_no_request(spec.get("request") or "")) is not None:
        yield invalid(_SPEC / "request", spec.get("request") or "", why)
    usages, path = spec.get("usages") or (), _SPEC / "usages"
    if not usages:
        yield required(path)
    for at, usage in enumerate(usages):
        if usage not in _USAGES:
            yield not_supported(path[at], usage, _USAGES)
    again = repeats(usages)
    for at, usage in enumerate(usages):
        if at in again:
            yield duplicate(path[at], usage)
    yield from _signer_errors(spec.get("signerName") or "", _SPEC / "signerName")
    seconds = spec.get("expirationSeconds")
    if seconds is not None and seconds < _LEAST_SECONDS:
        why = f"may not specify a duration less than {_LEAST_SECONDS} seconds (10 minutes)"
        yield invalid(_SPEC / "expirationSeconds", seconds, why)
    yield from _condition_errors(status.get("conditions") or ())


def _signer_errors(name: str, path: Path) -> FieldErrors:
    if not name:
        yield required(path)
        return
    if name == _LEGACY_SIGNER:
        yield invalid(path, name, "the legacy signerName is not allowed via this API version")
        return
    domain, _, rest = name.partition("/")
    if name.count("/") != 1:
        why = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
        yield invalid(path, name, why)
        return
    if len(domain) > _LONGEST_DOMAIN:
        yield too_long(path, domain, _LONGEST_DOMAIN)
    yield from _first_label_errors(domain, is_dns1123_label, path)
    if domain.count(".") < _LEAST_LABELS - 1:
        why = "should be a domain with at least two segments separated by dots"
        yield invalid(path, domain, why)
    yield from _first_label_errors(rest, is_dns1123_subdomain, path)
    if len(name) > _LONGEST_SIGNER:
        yield too_long(path, name, _LONGEST_SIGNER)


def _first_label_errors(part: str, rule: Callable[[str], list[str]], path: Path) -> FieldErrors:
    """Yield what is wrong with the first wrong label; of others the same would be said."""
    label = next((each for each in part.split(".") if rule(each)), None)
    for message in () if label is None else rule(label):
        yield invalid(path, part, f"validating label {show(label)}: {message}")


def _condition_errors(conditions: list[Obj] | tuple[Obj, ...]) -> FieldErrors:
    seen: set[str] = set()
    for at, condition in enumerate(conditions):
        kind, path = condition.get("type") or "", _CONDITIONS[at]
        if not kind:
            yield required(path / "type")
        allowed = ("True",) if kind in _LASTING else _STATUSES
        yield from one_of_required(condition.get("status") or "", allowed, path / "status")
        if kind in _DECISIONS and seen & (set(_DECISIONS) - {kind}):
            why = "Approved and Denied conditions are mutually exclusive"
            yield invalid(_CONDITIONS, kind, why)
        if kind in seen:
            yield duplicate(path / "type", kind)
        seen.add(kind)


def _of_type(obj: Obj, kind: str) -> list[Obj]:
    conditions = dig(obj, ("status", "conditions")) or ()
    return [one for one in conditions if one.get("type") == kind]


def _update_errors(
    new: Obj, old: Obj, *, decides: bool = False, signs: bool = False
) -> FieldErrors:
    yield from _request_errors(new)
    issued = dig(new, ("status", "certificate")) or ""
    before = dig(old, ("status", "certificate")) or ""
    path = Path("status") / "certificate"
    if issued != before and (why := why_no_certificate(issued)) is not None:
        yield invalid(path, "<certificate data>", why)
    for kind in _LASTING:
        if len(_of_type(new, kind)) < len(_of_type(old, kind)):
            yield forbidden(_CONDITIONS, f'updates may not remove a condition of type "{kind}"')
    for kind in () if decides else _DECISIONS:
        after, was = _of_type(new, kind), _of_type(old, kind)
        if len(after) > len(was):
            yield forbidden(_CONDITIONS, f'updates may not add a condition of type "{kind}"')
        elif len(after) == len(was) and after != was:
            changes = diff_lists(_CONDITION, was, after)
            why = f'updates may not modify a condition of type "{kind}"\n{changes}'
            yield forbidden(_CONDITIONS, why)
    if issued != before and not signs:
        yield forbidden(path, "updates may not set certificate content")
    elif issued != before and before:
        yield forbidden(path, "updates may not modify existing certificate content")


class CertificateSigningRequestStatusStrategy(StatusStrategy):
    """The signer writes the certificate, or that it failed."""

    metadata_checks = _METADATA_CHECKS
    decides = False
    signs = True

    def prepare_for_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> None:
        super().prepare_for_update(new, old, ctx)
        conditions = (new.get("status") or {}).get("conditions") or ()
        for condition in conditions:
            _stamp(condition, old, ctx)

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from _update_errors(new, old, decides=self.decides, signs=self.signs)


def _stamp(condition: Obj, old: Obj, ctx: StrategyContext) -> None:
    """Write down when a condition was told, and since when it is so."""
    if not condition.get("lastUpdateTime"):
        condition["lastUpdateTime"] = ctx.clock.timestamp()
    if condition.get("lastTransitionTime"):
        return
    for before in _of_type(old, condition.get("type") or ""):
        same = before.get("status") == condition.get("status")
        if same and before.get("lastTransitionTime"):
            condition["lastTransitionTime"] = before["lastTransitionTime"]
            return
    condition["lastTransitionTime"] = ctx.clock.timestamp()


class CertificateSigningRequestApprovalStrategy(CertificateSigningRequestStatusStrategy):
    """Whoever approves or denies writes conditions alone."""

    decides = True
    signs = False

    def prepare_for_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> None:
        super().prepare_for_update(new, old, ctx)
        conditions = (new.get("status") or {}).get("conditions")
        kept = {k: v for k, v in (old.get("status") or {}).items() if k != "conditions"}
        new["status"] = kept | ({"conditions": conditions} if conditions else {})


def _duration(obj: Obj, now: float) -> str:
    seconds = dig(obj, ("spec", "expirationSeconds"))
    return "<none>" if seconds is None else human_duration(seconds)


def _state(obj: Obj, now: float) -> str:
    if _of_type(obj, "Denied"):
        state = "Denied"
    else:
        state = "Approved" if _of_type(obj, "Approved") else "Pending"
    if _of_type(obj, "Failed"):
        state += ",Failed"
    return f"{state},Issued" if dig(obj, ("status", "certificate")) else state


def _signer(obj: Obj) -> str:
    return str(dig(obj, ("spec", "signerName")) or "")


_STRATEGY = CertificateSigningRequestStrategy()
CERTIFICATESIGNINGREQUESTS = Resource(
    kind=GroupVersionKind("certificates.k8s.io", "v1", "CertificateSigningRequest"),
    plural="certificatesigningrequests",
    singular="certificatesigningrequest",
    namespaced=False,
    short=("csr",),
    strategy=_STRATEGY,
    subresources={
        "approval": Subresource(strategy=CertificateSigningRequestApprovalStrategy(_STRATEGY)),
        "status": Subresource(strategy=CertificateSigningRequestStatusStrategy(_STRATEGY)),
    },
    selectable={"spec.signerName": _signer},
    columns=(
        NAME,
        AGE,
        Column("SignerName", field("spec.signerName")),
        Column("Requestor", field("spec.username")),
        Column("RequestedDuration", _duration),
        Column("Condition", _state),
    ),
)
