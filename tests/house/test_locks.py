"""The lock files hold what the .in files and pyproject.toml ask for, hashed, and no address."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "requirements"
NAMES = ("base", "all", "build", "dev", "interop")
PYTHONS = ("3.11", "3.12", "3.13")

Pins = dict[tuple[str, str], str]


def pins(name: str) -> Pins:
    """(package, Python) -> version of one lock file, markers evaluated for Linux."""
    found: Pins = {}
    for line in (FOLDER / f"{name}.txt").read_text().splitlines():
        if not line or line[0] in " #":
            continue
        requirement = Requirement(line.rstrip("\\ "))
        for python in PYTHONS:
            if holds(requirement, python):
                (specifier,) = requirement.specifier
                assert specifier.operator == "==", line
                found[canonicalize_name(requirement.name), python] = specifier.version
    return found


def holds(requirement: Requirement, python: str) -> bool:
    environment = {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": "linux",
        "os_name": "posix",
        "platform_system": "Linux",
        "extra": "",
    }
    return requirement.marker is None or requirement.marker.evaluate(environment)


def asked(name: str) -> list[Requirement]:
    """The requirements of an .in file, its includes followed."""
    wanted: list[Requirement] = []
    for line in (FOLDER / f"{name}.in").read_text().splitlines():
        text = line.partition("#")[0].strip()
        if text.startswith("-r "):
            wanted += asked(text.removeprefix("-r ").removesuffix(".in"))
        elif text:
            wanted.append(Requirement(text))
    return wanted


@pytest.mark.parametrize("name", NAMES)
def test_lock_satisfies_what_was_asked(name: str) -> None:
    locked = pins(name)
    for requirement in asked(name):
        for python in PYTHONS:
            if holds(requirement, python):
                version = locked.get((canonicalize_name(requirement.name), python))
                assert version is not None, f"{requirement} for {python}: run requirements/lock"
                assert requirement.specifier.contains(version), f"{requirement}: {version} locked"


@pytest.mark.parametrize("name", NAMES)
def test_every_pin_has_hashes_and_no_line_an_address(name: str) -> None:
    text = (FOLDER / f"{name}.txt").read_text()
    assert "://" not in text
    assert "--index-url" not in text
    blocks = re.split(r"\n(?=[a-z0-9])", text)
    entries = [block for block in blocks if not block.startswith("#")]
    assert len(entries) >= 3
    for entry in entries:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry.splitlines()[0]


@pytest.mark.parametrize("name", ["base", "all", "build"])
def test_one_version_of_a_package_in_all_locks(name: str) -> None:
    whole = pins("dev")
    for key, version in pins(name).items():
        assert whole.get(key, version) == version, f"{key} differs from dev.txt: requirements/lock"


def test_smaller_sets_are_contained() -> None:
    assert pins("base").keys() <= pins("all").keys() <= pins("dev").keys()


def test_every_declared_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [text for texts in project["optional-dependencies"].values() for text in texts]
    declared = {"base": project["dependencies"], "all": extras}
    for name, texts in declared.items():
        locked = pins(name)
        for requirement in map(Requirement, texts):
            if requirement.name == "stackproof":
                continue  # extras that name other extras
            for python in PYTHONS:
                if holds(requirement, python):
                    version = locked[canonicalize_name(requirement.name), python]
                    assert requirement.specifier.contains(version), requirement


@pytest.mark.parametrize(
    "folder",
    [".", "tests/integration/drivers/opcua_servers", "tests/house/browser_floor"],
)
def test_npm_packages_are_locked_without_an_address(folder: str) -> None:
    text = (ROOT / folder / "package-lock.json").read_text()
    assert '"resolved"' not in text
    assert "://" not in text
    packages = json.loads(text)["packages"]
    assert all("integrity" in entry for path, entry in packages.items() if path)
