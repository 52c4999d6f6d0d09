"""The site as a process of its own, over a fake cluster worker."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

from playground.instance import write_private
from tests.playground.fakecluster import ADMIN_TOKEN

ROOT = Path(__file__).resolve().parents[2]
SETUP = """
import django; django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0, interactive=False)
from playground.accounts.links import create_sign_in_link
from playground.accounts.models import User
if not User.objects.filter(username="learner").exists():
    User.objects.create_user("learner", password="a long enough password")
print(create_sign_in_link())
"""


class Site:
    """A running site; it can be ended and started again on the same socket."""

    def __init__(self, data_dir: Path, api_url: str) -> None:
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(64)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "playground.settings",
            "KUBEGROUND_DATA_DIR": str(data_dir),
            "KUBEGROUND_SITE_URL": self.url,
            "KUBEGROUND_API_URL": api_url,
            "DATABASE_URL": "",
        }
        write_private(data_dir / "admin.token", ADMIN_TOKEN)
        write_private(data_dir / "django.key", "a key for tests that is long enough to be one")
        self.log = data_dir / "site.log"
        self.process: subprocess.Popen | None = None

    def run(self, code: str) -> str:
        """Run Python in the site's settings; return what it printed."""
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def sign_in_link(self) -> str:
        return self.url + self.run(SETUP)

    def start(self) -> None:
        reader, writer = os.pipe()
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "playground.site",
                    "--fd",
                    str(self.listener.fileno()),
                    "--ready-fd",
                    str(writer),
                ],
                pass_fds=(self.listener.fileno(), writer),
                env=self.environment,
                cwd=ROOT,
                stdout=log,
                stderr=log,
            )
        os.close(writer)
        ready = os.read(reader, 1)
        os.close(reader)
        assert ready, self.log.read_text()

    def stop(self, number: int = signal.SIGTERM) -> float:
        """End the process; return its exit code."""
        assert self.process
        self.process.send_signal(number)
        return self.process.wait(5)


@contextmanager
def running_site(data_dir: Path, api_url: str):
    """A site that has a database and answers."""
    site = Site(data_dir, api_url)
    site.link = site.sign_in_link()
    site.start()
    try:
        yield site
    finally:
        if site.process and site.process.poll() is None:
            site.stop()
        site.listener.close()
