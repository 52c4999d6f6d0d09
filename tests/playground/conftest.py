"""A fake cluster worker on loopback, and the site's settings pointed at it."""

from __future__ import annotations

import pytest
from django.conf import settings as site

from playground.accounts.models import Role, User
from playground.instance import write_private
from playground.objects.discovery import CATALOG
from playground.sandboxes.gateway import gateway
from playground.terminal.client import shells
from tests.playground.fakecluster import ADMIN_TOKEN, Fake, served
from tests.playground.objects import small


@pytest.fixture(scope="session", autouse=True)
def no_shells(tmp_path_factory):
    """Nobody serves shells here, not even one whose socket `make run` left in this checkout."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(site, "SHELLS_SOCKET", str(tmp_path_factory.mktemp("shells") / "no.sock"))
        shells.cache_clear()
        yield
    shells.cache_clear()


@pytest.fixture(scope="session")
def serving():
    with served(Fake()) as running:
        yield running


@pytest.fixture
def worker(serving, settings, tmp_path):
    """A served fake that holds the cluster "demo" of the operator."""
    fake = serving.fake
    fake.down = False
    fake.requests.clear()
    small(fake.add("demo"))
    write_private(tmp_path / "admin.token", ADMIN_TOKEN)
    settings.DATA_DIR = tmp_path
    settings.API_URL = serving.url
    CATALOG.forget()
    gateway.cache_clear()
    yield serving
    gateway().close()
    gateway.cache_clear()
    for name in list(fake.clusters):
        serving.change(fake.clusters.pop(name).end)


@pytest.fixture
def learner(db):
    return User.objects.create_user("lea", password="a long enough password")


@pytest.fixture
def operator(db):
    return User.objects.create_user(
        "operator", password="another long password", role=Role.OPERATOR
    )


@pytest.fixture
def as_learner(client, learner):
    client.force_login(learner)
    return client


@pytest.fixture
def as_operator(client, operator):
    client.force_login(operator)
    return client


@pytest.fixture(autouse=True)
def _quick_hashes(settings):
    """Hash passwords quickly: how slowly it is done otherwise is Django's own business."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
