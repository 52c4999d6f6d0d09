"""Tokens of an issuer outside: a real one, over HTTPS, with a CA and keys of its own."""

from __future__ import annotations

import asyncio
import time

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from apimachinery.clock import ManualClock
from apimachinery.errors import Unauthorized
from apiserver.auth.authentication import TokenRefused, TokenUser
from apiserver.auth.oidc.issuer import Attribute, Issuer, Rule
from apiserver.auth.oidc.keys import PAUSE, IssuerKeys
from apiserver.auth.oidc.verifier import IssuerVerifier
from apiserver.auth.options import AuthOptions
from apiserver.auth.user import User
from tests.apiserver.auth.fakes import FakeCluster, new_auth, plain
from tests.support.issuer import DISCOVERY, TestIssuer

API = "https://kubernetes.default.svc.cluster.local"


@pytest.fixture(scope="module")
def issuer(tmp_path_factory):
    with TestIssuer(tmp_path_factory.mktemp("issuer")).serving() as running:
        yield running


class Site:
    """A cluster that trusts the issuer."""

    def __init__(self, issuer, ca=None, **more):
        settings = {"username": Attribute("sub", "oidc:"), "audiences": ("shop",), **more}
        known = Issuer(url=issuer.url, ca=issuer.ca if ca is None else ca, **settings)
        self.cluster, self.clock = FakeCluster(), ManualClock(time.time())
        keys = IssuerKeys(known, self.clock.seconds)
        options = AuthOptions(issuers=[IssuerVerifier(known, keys)])
        self.auth = new_auth(self.cluster, self.clock, options=options)

    async def user(self, token):
        found = self.auth.authenticate({"authorization": f"Bearer {token}"})
        return found if isinstance(found, User) else await found

    async def refusal(self, token):
        with pytest.raises(TokenRefused) as refused:
            await self.auth.token_user(token)
        return str(refused.value).removeprefix("[invalid bearer token, ").removesuffix("]")


async def test_a_token_names_user_and_groups(issuer):
    site = Site(issuer, groups=Attribute("groups", "oidc:"))
    token = issuer.token(groups=["devs", "ops"])
    user = await site.user(token)
    assert (user.name, user.groups) == (
        "oidc:ann",
        ("oidc:devs", "oidc:ops", "system:authenticated"),
    )
    # The second time there is nothing to wait for.
    known = site.auth.token_user(token)
    assert isinstance(known, TokenUser)
    assert known.audiences == (API,)
    one = await site.user(issuer.token(groups="devs"))
    assert one.groups == ("oidc:devs", "system:authenticated")


async def test_keys_are_fetched_once_and_again_when_they_change(issuer):
    site = Site(issuer)
    issuer.asked.clear()
    await asyncio.gather(*(site.user(issuer.token(n=n)) for n in range(5)))
    assert issuer.asked == [DISCOVERY, "/keys"]
    issuer.rotate("two")
    # Nobody makes the server fetch faster than it wants to.
    assert await site.refusal(issuer.token()) == (
        "oidc: verify token: failed to verify signature: failed to verify id token signature"
    )
    assert issuer.asked == [DISCOVERY, "/keys"]
    site.clock.advance(PAUSE)
    assert (await site.user(issuer.token())).name == "oidc:ann"
    assert issuer.asked == [DISCOVERY, "/keys", "/keys"]


async def test_an_issuer_that_does_not_answer_is_asked_again(issuer):
    site = Site(issuer)
    issuer.broken = True
    try:
        assert "503 Service Unavailable" in await site.refusal(issuer.token())
    finally:
        issuer.broken = False
    assert await site.refusal(issuer.token()) == "oidc: authenticator not initialized"
    site.clock.advance(PAUSE)
    assert (await site.user(issuer.token())).name == "oidc:ann"


async def test_an_issuer_of_another_ca_is_not_believed(issuer):
    with pytest.raises(Unauthorized):
        await Site(issuer, ca="").user(issuer.token())


