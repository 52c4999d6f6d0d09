"""Take the pictures of docs/images from a running instance of its own: `make screenshots`.

Everything is real: the command that users start, kubectl, Chromium. The data directory is thrown
away afterwards.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "docs" / "images"
BIN = Path(sys.executable).parent
SIZE = {"width": 1440, "height": 900}
BIG = {"name": "big", "image": "nginx", "resources": {"requests": {"cpu": "900"}}}
WORKLOADS = (
    ("create", "deployment", "web", "--image=nginx", "--replicas=8"),
    ("create", "deployment", "api", "--image=httpd", "--replicas=3"),
    ("expose", "deployment", "web", "--port=80"),
    ("run", "typing-error", "--image=nginx:no-such-version"),
    ("run", "too-big", "--image=nginx", "--overrides", json.dumps({"spec": {"containers": [BIG]}})),
)


@contextmanager
def instance(directory: Path) -> Iterator[str]:
    """Run the playground; yield the sign-in link."""
    command = [sys.executable, "manage.py", "playground", "--port", "0", "--secure-port", "0"]
    process = subprocess.Popen(
        [*command, "--data-dir", str(directory)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout
        printed = ""
        for line in process.stdout:
            printed += line
            if line.strip() == "ready":
                break
        found = re.search(r"Page\s+(\S+)", printed)
        if not found:
            raise SystemExit(f"the playground did not start:\n{printed}")
        yield found[1]
    finally:
        process.terminate()
        process.wait(10)


def kubectl(directory: Path, *arguments: str) -> None:
    """Run a command against the default cluster."""
    config = directory / "admin.kubeconfig"
    subprocess.run([BIN / "kubectl", "--kubeconfig", config, *arguments], check=True)


def take(page: Page, base: str, theme: str) -> None:
    """Take every picture in one theme."""

    def shot(name: str) -> None:
        page.screenshot(path=OUT / f"{name}-{theme}.png")

    page.goto(f"{base}/clusters/default/topology")
    expect(page.locator(".kp-chip")).to_have_text(re.compile("^Live"))
    expect(page.locator("#topology-count")).to_have_text("13 pods")
    page.wait_for_timeout(1000)
    shot("topology")
    page.get_by_role("treeitem", name=re.compile("^Unscheduled")).click()
    page.get_by_role("treeitem", name=re.compile("^too-big")).click()
    expect(page.locator(".kp-panel")).to_contain_text("Insufficient cpu")
    page.wait_for_timeout(800)
    shot("why-pending")
    page.goto(f"{base}/clusters/default/topology?lens=owners")
    expect(page.locator("#topology-count")).to_have_text("13 pods")
    page.wait_for_timeout(1000)
    shot("owners")
    page.goto(f"{base}/clusters/default/objects/core/v1/pods")
    expect(page.locator("tbody tr")).to_have_count(13)
    shot("objects")
    page.goto(f"{base}/")
    expect(page.locator("kp-thumbnail[data-revision]").first).to_be_visible()
    shot("clusters")
    page.goto(f"{base}/?new")
    expect(page.get_by_role("dialog")).to_be_visible()
    shot("new-cluster")
    page.goto(
        f"{base}/clusters/default/access?resource=pods&system=on&q=job&verb=delete"
        "&user=system:serviceaccount:kube-system:job-controller"
    )
    expect(page.locator(".kp-why")).to_be_visible()
    shot("access")
    page.goto(f"{base}/account")
    shot("account")
    page.goto(f"{base}/?connect=default")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.wait_for_timeout(500)
    shot("connect")


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    browser_path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with (
        tempfile.TemporaryDirectory() as scratch,
        instance(Path(scratch)) as link,
        sync_playwright() as playwright,
    ):
        for workload in WORKLOADS:
            kubectl(Path(scratch), *workload)
        browser = playwright.chromium.launch(
            executable_path=browser_path, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport=SIZE)
        page.goto(link)
        base = link.partition("/sign-in")[0]
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            take(page, base, theme)
        browser.close()
    for picture in sorted(OUT.glob("*.png")):
        print(picture.relative_to(ROOT))


if __name__ == "__main__":
    main()
