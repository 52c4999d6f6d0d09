"""From the operator's flags to who is known and who may do what, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from apimachinery.validation.field import Path as FieldPath
from apiserver.auth.abac import Policy, read_policies
from apiserver.auth.cluster import MODES
from apiserver.auth.oidc.configuration import read_authentication, url_errors
from apiserver.auth.oidc.issuer import ALGORITHMS, Attribute, Issuer, Rule
from apiserver.auth.oidc.verifier import IssuerVerifier
from apiserver.auth.options import AuthOptions
from apiserver.auth.static_tokens import read_static_tokens
from playground.flags import DEFAULTS, Flags

_HOUR, _LONGEST = 3600.0, float(1 << 32)


def auth_options(flags: Flags) -> AuthOptions:
    """Return what the flags say. Raises ValueError for a file that is not right."""
    anonymous, paths = flags.anonymous_auth, tuple[str, ...]()
    issuers: Sequence[Issuer] = ()
    if flags.authentication_config:
        found = read_authentication(flags.authentication_config)
        issuers = found.issuers
        if found.anonymous is not None:
            if flags.anonymous_auth != DEFAULTS.anonymous_auth:
                raise ValueError(
                    "--anonymous-auth flag cannot be set when anonymous field is configured in "
                    "authentication configuration file"
                )
            anonymous, paths = found.anonymous, tuple(found.anonymous_paths)
    elif flags.oidc_issuer_url and flags.oidc_client_id:
        issuers = [_issuer(flags)]
    policies: tuple[Policy, ...] = ()
    if flags.authorization_policy_file:
        policies = read_policies(flags.authorization_policy_file)
    return AuthOptions(
        anonymous=anonymous,
        anonymous_paths=paths,
        static_tokens=read_static_tokens(flags.token_auth_file) if flags.token_auth_file else {},
        issuers=[IssuerVerifier(each) for each in issuers],
        service_account_issuers=flags.service_account_issuer,
        api_audiences=flags.api_audiences,
        jwks_uri=flags.service_account_jwks_uri,
        extend_tokens=flags.service_account_extend_token_expiration,
        longest_token=flags.service_account_max_token_expiration,
        modes=flags.authorization_mode,
        policies=policies,
    )


def _issuer(flags: Flags) -> Issuer:
    """Return the issuer of the --oidc flags."""
    claim, prefix = flags.oidc_username_claim, flags.oidc_username_prefix
    if not prefix and claim != "email":
        prefix = f"{flags.oidc_issuer_url}#"
    ca = ""
    if flags.oidc_ca_file:
        try:
            ca = Path(flags.oidc_ca_file).read_text()
        except OSError as error:
            raise ValueError(f"failed to read the CA file: {error}") from error
    return Issuer(
        url=flags.oidc_issuer_url,
        audiences=(flags.oidc_client_id,),
        username=Attribute(claim, "" if prefix == "-" else prefix),
        groups=Attribute(flags.oidc_groups_claim, flags.oidc_groups_prefix),
        claim_rules=[Rule(claim=key, required=value) for key, value in flags.oidc_required_claim],
        ca=ca,
        algorithms=flags.oidc_signing_algs,
    )


def authentication_problems(flags: Flags) -> Iterator[str]:
    """Yield what kube-apiserver would say of the flags of authentication."""
    given = [
        name
        for name in Flags.__dataclass_fields__
        if name.startswith("oidc_") and getattr(flags, name) != getattr(DEFAULTS, name)
    ]
    if given and not (flags.oidc_issuer_url and flags.oidc_client_id):
        yield (
            "oidc-issuer-url and oidc-client-id must be specified together when any oidc-* flags "
            "are set"
        )
    if given and flags.authentication_config:
        yield "authentication-config file and oidc-* flags are mutually exclusive"
    if flags.oidc_issuer_url:
        place = FieldPath("oidc-issuer-url")
        yield from map(str, url_errors(flags.oidc_issuer_url, place))
    for algorithm in flags.oidc_signing_algs:
        if algorithm not in ALGORITHMS:
            yield f'oidc: unsupported signing alg: "{algorithm}"'
    yield from _token_problems(flags)


def _token_problems(flags: Flags) -> Iterator[str]:
    if not all(flags.service_account_issuer) or not flags.service_account_issuer:
        yield "service-account-issuer is a required flag"
    longest = flags.service_account_max_token_expiration
    if longest and not _HOUR <= longest <= _LONGEST:
        yield "the service-account-max-token-expiration must be between 1 hour and 2^32 seconds"
    if flags.service_account_jwks_uri and not flags.service_account_jwks_uri.startswith("https://"):
        yield "service-account-jwks-uri requires https scheme"


def authorization_problems(flags: Flags) -> Iterator[str]:
    """Yield what kube-apiserver would say of the flags of authorization."""
    modes = flags.authorization_mode
    if not modes:
        yield "at least one authorization-mode must be passed"
    for mode in dict.fromkeys(modes):
        if mode not in MODES:
            yield f'authorization-mode "{mode}" is not a valid mode'
        if modes.count(mode) > 1:
            yield f'authorization-mode "{mode}" has mode specified more than once'
    if "ABAC" in modes and not flags.authorization_policy_file:
        yield "authorization-mode ABAC's authorization policy file not passed"
    if "ABAC" not in modes and flags.authorization_policy_file:
        yield "cannot specify --authorization-policy-file without mode ABAC"
