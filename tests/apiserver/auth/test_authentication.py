"""Who asks: each kind of credential, what is refused, and that clusters keep to themselves."""

from __future__ import annotations

import base64

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from apimachinery.clock import ManualClock
from apimachinery.errors import Unauthorized
from apiserver.auth.authentication import TokenRefused, admin_token
from apiserver.auth.cluster import ClusterAuth, create_credentials
from apiserver.auth.kubeconfig import kubeconfig
from apiserver.auth.pki import (
    CertificateAuthority,
    create_authority,
    issue_client_certificate,
    issue_serving_certificate,
)
from tests.apiserver.auth.fakes import FakeCluster, new_auth, plain

DAY = 24 * 3600


def der(issued):
    certificate = x509.load_pem_x509_certificate(issued.certificate.encode())
    return certificate.public_bytes(serialization.Encoding.DER)


class Site:
    """A cluster with its CA at hand."""

    def __init__(self, uid="c1"):
        self.clock = ManualClock()
        self.cluster = FakeCluster()
        keys = create_credentials(uid, self.clock)
        self.ca = CertificateAuthority(keys.ca_certificate, keys.ca_key)
        tokens = admin_token("secret-token")
        self.auth = ClusterAuth(keys, self.cluster, self.clock, tokens)
        self.account = self.cluster.put(plain("ServiceAccount", "ns", "robot"))

    def certificate(self, name="ann", groups=("devs",), days=1.0):
        return der(issue_client_certificate(self.ca, name, groups, self.clock, days))

    def bearer(self, token):
        return self.auth.authenticate({"authorization": f"Bearer {token}"}, None)

    def token(self, seconds=3600, **bound):
        return self.auth.tokens.issue(self.account, ["x", ISSUER], seconds, bound)


ISSUER = "https://kubernetes.default.svc.cluster.local"


def test_certificate_names_user_and_groups():
    site = Site()

    user = site.auth.authenticate({}, [site.certificate("ann", ("devs", "ops"))])

    assert (user.name, user.groups) == ("ann", ("devs", "ops", "system:authenticated"))
    (credential,) = user.extra["authentication.kubernetes.io/credential-id"]
    assert credential.startswith("X509SHA256=")


def test_certificate_of_another_cluster_is_refused():
    here, there = Site("c1"), Site("c2")
    certificate = there.certificate()
    assert there.auth.authenticate({}, [certificate]).name == "ann"

    with pytest.raises(Unauthorized):
        here.auth.authenticate({}, [certificate])


def test_ca_of_the_same_name_is_not_enough():
    here, twin = Site("c1"), Site("c1")

    with pytest.raises(Unauthorized):
        here.auth.authenticate({}, [twin.certificate()])


def test_certificate_ends():
    site = Site()
    certificate = site.certificate(days=1)
    site.auth.authenticate({}, [certificate])

    site.clock.advance(DAY + 1)

    with pytest.raises(Unauthorized):
        site.auth.authenticate({}, [certificate])


def test_serving_certificate_is_no_client():
    site = Site()
    serving = der(issue_serving_certificate(site.ca, site.clock))

    with pytest.raises(Unauthorized):
        site.auth.authenticate({}, [serving])


def test_certificate_without_a_name_is_nobody():
    site = Site()

    assert site.auth.authenticate({}, [site.certificate("")]).name == "system:anonymous"


@pytest.mark.parametrize("broken", [b"", b"not a certificate"])
def test_broken_certificate(broken):
    with pytest.raises(Unauthorized):
        Site().auth.authenticate({}, [broken])


def test_serving_names():
    clock = ManualClock()
    ca = create_authority("kubeground", clock)
    issued = issue_serving_certificate(
        CertificateAuthority(ca.certificate, ca.key), clock, "192.0.2.7", "host.example", ""
    )

    certificate = x509.load_pem_x509_certificate(issued.certificate.encode())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = [str(each) for each in names.get_values_for_type(x509.IPAddress)]
    assert addresses == ["127.0.0.1", "::1", "192.0.2.7", "10.96.0.1"]
    assert names.get_values_for_type(x509.DNSName) == [
        "localhost",
        "host.example",
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
    ]


def test_no_credentials_is_anonymous():
    user = Site().auth.authenticate({"accept": "*/*"})

    assert (user.name, user.groups) == ("system:anonymous", ("system:unauthenticated",))


def test_instance_token_is_a_master():
    user = Site().bearer("secret-token")

    assert user.name == "admin"
    assert user.groups == ("system:masters", "system:authenticated")
    assert user.uid


@pytest.mark.parametrize("token", ["nope", "a.b.c", "secret-token2", "abcdef.0123456789abcdef"])
def test_unknown_token(token):
    with pytest.raises(Unauthorized):
        Site().bearer(token)


def test_token_in_a_websocket_protocol():
    encoded = base64.urlsafe_b64encode(b"secret-token").decode().rstrip("=")
    protocols = f"v5.channel.k8s.io, base64url.bearer.authorization.k8s.io.{encoded}"

    user = Site().auth.authenticate({"sec-websocket-protocol": protocols})

    assert user.name == "admin"


