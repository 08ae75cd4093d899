"""The wheel holds every file of the five rooms, the one command and the browser library."""

import contextlib
import os
import re
import subprocess
import sys
import sysconfig
import time
import urllib.request
import venv
import zipfile
from collections.abc import Sequence
from email import message_from_string
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.e2e.test_every_page import PAGES
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("evidence", "firmware_configs", "edge", "cloud", "simulators", "witness")
VENDOR = "cloud/dashboard/static/vendor"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """Built with the locked hatchling, without an isolated environment, so without a network."""
    if not (ROOT / VENDOR).exists():
        pytest.skip("the browser library is not there; ./run test fetches it")
    folder = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    (path,) = folder.iterdir()
    return zipfile.ZipFile(path)


def source_files() -> set[str]:
    """Every file of the rooms that is not made by running or building them."""
    files = (path for room in ROOMS for path in (ROOT / room).rglob("*") if path.is_file())
    return {
        str(path.relative_to(ROOT))
        for path in files
        if "__pycache__" not in path.parts and "vendor" not in path.parts
    }


def test_every_source_and_data_file_is_in(wheel: zipfile.ZipFile) -> None:
    inside = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert source_files() - inside == set()
    assert "stackproof.py" in inside


def test_nothing_else_is_in(wheel: zipfile.ZipFile) -> None:
    inside = {name for name in wheel.namelist() if ".dist-info/" not in name}
    extra = inside - source_files() - {"stackproof.py"}
    assert all(name.startswith(f"{VENDOR}/") for name in extra), extra


def test_browser_library_comes_with_its_licence(wheel: zipfile.ZipFile) -> None:
    vendored = {Path(name).name for name in wheel.namelist() if name.startswith(f"{VENDOR}/")}
    assert {"uPlot.iife.min.js", "uPlot.min.css", "uPlot.LICENSE.txt"} <= vendored


#: what a static file names of others
NAMED = re.compile(r'(?:href|src)="(/static/[^"]+)"|(?:from|import\()\s*"\./([^"]+)"')


def install(wheel: zipfile.ZipFile, folder: Path) -> Path:
    """The wheel in an environment of its own, into which nothing else was installed; its python."""
    venv.create(folder, with_pip=False)
    pip(folder, "--no-index", str(wheel.filename))
    return folder / "bin/python"


def pip(folder: Path, *arguments: str) -> None:
    """Install something there; nothing is resolved."""
    at = ("--python", str(folder / "bin/python"), "install", "--quiet", "--no-deps")
    outside(folder, sys.executable, "-m", "pip", *at, *arguments)


def outside(folder: Path, *command: str) -> str:
    """What a command prints that runs in a folder and knows no PYTHONPATH."""
    done = subprocess.run(
        command, cwd=folder, env=elsewhere(), capture_output=True, text=True, check=False,
        timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def elsewhere() -> dict[str, str]:
    """This process's environment without a way to the source."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=30) as answer:
        data: bytes = answer.read()
    return data


def named_by(url: str, pages: Sequence[str]) -> set[str]:
    """Every static file that these pages name, and what those name in turn; all are there."""
    todo, seen = list(pages), set[str]()
    while todo:
        path = todo.pop()
        if path not in seen:
            seen.add(path)
            text = get(url + path).decode(errors="replace")
            found = [] if "/vendor/" in path else NAMED.findall(text)
            todo += [of or f"/static/js/{module}" for of, module in found]
    return seen - set(pages)


def test_pages_of_the_installed_wheel_load_with_all_their_files(
    wheel: zipfile.ZipFile, tmp_path: Path
) -> None:
    """Over HTTP. Other packages are lent by these tests through one line of a path file.

    That line leads to packages, not to path files among them, so not to this source.
    """
    empty = tmp_path / "empty"
    python = install(wheel, empty)
    (site,) = (empty / "lib").glob("python*/site-packages")
    (site / "lent.pth").write_text(sysconfig.get_path("purelib"))
    (empty / "tests").symlink_to(ROOT / "tests")
    where = outside(empty, str(python), "-c", "import cloud; print(cloud.__file__)")
    assert Path(where).is_relative_to(site)
    port = free_port()
    serve = [python, "-m", "tests.e2e.fake_server", str(port), "--records", "--everything"]
    with subprocess.Popen(
        serve, cwd=empty, env=elsewhere(), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        url = f"http://127.0.0.1:{port}"
        pages = [f"/en{one}" for of in PAGES.values() for one in of if "{" not in one]
        named = named_by(url, pages)
        inside = [name for name in wheel.namelist() if name.startswith("cloud/dashboard/static/")]
        for name in inside:
            assert get(url + name.removeprefix("cloud/dashboard")) == wheel.read(name), name
        process.kill()
    assert {"/static/js/trend.js", "/static/vendor/uPlot.iife.min.js"} < named
    assert {f"cloud/dashboard{path}" for path in named} <= set(inside)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_the_demo_runs_from_the_wheel_and_its_locked_packages(
    wheel: zipfile.ZipFile, tmp_path: Path
) -> None:
    """Nothing is lent: what it needs is what the lock names, from a package index."""
    empty = tmp_path / "empty"
    python = install(wheel, empty)
    pip(empty, "--require-hashes", "-r", str(ROOT / "requirements/all.txt"))
    port = free_port()
    demo = [str(python.with_name("stackproof")), "demo", "--for", "40", "--port", str(port)]
    with subprocess.Popen(
        [*demo, "--out", str(tmp_path / "out")], cwd=empty, env=elsewhere(),
        stderr=subprocess.DEVNULL, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        url, until = f"http://127.0.0.1:{port}", time.monotonic() + 60
        while time.monotonic() < until:
            with contextlib.suppress(OSError):
                get(f"{url}/livez")
                break
            time.sleep(0.2)
        pages = ["/en/", "/zh/", "/en/months", "/en/alarms"]
        assert "/static/css/base.css" in named_by(url, pages)
        process.communicate(timeout=300)
    assert process.returncode == 0


def test_base_install_is_the_auditors_and_rooms_are_extras(wheel: zipfile.ZipFile) -> None:
    (name,) = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
    metadata = message_from_string(wheel.read(name).decode())
    required = [Requirement(text) for text in metadata.get_all("Requires-Dist") or []]
    base = {need.name for need in required if "extra" not in str(need.marker)}
    assert base == {"cryptography", "cbor2", "numpy", "backports-zstd", "tzdata"}
    assert set(metadata.get_all("Provides-Extra") or []) >= {"edge", "cloud", "simulators", "all"}
    assert metadata["License-Expression"] == "Apache-2.0"


def test_the_command_is_installed(wheel: zipfile.ZipFile) -> None:
    (name,) = [name for name in wheel.namelist() if name.endswith("entry_points.txt")]
    assert "stackproof = stackproof:main" in wheel.read(name).decode()
