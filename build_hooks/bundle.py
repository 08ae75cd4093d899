"""./run bundle: one signed archive that is installed without a network.

    bundle --arch x86_64|aarch64 [--python 3.13[,3.11]] [--out FILE] [--key FILE] [--deb]

It holds the locked wheels for that processor, the project's own wheel, their lock, documents, unit
files, a list of contents (CycloneDX) and install.sh. Its Ed25519 signature stands beside it, to be
checked before anything is unpacked. SHA256SUMS in it names every file and is signed too: install.sh
looks again. With --deb a Debian package for each Python, with its signature. Packages without a
wheel for the processor are left out and named. I/O: pip and hatchling; both take a network here,
at the desk where it is made.
"""

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from build_hooks.bundle_deb import build_deb
from build_hooks.bundle_lock import ARCHITECTURES, Pin, Target, lock_of, pins_of
from build_hooks.bundle_sbom import sbom_of
from evidence.errors import EvidenceError
from evidence.keys import generate, load_private, write_private
from evidence.version import VERSION

ROOT = Path(__file__).resolve().parent.parent
SUMS, SIGNATURE = "SHA256SUMS", "SHA256SUMS.sig"
DOCUMENTS = ("README.md", "CHANGELOG.md", "LICENSE", "SECURITY.md", "ARCHITECTURE.md", "docs")
PIP_TIMEOUT_S = 900
#: whose package the bundle cannot do without: all others are extras
NEEDED = frozenset({"cryptography", "cbor2", "numpy", "tzdata", "backports-zstd"})


class BundleError(Exception):
    """No bundle was made; the sentence says why."""


def say(sentence: str) -> None:
    """A line on stderr, as ./run does."""
    print(f"bundle: {sentence}", file=sys.stderr)  # noqa: T201 - a command's output


def download(pins: Sequence[Pin], target: Target, wheels: Path) -> list[Pin]:
    """Put wheels of these packages into a folder; those that have none for the target.

    Raises:
        BundleError: one of them could not be fetched for another reason.
    """
    if not _pip_download(pins, target, wheels):
        return []
    missing = []
    for pin in pins:  # one has none: which
        error = _pip_download([pin], target, wheels)
        if "No matching distribution" in error:
            missing.append(pin)
        elif error:
            raise BundleError(f"{pin.name} {pin.version}: {error.strip().splitlines()[-1]}")
    return missing


def _pip_download(pins: Sequence[Pin], target: Target, wheels: Path) -> str:
    """What pip complained of, "" when it fetched all of them."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as lock:
        lock.write(lock_of(pins))
        lock.flush()
        done = subprocess.run(  # noqa: S603 - fixed arguments, no shell
            [sys.executable, "-m", "pip", "download", "--quiet", "--no-input",
             "--disable-pip-version-check", "--no-deps", "--require-hashes",
             *target.pip_options, "--dest", str(wheels), "-r", lock.name],
            capture_output=True, text=True, check=False, timeout=PIP_TIMEOUT_S,
        )  # fmt: skip
    return done.stderr or "pip failed" if done.returncode else ""


def build_own(wheels: Path) -> Path:
    """The project's own wheel, with the page's library in it, by the locked hatchling."""
    done = subprocess.run(  # noqa: S603 - fixed arguments, no shell
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(wheels)],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=PIP_TIMEOUT_S,
    )  # fmt: skip
    if done.returncode:
        raise BundleError(f"the project's own wheel was not built: {done.stderr.strip()}")
    (own,) = wheels.glob(f"stackproof-{VERSION}-*.whl")
    return own


def vendored() -> list[dict[str, Any]]:
    """The page's library, which stands in the project's wheel."""
    lock = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    return [
        {
            "type": "library",
            "bom-ref": f"pkg:npm/{path.removeprefix('node_modules/')}@{entry['version']}",
            "name": path.removeprefix("node_modules/"),
            "version": entry["version"],
            "purl": f"pkg:npm/{path.removeprefix('node_modules/')}@{entry['version']}",
            "licenses": [{"license": {"id": entry["license"]}}],
        }
        for path, entry in lock.items()
        if path
    ]


def fill(folder: Path, arch: str, pythons: Sequence[str]) -> list[Pin]:
    """Everything but sums and signature; the packages that have no wheel there."""
    wheels = folder / "wheels"
    wheels.mkdir()
    own = build_own(wheels)
    text, missing = (ROOT / "requirements/all.txt").read_text(), set[Pin]()
    for python in pythons:
        target = Target(arch, python)
        pins = pins_of(text, target)
        say(f"fetching {len(pins)} packages for Python {python} on {arch}")
        lacks = set(download(pins, target, wheels))
        if wrong := sorted(pin.name for pin in lacks if pin.name in NEEDED):
            raise BundleError(f"no wheel for {arch} of {', '.join(wrong)}: nothing works without")
        (folder / f"lock-{python}.txt").write_text(lock_of([p for p in pins if p not in lacks]))
        missing |= lacks
    others = [wheel for wheel in wheels.iterdir() if wheel != own]
    sbom = sbom_of(own, others, vendored())
    (folder / "sbom.cdx.json").write_text(json.dumps(sbom, indent=1) + "\n")
    for name in DOCUMENTS:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
        copy(ROOT / name, folder / name)
    shutil.copytree(ROOT / "packaging/systemd", folder / "systemd")
    shutil.copyfile(ROOT / "packaging/install.sh", folder / "install.sh")
    lacking = " ".join(sorted(f"{pin.name}=={pin.version}" for pin in missing))
    (folder / "BUNDLE").write_text(
        f"version={VERSION}\narch={arch}\npythons={' '.join(pythons)}\nlacks={lacking}\n"
    )
    return sorted(missing, key=lambda pin: pin.name)


def sign(folder: Path, key: Ed25519PrivateKey) -> None:
    """Name every file with its hash, and sign that."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name not in (SUMS, SIGNATURE))
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder)}\n"
        for path in files
    ]
    (folder / SUMS).write_text("".join(lines))
    (folder / SIGNATURE).write_bytes(key.sign((folder / SUMS).read_bytes()))


