"""Fixtures of the tests that look at pages of a real playground, with a real worker behind."""

from __future__ import annotations

import pytest

from tests.browser.conftest import PATIENCE_MS, cookies_of, watched
from tests.support.server import playground

__all__ = ["cookies", "page", "playground"]


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