def test_service_account_token():
    site = Site()
    site.cluster.put(plain("Pod", "ns", "p"))
    bound = {"pod": {"name": "p", "uid": "uid-p"}, "node": {"name": "n1", "uid": "uid-n1"}}

    user = site.bearer(site.token(**bound))

    assert user.name == "system:serviceaccount:ns:robot"
    assert user.uid == "uid-robot"
    assert user.groups == (
        "system:serviceaccounts",
        "system:serviceaccounts:ns",
        "system:authenticated",
    )
    extra = {key.rpartition("/")[2]: values for key, values in user.extra.items()}
    assert extra.pop("credential-id")[0].startswith("JTI=")
    assert extra == {
        "pod-name": ("p",),
        "pod-uid": ("uid-p",),
        "node-name": ("n1",),
        "node-uid": ("uid-n1",),
    }


def test_service_account_token_of_another_cluster_is_refused():
    here, there = Site("c1"), Site("c2")

    assert there.bearer(there.token()).name == "system:serviceaccount:ns:robot"
    with pytest.raises(Unauthorized):
        here.bearer(there.token())


def refusal(site, token, audiences=(ISSUER,)):
    with pytest.raises(TokenRefused) as caught:
        site.auth.token_user(token, audiences)
    return str(caught.value)


def test_token_ends_with_its_time():
    site = Site()
    token = site.token(seconds=600)
    site.bearer(token)

    site.clock.advance(600 + 61)

    assert refusal(site, token) == "[invalid bearer token, service account token has expired]"


def test_token_is_for_its_audiences():
    site = Site()
    token = site.token()

    assert site.auth.token_user(token, ("y", "x")).audiences == ("x",)
    assert refusal(site, token, ("y",)) == (
        f'[invalid bearer token, token audiences ["x" "{ISSUER}"] is invalid for the target '
        'audiences ["y"]]'
    )


def test_token_ends_with_what_it_is_bound_to():
    site = Site()
    site.cluster.put(plain("Pod", "ns", "p"))
    token = site.token(pod={"name": "p", "uid": "uid-p"})
    site.bearer(token)

    site.cluster.delete("pods", "ns", "p")
    assert "service account token has been invalidated" in refusal(site, token)
    again = plain("Pod", "ns", "p")
    again["metadata"]["uid"] = "new"
    site.cluster.put(again)
    assert "pod UID (new) does not match service account pod ref claim" in refusal(site, token)


def test_token_ends_with_its_service_account():
    site = Site()
    token = site.token()
    site.bearer(token)

    site.cluster.delete("serviceaccounts", "ns", "robot")

    assert refusal(site, token) == ('[invalid bearer token, serviceaccounts "robot" not found]')


def test_forged_signature_is_refused_though_the_claims_are_known():
    site = Site()
    head, claims, _ = site.token().split(".")
    _, _, other = site.token(seconds=601).split(".")

    assert "error in cryptographic primitive" in refusal(site, f"{head}.{claims}.{other}")


def test_legacy_token_lives_as_long_as_its_secret():
    site = Site()
    token = site.auth.tokens.issue_legacy(site.account, "robot-token")
    with pytest.raises(Unauthorized):
        site.bearer(token)

    data = {"token": base64.b64encode(token.encode()).decode()}
    site.cluster.put(plain("Secret", "ns", "robot-token", data=data))
    assert site.bearer(token).name == "system:serviceaccount:ns:robot"

    site.cluster.delete("secrets", "ns", "robot-token")
    with pytest.raises(Unauthorized):
        site.bearer(token)


def bootstrap_secret(**changes):
    values = {
        "token-id": "abcdef",
        "token-secret": "0123456789abcdef",
        "usage-bootstrap-authentication": "true",
        "auth-extra-groups": "system:bootstrappers:kubeadm",
    } | changes
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    name, kind = "bootstrap-token-abcdef", "bootstrap.kubernetes.io/token"
    return plain("Secret", "kube-system", name, type=kind, data=data)


@pytest.mark.parametrize(
    ("changes", "known"),
    [
        ({}, True),
        ({"token-secret": "another"}, False),
        ({"usage-bootstrap-authentication": "false"}, False),
        ({"expiration": "2020-01-01T00:00:00Z"}, False),
        ({"expiration": "2100-01-01T00:00:00Z"}, True),
        ({"auth-extra-groups": "system:masters"}, False),
    ],
)
def test_bootstrap_token(changes, known):
    site = Site()
    site.cluster.put(bootstrap_secret(**changes))

    if not known:
        with pytest.raises(Unauthorized):
            site.bearer("abcdef.0123456789abcdef")
        return
    user = site.bearer("abcdef.0123456789abcdef")
    assert user.name == "system:bootstrap:abcdef"
    assert user.groups == (
        "system:bootstrappers",
        "system:bootstrappers:kubeadm",
        "system:authenticated",
    )


def test_kubeconfig_of_a_certificate_and_of_a_token():
    site = Site()
    issued = issue_client_certificate(site.ca, "ann", [], site.clock)

    config = kubeconfig("https://h:6443/clusters/c1", site.ca.pem, "c1", "ann", issued)

    assert config["current-context"] == "ann@c1"
    user = config["users"][0]["user"]
    assert base64.b64decode(user["client-key-data"]).decode() == issued.key
    assert kubeconfig("https://h", "", "c1", "ann", "t")["users"][0]["user"] == {"token": "t"}


def test_published_keys_verify_tokens():
    jwt = pytest.importorskip("jwt")
    auth = new_auth()
    token = auth.tokens.sign({"iss": ISSUER, "sub": "x"})

    key = jwt.PyJWKSet.from_dict(auth.tokens.jwks()).keys[0]

    assert jwt.get_unverified_header(token)["kid"] == key.key_id
    assert jwt.decode(token, key.key, algorithms=["ES256"])["sub"] == "x"