def pack(folder: Path, out: Path) -> None:
    """One archive with `folder` in it: the same files give the same bytes."""

    def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = entry.mtime = 0
        entry.uname = entry.gname = ""
        entry.mode = 0o755 if entry.isdir() or entry.name.endswith(".sh") else 0o644
        return entry

    beside = out.with_name(f"{out.name}.part")
    with tarfile.open(beside, "w") as archive:
        archive.add(folder, folder.name, filter=plain)
    beside.replace(out)


def sign_file(path: Path, key: Ed25519PrivateKey) -> None:
    """Its signature, beside it: what can be checked before a byte of it is used."""
    path.with_name(f"{path.name}.sig").write_bytes(key.sign(path.read_bytes()))


def add_debs(
    folder: Path, arch: str, pythons: Sequence[str], key: Ed25519PrivateKey, out: Path
) -> None:
    """Debian packages of a filled bundle into the folder `out`, each with its signature.

    Raises:
        BundleError: one of them was not made.
    """
    for python in pythons:
        with tempfile.TemporaryDirectory(prefix="stackproof-deb-") as work:
            try:
                made = build_deb(folder, Target(arch, python), Path(work))
            except subprocess.CalledProcessError as error:
                raise BundleError(f"no package for Python {python}: {error.stderr}") from error
            deb = out / made.name
            shutil.move(made, deb)
        sign_file(deb, key)
        say(f"{deb}: {deb.stat().st_size >> 20} MiB, signed in {deb.name}.sig")


def open_key(path: Path) -> Ed25519PrivateKey:
    """The signer's key; made, with its public half beside it, when it is not there."""
    if not path.exists():
        write_private(path, generate())
        say(f"{path}: a new key; keep it where no installed machine is")
    try:
        key = load_private(path)
    except EvidenceError as error:
        raise BundleError(str(error)) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise BundleError(f"{path}: must be an Ed25519 key")
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    path.with_suffix(".pub").write_bytes(public)
    return key


def main(argv: Sequence[str]) -> int:
    """Make a bundle; 0, or 2 when there is none."""
    parser = argparse.ArgumentParser(prog="./run bundle", description="A signed offline install.")
    parser.add_argument("--arch", required=True, choices=ARCHITECTURES)
    parser.add_argument("--python", default="3.13", help="or several: 3.11,3.13 (Debian 12, 13)")
    parser.add_argument("--out", type=Path, help="the archive (stackproof-VERSION-ARCH.tar)")
    parser.add_argument(
        "--key", type=Path, default=Path("bundle.pem"),
        help="Ed25519 key that signs (bundle.pem); made, with its .pub, when it is not there",
    )  # fmt: skip
    parser.add_argument(
        "--deb",
        action="store_true",
        help="also a Debian package for each Python, beside the archive",
    )
    args = parser.parse_args(argv)
    name = f"stackproof-{VERSION}-{args.arch}"
    out = args.out or Path(f"{name}.tar")
    try:
        key = open_key(args.key)
        with tempfile.TemporaryDirectory(prefix="stackproof-bundle-") as work:
            folder = Path(work) / name
            folder.mkdir()
            missing = fill(folder, args.arch, pythons := args.python.split(","))
            sign(folder, key)
            pack(folder, out)
            sign_file(out, key)
            if args.deb:
                add_debs(folder, args.arch, pythons, key, out.parent)
    except (BundleError, OSError, subprocess.TimeoutExpired) as error:
        say(str(error))
        return 2
    for pin in missing:
        say(f"left out: {pin.name} {pin.version} has no wheel for {args.arch}")
    public = args.key.with_suffix(".pub")
    say(f"{out}: {out.stat().st_size >> 20} MiB, signed in {out.name}.sig, checked with {public}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
