"""The lock file as one target needs it: without what is for other Pythons, markers resolved. Pure.

pip evaluates markers for the Python it runs on, not for the one it is told to download for.
"""

from collections.abc import Collection
from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ARCHITECTURES = ("x86_64", "aarch64")


@dataclass(frozen=True)
class Target:
    """The machines of a bundle: processor, and Python as "3.13"; Linux with glibc."""

    arch: str
    python: str

    @property
    def environment(self) -> dict[str, str]:
        """What markers are evaluated by (PEP 508)."""
        return {
            "implementation_name": "cpython",
            "os_name": "posix",
            "platform_machine": self.arch,
            "platform_python_implementation": "CPython",
            "platform_system": "Linux",
            "python_full_version": f"{self.python}.0",
            "python_version": self.python,
            "sys_platform": "linux",
        }

    @property
    def pip_options(self) -> list[str]:
        """For pip download: the wheels that run there, from glibc 2.36 (Debian 12) down."""
        platforms = [f"manylinux_2_{minor}_{self.arch}" for minor in range(36, 16, -1)]
        platforms += [f"manylinux2014_{self.arch}", f"linux_{self.arch}"]
        abi = "cp" + self.python.replace(".", "")
        options = ["--only-binary=:all:", "--implementation=cp", f"--python-version={self.python}"]
        options += [f"--platform={platform}" for platform in platforms]
        return [*options, f"--abi={abi}", "--abi=abi3", "--abi=none"]


@dataclass(frozen=True)
class Pin:
    """One package of the lock: name in its normal form, version, and its hashes as pip has them."""

    name: str
    version: str
    hashes: tuple[str, ...]

    @property
    def line(self) -> str:
        """The same as a line of a lock file."""
        return " \\\n    ".join([f"{self.name}=={self.version}", *self.hashes]) + "\n"


def pins_of(lock: str, target: Target) -> list[Pin]:
    """The packages of a lock file that belong to a target."""
    found: list[Pin] = []
    hashes: list[str] = []
    for line in [*lock.splitlines(), "end==0"]:
        text = line.strip().rstrip("\\").strip()
        if text.startswith("--hash="):
            hashes.append(text)
        elif text and not text.startswith("#"):
            if found and found[-1].hashes == ():
                found[-1] = Pin(found[-1].name, found[-1].version, tuple(hashes))
            hashes = []
            wanted = Requirement(text)
            if wanted.marker is None or wanted.marker.evaluate(target.environment):
                (pinned,) = wanted.specifier
                found.append(Pin(canonicalize_name(wanted.name), pinned.version, ()))
    return found[:-1]


def lock_of(pins: Collection[Pin]) -> str:
    """A lock file of these packages."""
    return "".join(pin.line for pin in sorted(pins, key=lambda pin: pin.name))
