"""Chromium, a site as its own process, and a fake cluster worker behind it."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Error, Page, expect, sync_playwright

from playground.texts import compile_all
from tests.browser.serving import ROOT, running_site
from tests.playground.fakecluster import Fake, served
from tests.playground.objects import small

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
# The machine may be busy with other tests: an expectation waits this long.
PATIENCE_MS = 15_000


def pytest_collection_modifyitems(items):
    for item in items:
        if "tests/browser/" in str(item.path):
            item.add_marker(pytest.mark.e2e)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """What the pages of a failed test showed stands in its report."""
    report = yield
    if report.when == "call" and report.failed:
        for opened in (one for one in item.funcargs.values() if isinstance(one, Page)):
            report.sections.append((f"page {opened.url}", shown(opened)))
    return report


def shown(page):
    with suppress(Error):
        return page.locator("body").aria_snapshot(timeout=PATIENCE_MS)
    return "(closed)"


@pytest.fixture(scope="session")
def browser():
    assert CHROMIUM, "no Chromium: apt-get install chromium"
    assert (ROOT / "static/dist/manifest.json").exists(), "run `node build.mjs` first"
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def worker():
    with served(Fake()) as running:
        yield running


@pytest.fixture(scope="session")
def site(worker, tmp_path_factory):
    with running_site(tmp_path_factory.mktemp("site"), worker.url) as running:
        yield running


@pytest.fixture(scope="session")
def signed_in(browser, site):
    return cookies_of(browser, site.link, f"{site.url}/")


def cookies_of(browser, link, home):
    """The operator's cookies, from the link that the command prints."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(link)
    assert page.url == home
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def demo(worker):
    """The cluster "demo", new for each test."""

    def anew():
        for cluster in worker.fake.clusters.values():
            cluster.end()
        worker.fake.clusters.clear()
        cluster = worker.fake.add("demo")
        small(cluster)
        return cluster

    return worker.change(anew)


@pytest.fixture
def change(worker, demo):
    """Call a method of the cluster in the thread that serves it: change("put", "pods", ...)."""

    def call(name, *arguments):
        return worker.change(getattr(demo, name), *arguments)

    return call


@pytest.fixture(params=["light"])
def context(request, browser, signed_in):
    scheme, _space, language = request.param.partition(" ")
    made = browser.new_context(
        storage_state=signed_in,
        color_scheme=scheme,
        locale=language or "en-US",
        reduced_motion="reduce",
        viewport={"width": 1280, "height": 800},
    )
    made.set_default_timeout(PATIENCE_MS)
    yield made
    made.close()


@pytest.fixture
def page(context, demo):
    with watched(context) as opened:
        yield opened


@contextmanager
def watched(context):
    """A page whose console stays empty of errors, that breaks no policy and asks nobody else."""
    opened = context.new_page()
    problems = []
    opened.add_init_script(VIOLATIONS)
    opened.on("request", lambda request: abroad(problems, request.url))
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.on("console", lambda message: note(problems, message))
    yield opened
    assert problems == []


VIOLATIONS = """
addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI, sample }) =>
  console.error(`against the policy: ${violatedDirective} ${blockedURI} ${sample}`));
"""


def abroad(problems, url):
    """Note a request to anybody but this machine."""
    parts = urlsplit(url)
    if parts.scheme not in ("data", "blob", "about") and parts.hostname != "127.0.0.1":
        problems.append(f"asked {url}")


def note(problems, message):
    # A lost connection is the point of some tests; the browser logs each.
    lost = ("WebSocket connection", "ERR_CONNECTION", "Failed to load resource")
    if message.type == "error" and not any(text in message.text for text in lost):
        problems.append(message.text)


@pytest.fixture(scope="session", autouse=True)
def _texts():
    """What `make setup` compiles."""
    compile_all()
