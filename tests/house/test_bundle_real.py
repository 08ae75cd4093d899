"""Bundles as they are given away: made with a network, installed in one without any link."""

import os
import platform
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from build_hooks import bundle
from build_hooks.bundle_lock import ARCHITECTURES, Target, pins_of
from tests.untar import untar

PYTHON = "{}.{}".format(*sys.version_info[:2])
PYTHONS = ("3.11", "3.13")  # of Debian 12 and 13
MACHINES = {"x86_64": 62, "aarch64": 183}  # EM_X86_64, EM_AARCH64 of <elf.h>
LOCK = bundle.ROOT / "requirements/all.txt"

pytestmark = [pytest.mark.long, pytest.mark.timeout(900), pytest.mark.needs("openssl", "unshare")]


@pytest.fixture(scope="module", params=ARCHITECTURES)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle for one processor and both Debians, unpacked."""
    folder = tmp_path_factory.mktemp(request.param)
    key, out = folder / "made.pem", folder / "out.tar"
    wanted = ["--arch", request.param, "--python", ",".join(PYTHONS)]
    assert bundle.main([*wanted, "--key", str(key), "--out", str(out)]) == 0
    with tarfile.open(out) as archive:
        untar(archive, folder)
    (unpacked,) = folder.glob("stackproof-*")
    return unpacked


def machines(wheel: Path) -> Iterator[int]:
    """For which processor each library and program in it is (ELF, `e_machine`)."""
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            with archive.open(entry) as file:
                head = file.read(20)
            if head.startswith(b"\x7fELF"):
                yield int.from_bytes(head[18:20], "little")


def test_every_locked_package_has_its_wheel(made: Path) -> None:
    arch = made.name.rpartition("-")[2]
    wheels = [path.name.lower().split("-") for path in (made / "wheels").iterdir()]
    assert all(arch in parts[-1] or parts[-1] == "any.whl" for parts in wheels)
    there = {(parts[0].replace("_", "-").replace(".", "-"), parts[1]) for parts in wheels}
    assert {machine for wheel in (made / "wheels").iterdir() for machine in machines(wheel)} == {
        MACHINES[arch]
    }
    for python in PYTHONS:
        lines = (made / f"lock-{python}.txt").read_text().splitlines()
        locked = {tuple(line.rstrip(" \\").split("==")) for line in lines if "==" in line}
        assert len(locked) == len(pins_of(LOCK.read_text(), Target(arch, python)))
        assert locked <= there
    assert (made / "BUNDLE").read_text().splitlines()[-1] == "lacks=", "a package lacks a wheel"


@pytest.mark.skipif(os.getuid() != 0, reason="a network namespace takes root")
def test_installed_without_a_network(made: Path, tmp_path: Path) -> None:
    if not made.name.endswith(platform.machine()) or PYTHON not in PYTHONS:
        pytest.skip("of another processor or Python")
    script = (
        f"sh {made}/install.sh --key {made.parent}/made.pub --prefix {tmp_path}/opt && "
        f"{tmp_path}/opt/stackproof/current/bin/stackproof profile list"
    )
    done = subprocess.run(
        ["unshare", "--net", "sh", "-euc", script],
        env={"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "stackproof/ac-meter" in done.stdout
