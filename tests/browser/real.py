"""Fixtures of the tests that look at pages of a real playground, with a real worker behind."""

from __future__ import annotations

from contextlib import contextmanager
from urllib.parse import urljoin

import pytest

from tests.browser.conftest import PATIENCE_MS, cookies_of, watched
from tests.support.server import playground

__all__ = ["cookies", "look_as", "looking_as", "page", "playground"]


@pytest.fixture(scope="module")
def cookies(browser, playground):
    return cookies_of(browser, playground.page, f"{playground.site}/")


@pytest.fixture(params=["light"])
def page(request, browser, playground, cookies):
    context = browser.new_context(
        base_url=playground.site,
        storage_state=cookies,
        color_scheme=request.param,
        reduced_motion="reduce",
        viewport={"width": 1280, "height": 900},
    )
    context.set_default_timeout(PATIENCE_MS)
    with watched(context) as opened:
        yield opened
    context.close()


def _post(page, path, **more):
    """Send a form of the site as the page would."""
    token = page.locator("meta[name=csrf-token]").get_attribute("content")
    headers = {"X-CSRFToken": token, "Referer": page.url}
    answer = page.request.post(urljoin(page.url, path), headers=headers, **more)
    assert answer.ok, answer.text()


def look_as(page, user):
    """Look at the default cluster as somebody else from now on: a matter of the session."""
    _post(page, "/api/clusters/default/view-as", data={"user": user, "groups": []})


@contextmanager
def looking_as(page, user):
    """Look as somebody else while the block runs."""
    look_as(page, user)
    try:
        yield
    finally:
        _post(page, "/view-as-myself")