HOUR = 3600


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"aud": "other"}, 'oidc: verify token: oidc: expected audience in ["shop"] got ["other"]'),
        ({"exp": 0}, "oidc: token is expired (Token Expiry: 1970-01-01 00:00:00 +0000 UTC)"),
        ({"exp": -1e30}, "oidc: token is expired (Token Expiry: -1e+30)"),
        ({"nbf": 1e30}, "before the nbf (not before) time: 1e+30"),
        ({"nbf": 2**33}, "before the nbf (not before) time: 2242-03-16 12:56:32 +0000 UTC"),
        ({"sub": None}, 'oidc: parse username claims "sub": claim not present'),
        (
            {"sub": 7},
            (
                'oidc: parse username claims "sub": json: cannot unmarshal number into Go value of '
                "type string"
            ),
        ),
    ],
)
async def test_what_is_wrong_with_a_token_is_said(issuer, claims, words):
    assert words in await Site(issuer).refusal(issuer.token(**claims))


async def test_a_signature_must_be_of_the_issuer_s_key(issuer):
    forged = issuer.token(key=rsa.generate_private_key(65537, 2048))
    assert await Site(issuer).refusal(forged) == (
        "oidc: verify token: failed to verify signature: failed to verify id token signature"
    )
    only = Site(issuer, algorithms=("PS512",))
    assert 'id token signed with unsupported algorithm, expected ["PS512"] got "' in (
        await only.refusal(issuer.token())
    )


async def test_a_known_token_expires_all_the_same(issuer):
    site = Site(issuer)
    token = issuer.token(exp=int(time.time()) + 60)
    assert (await site.user(token)).name == "oidc:ann"
    site.clock.advance(61)
    assert "oidc: token is expired" in await site.refusal(token)


async def test_an_address_must_be_verified_where_the_token_says_so(issuer):
    site = Site(issuer, username=Attribute("email"))
    assert (await site.user(issuer.token(email="ann@shop.example"))).name == "ann@shop.example"
    mail = {"email": "ann@shop.example", "email_verified": False}
    assert await site.refusal(issuer.token(**mail)) == "oidc: email not verified"


async def test_claims_may_be_required(issuer):
    site = Site(issuer, claim_rules=[Rule(claim="hd", required="shop.example")])
    assert (await site.user(issuer.token(hd="shop.example"))).name == "oidc:ann"
    assert await site.refusal(issuer.token()) == ("oidc: required claim hd not present in ID token")
    assert await site.refusal(issuer.token(hd="x")) == (
        "oidc: required claim hd value does not match. Got = x, want = shop.example"
    )


async def test_expressions_map_and_judge(issuer):
    site = Site(
        issuer,
        username=Attribute(expression="claims.sub + '@' + claims.org"),
        groups=Attribute(expression="claims.roles.split(',')"),
        uid=Attribute(expression="string(claims.number)"),
        extra={"shop.example/level": "claims.?level.orValue('')"},
        claim_rules=[Rule(expression="claims.exp - claims.iat <= 86400", message="too long")],
        user_rules=[
            Rule(expression="!user.username.startsWith('system:')", message="reserved"),
            Rule(expression="user.groups.all(g, g != 'root')", message="no root"),
        ],
    )
    token = issuer.token(org="shop", roles="a,b,", number=7, level="gold")
    user = await site.user(token)
    assert (user.name, user.groups) == ("ann@shop", ("a", "b", "system:authenticated"))
    assert (user.uid, user.extra) == ("7", {"shop.example/level": ("gold",)})
    plain_user = await site.user(issuer.token(org="shop", roles="", number=7))
    assert plain_user.extra == {}
    told = await site.refusal(issuer.token(org="shop", roles="root", number=7))
    assert told == (
        "oidc: error evaluating user info validation rule: validation expression "
        "'user.groups.all(g, g != 'root')' failed: no root"
    )
    told = await site.refusal(issuer.token(sub="system:x", org="y", roles="", number=7))
    assert told.endswith("failed: reserved")
    assert (await site.refusal(issuer.token(org="shop"))).startswith(
        "oidc: error evaluating group claim expression: expression 'claims.roles.split(',')' "
        "resulted in error: "
    )


async def test_tokens_of_the_cluster_are_none_of_the_issuer_s(issuer):
    site = Site(issuer)
    account = site.cluster.put(plain("ServiceAccount", "ns", "robot"))
    issuer.asked.clear()
    own = site.auth.tokens.issue(account, [API], HOUR)
    assert (await site.user(own)).name == "system:serviceaccount:ns:robot"
    assert issuer.asked == []
