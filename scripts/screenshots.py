"""Take the pictures of docs/screenshots from a running instance of its own: `make screenshots`.

With names only those are taken: `python scripts/screenshots.py objects object-events`.

Everything is real: the command that users start, kubectl, Chromium. The data directory is thrown
away afterwards. Pictures are WebP, which Chromium makes of its own PNGs: a fifth of their size.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "docs" / "screenshots"
BIN = Path(sys.executable).parent
WIDE: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 380, "height": 740}
CLUSTER = "/clusters/default"
OBJECTS = f"{CLUSTER}/objects"
WEB = f"{OBJECTS}/apps/v1/deployments/default/web"
LIGHT, DARK = ("light",), ("dark",)
BIG = {"name": "big", "image": "nginx", "resources": {"requests": {"cpu": "900"}}}
WORKLOADS = (
    "create deployment web --image=nginx --replicas=8",
    "create deployment api --image=httpd --replicas=3",
    "expose deployment web --port=80",
    "create ingress shop --rule=shop.example/*=web:80",
    "create ns shop",
    "create role reader -n shop --verb=get,list --resource=pods",
    "create rolebinding readers -n shop --role=reader --user=ann",
    "run typing-error --image=nginx:no-such-version",
)
STORED = {
    "apiVersion": "apps/v1",
    "kind": "StatefulSet",
    "metadata": {"name": "db", "namespace": "default"},
    "spec": {
        "replicas": 2,
        "serviceName": "db",
        "selector": {"matchLabels": {"app": "db"}},
        "template": {
            "metadata": {"labels": {"app": "db"}},
            "spec": {
                "containers": [
                    {
                        "name": "db",
                        "image": "redis",
                        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
                    }
                ]
            },
        },
        "volumeClaimTemplates": [
            {
                "metadata": {"name": "data"},
                "spec": {
                    "accessModes": ["ReadWriteOnce"],
                    "resources": {"requests": {"storage": "1Gi"}},
                },
            }
        ],
    },
}
TO_WEBP = """async (png) => {
  const picture = await createImageBitmap(await (await fetch(png)).blob());
  const canvas = new OffscreenCanvas(picture.width, picture.height);
  canvas.getContext("2d").drawImage(picture, 0, 0);
  const bytes = new Uint8Array(await (await canvas.convertToBlob({type: "image/webp", quality: 0.88})).arrayBuffer());
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}"""  # noqa: E501 - JavaScript


def _nothing(page: Page) -> None:
    """Nothing to wait for but the page."""


EDITED = "kind=deployments.apps&namespace=default&name=web&how=apply&view=all"


def _owned(page: Page) -> None:
    expect(page.locator(".kp-ed-verdict")).to_contain_text("The cluster would take it.")
    page.evaluate("kp = document.querySelector('kp-editor').code")
    page.evaluate(r"kp.replace(kp.text.replace(/replicas: \d+/, 'replicas: 12'))")
    expect(page.locator(".kp-ed-owners")).to_be_visible()


def _live(page: Page) -> None:
    expect(page.locator(".kp-chip")).to_have_text(re.compile("^Live"))


def _picture(page: Page) -> None:
    _live(page)
    expect(page.locator("#topology-count")).to_have_text(re.compile("^[1-9][0-9]* pods$"))


def _tried(page: Page) -> None:
    _live(page)
    page.get_by_role("button", name="Try it on a copy").click()
    expect(page.locator(".kp-tried")).to_contain_text("Helped:")


def _why_pending(page: Page) -> None:
    _picture(page)
    page.get_by_role("treeitem", name=re.compile("^Unscheduled")).click()
    page.get_by_role("treeitem", name=re.compile("^too-big")).click()
    expect(page.locator(".kp-panel")).to_contain_text("Insufficient cpu")


def _broken(page: Page) -> None:
    _picture(page)
    page.get_by_role("button", name="Break something").click()
    expect(page.get_by_role("dialog")).to_contain_text("Nothing is broken.")


def _read(page: Page) -> None:
    expect(page.locator(".kp-log-line mark").first).to_be_visible()


def _events(page: Page) -> None:
    _picture(page)
    expect(page.locator(".kp-events-table tbody tr").first).to_be_visible()


def _logs_below(page: Page) -> None:
    """Keep the log of a Deployment in sight while the topology shows its pods."""
    _read(page)
    page.get_by_role("button", name="Keep open below").click()
    expect(page.locator("kp-dock .kp-log-line").first).to_be_visible()
    page.locator("kp-dock [name=grep]").fill("notice")
    page.locator(".kp-rail").get_by_role("link", name="Topology").click()
    _picture(page)


def _drawer(page: Page) -> None:
    expect(page.get_by_role("dialog")).to_be_visible()


def _thumbnails(page: Page) -> None:
    expect(page.locator("kp-thumbnail[data-revision]").first).to_be_visible()


def _request(text: str) -> Callable[[Page], None]:
    def choose(page: Page) -> None:
        page.locator(".kp-requests").locator("a", has_text=re.compile(text)).first.click()
        expect(page.locator(".kp-way-hop[data-state=done]").first).to_be_visible()

    return choose


def _shell(page: Page) -> None:
    rows = page.locator(".xterm-rows").first
    expect(rows).to_contain_text("$")
    page.locator(".xterm-helper-textarea").first.focus()
    page.keyboard.type("kubectl get deployments,services\n")
    expect(rows).to_contain_text("service/web")


@dataclass(frozen=True)
class Shot:
    """A picture: what it is called, where it is, and what has to be there first."""

    name: str
    path: str
    ready: Callable[[Page], None] = _nothing
    themes: tuple[str, ...] = ("light", "dark")


SHOTS = (
    Shot("clusters", "/", _thumbnails),
    Shot("new-cluster", "/?new", _drawer),
    Shot("connect", "/?connect=default", _drawer),
    Shot("overview", f"{CLUSTER}/overview", _live),
    Shot("topology", f"{CLUSTER}/topology", _picture),
    Shot("topology-owners", f"{CLUSTER}/topology?lens=owners", _picture),
    Shot("topology-traffic", f"{CLUSTER}/topology?lens=traffic", _picture),
    Shot("topology-storage", f"{CLUSTER}/topology?lens=storage", _picture),
    Shot("topology-why-pending", f"{CLUSTER}/topology", _why_pending),
    Shot("topology-break", f"{CLUSTER}/topology", _broken, LIGHT),
    Shot("dock-events", f"{CLUSTER}/topology?dock=events", _events, LIGHT),
    Shot("dock-logs", f"{WEB}?tab=logs&grep=notice", _logs_below, DARK),
    Shot("trace", f"{CLUSTER}/trace", _request("create deployments.web")),
    Shot("trace-refused", f"{CLUSTER}/trace", _request(r"403\s+create")),
    Shot("timeline", f"{CLUSTER}/timeline", _live),
    Shot("past", f"{CLUSTER}/topology?rev=345"),
    Shot("objects", f"{OBJECTS}/core/v1/pods", _live),
    Shot("objects-empty", f"{OBJECTS}/batch/v1/jobs", _live),
    Shot("object", f"{OBJECTS}/core/v1/pods/default/typing-error"),
    Shot("object-deployment", WEB, _live, LIGHT),
    Shot("object-yaml", f"{WEB}?tab=yaml", _live, LIGHT),
    Shot("object-events", f"{OBJECTS}/core/v1/pods/default/typing-error?tab=events", _live, LIGHT),
    Shot("object-history", f"{WEB}?tab=history", _live, LIGHT),
    Shot("object-logs", f"{WEB}?tab=logs&grep=notice", _read, LIGHT),
    Shot("object-relations", f"{WEB}?tab=relations"),
    Shot("object-missing", f"{OBJECTS}/core/v1/pods/default/typing-eror"),
    Shot("editor", f"{CLUSTER}/editor?{EDITED}", _owned),
    Shot("terminal", f"{CLUSTER}/terminal", _shell),
    Shot("access", f"{CLUSTER}/access?ns=shop&resource=pods&verb=list&user=ann"),
    Shot("account", "/account"),
    Shot("people", "/people"),
    Shot("settings", "/settings"),
    Shot("error", "/clusters/none/topology"),
)
# When a rollout has gone wrong.
LATER = (Shot("object-behind", f"{OBJECTS}/apps/v1/deployments/default/api", _tried),)
ON_A_PHONE = ("overview", "topology", "objects", "object")


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


def kubectl(directory: Path, *arguments: str, check: bool = True, given: str = "") -> None:
    """Run a command against the default cluster."""
    command = [BIN / "kubectl", "--kubeconfig", directory / "admin.kubeconfig", *arguments]
    subprocess.run(command, check=check, input=given, text=True)


def fill(directory: Path) -> None:
    """Let there be something to see: what runs, what does not, and what was refused."""
    for workload in WORKLOADS:
        kubectl(directory, *workload.split())
    overrides = json.dumps({"spec": {"containers": [BIG]}})
    kubectl(directory, "run", "too-big", "--image=nginx", "--overrides", overrides)
    kubectl(directory, "run", "mine", "--image=nginx", "-n", "shop", "--as=ann", check=False)
    kubectl(directory, "apply", "-f", "-", given=json.dumps(STORED))
    kubectl(directory, "wait", "deployment/web", "--for=condition=Available", "--timeout=60s")
    kubectl(directory, "rollout", "status", "statefulset/db", "--timeout=60s")


def go_wrong(directory: Path) -> None:
    """Roll out what cannot be pulled."""
    kubectl(directory, "set", "image", "deployment/api", "httpd=htpd:2.4")


def learner(directory: Path) -> str:
    """Make a learner, who has no cluster yet; return the path that signs them in."""
    command = [sys.executable, "manage.py", "account", "--data-dir", str(directory), "add", "ann"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    found = re.search(r"/sign-in/\S+", done.stdout)
    assert found, done.stdout
    return found[0]


class Camera:
    """Goes to pages and keeps what they look like, of all or of those that are wanted."""

    def __init__(self, browser: Browser, base: str, wanted: Sequence[str]) -> None:
        self.base = base
        self._wanted = wanted
        self._browser = browser
        self._dark_room = browser.new_page()

    def take(self, page: Page, shot: Shot, suffix: str) -> None:
        """Take one picture."""
        if self._wanted and shot.name not in self._wanted:
            return
        page.goto(self.base + shot.path)
        shot.ready(page)
        # What is drawn moves to its place, and nothing is half faded in.
        page.wait_for_timeout(900)
        png = base64.b64encode(page.screenshot()).decode()
        webp = self._dark_room.evaluate(TO_WEBP, f"data:image/png;base64,{png}")
        (OUT / f"{shot.name}-{suffix}.webp").write_bytes(base64.b64decode(webp))
        # The next page has no panel open below it.
        page.evaluate("localStorage.clear()")

    def page(self, link: str, scheme: str, size: ViewportSize, state: object = None) -> Page:
        """Return a page of somebody who is signed in."""
        context = self._browser.new_context(
            viewport=size,
            color_scheme="dark" if scheme == "dark" else "light",
            reduced_motion="reduce",
            storage_state=state,  # type: ignore[arg-type]
        )
        page = context.new_page()
        if link:
            page.goto(link)
        return page


def take_all(camera: Camera, link: str, beginner: str, go_wrong: Callable[[], None]) -> None:
    """Take every picture, each by whom it is for."""
    operator = camera.page(link, "light", WIDE)
    state = operator.context.storage_state()
    pages = {theme: camera.page("", theme, WIDE, state) for theme in ("light", "dark")}
    take_in_both(camera, pages, SHOTS)
    phone = camera.page("", "light", PHONE, state)
    for shot in SHOTS:
        if shot.name in ON_A_PHONE:
            camera.take(phone, shot, "phone")
    camera.take(
        camera.page(camera.base + beginner, "light", WIDE), Shot("clusters-empty", "/"), "light"
    )
    stranger = camera.page("", "light", WIDE)
    camera.take(stranger, Shot("sign-in", "/sign-in"), "light")
    go_wrong()
    take_in_both(camera, pages, LATER)


def take_in_both(camera: Camera, pages: Mapping[str, Page], shots: Iterable[Shot]) -> None:
    """Take pictures in the themes in which they are wanted."""
    for shot in shots:
        for theme in shot.themes:
            camera.take(pages[theme], shot, theme)


def main() -> None:
    wanted = sys.argv[1:]
    if not wanted:
        shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True, exist_ok=True)
    browser_path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with (
        tempfile.TemporaryDirectory() as scratch,
        instance(Path(scratch)) as link,
        sync_playwright() as playwright,
    ):
        fill(Path(scratch))
        beginner = learner(Path(scratch))
        browser = playwright.chromium.launch(
            executable_path=browser_path, args=["--no-sandbox", "--disable-gpu"]
        )
        expect.set_options(timeout=20_000)
        camera = Camera(browser, link.partition("/sign-in")[0], wanted)
        take_all(camera, link, beginner, lambda: go_wrong(Path(scratch)))
        browser.close()
    for picture in sorted(OUT.glob("*.webp")):
        print(picture.relative_to(ROOT), picture.stat().st_size)


if __name__ == "__main__":
    main()
