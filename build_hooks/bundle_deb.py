"""A Debian package of what a bundle holds, for one processor and one Python. I/O: pip, dpkg-deb.

The wheels are unpacked into a venv, which is three more files: no pip and no network are needed
where it is installed, and any processor's package is made on any machine.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from build_hooks.bundle_lock import Target
from evidence.version import VERSION

ROOT = Path(__file__).resolve().parent.parent
HOME = "opt/stackproof/current"  # where the unit files look for the program
DOC = "usr/share/doc/stackproof"
MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
TIMEOUT_S = 900
#: as hatchling dates the files of our wheel: the same wheels give the same package
DATED = "1580601600"

_CONTROL = """\
Package: stackproof
Version: {version}
Architecture: {machine}
Maintainer: Stackproof maintainers <maintainers@stackproof.invalid>
Installed-Size: {size_kib}
Depends: python{python}, libc6 (>= 2.36), systemd
Suggests: fonts-noto-cjk
Section: science
Priority: optional
Description: signed, recomputable emission evidence from meters
 Agent at the plant, collector, relay of one-way sites, verifier. Its libraries
 are its own, in /opt/stackproof. Nothing starts before somebody enables a service.
"""

_COPYRIGHT = """\
Stackproof is under the Apache License 2.0 (/usr/share/common-licenses/Apache-2.0). The libraries in
/opt/stackproof/current/lib have licences of their own: sbom.cdx.json beside this file names each,
and their texts lie in the *.dist-info folders.
"""

_PROGRAM = f"""\
#!/{HOME}/bin/python
import sys

from stackproof import main

sys.exit(main())
"""


def version_of(target: Target) -> str:
    """The package's version: a Python's own comes after an older one's of the same program."""
    return f"{VERSION}+py{target.python}"


def unpack(bundle: Path, target: Target, venv: Path) -> None:
    """Make a venv of the bundle's wheels that works on the target, whatever machine this is.

    Raises:
        subprocess.CalledProcessError: pip could not; its words are in `stderr`.
    """
    lib = venv / f"lib/python{target.python}/site-packages"
    pip = [
        sys.executable, "-m", "pip", "install", "--quiet", "--no-input", "--no-compile",
        "--disable-pip-version-check", "--no-index", "--no-deps", "--root-user-action=ignore",
        "--find-links", str(bundle / "wheels"), "--target", str(lib), *target.pip_options,
    ]  # fmt: skip
    (own,) = (bundle / "wheels").glob(f"stackproof-{VERSION}-*.whl")
    sha256 = hashlib.sha256(own.read_bytes()).hexdigest()
    locked = (bundle / f"lock-{target.python}.txt").read_text()
    lock = venv.parent / "lock.txt"
    lock.write_text(f"{locked}stackproof=={VERSION} --hash=sha256:{sha256}\n")
    subprocess.run(  # noqa: S603 - fixed arguments, no shell
        [*pip, "--require-hashes", "-r", str(lock)],
        check=True, capture_output=True, text=True, timeout=TIMEOUT_S,
    )  # fmt: skip
    lock.unlink()
    (venv / "bin").mkdir()
    for script in (lib / "bin").iterdir():  # Python's begin with the path of this machine's Python
        if not script.read_bytes().startswith(b"#!"):
            script.rename(venv / "bin" / script.name)
    shutil.rmtree(lib / "bin")
    (venv / "bin/python").symlink_to(f"/usr/bin/python{target.python}")
    (venv / "bin/stackproof").write_text(_PROGRAM)
    (venv / "pyvenv.cfg").write_text(
        f"home = /usr/bin\ninclude-system-site-packages = false\nversion = {target.python}\n"
    )


def lay_out(bundle: Path, target: Target, tree: Path) -> None:
    """Everything of the package but its control files."""
    (tree / HOME).mkdir(parents=True)
    unpack(bundle, target, tree / HOME)
    for folder in ("usr/bin", "usr/lib/systemd", "usr/lib/sysusers.d", DOC, "etc/stackproof"):
        (tree / folder).mkdir(parents=True)
    (tree / "usr/bin/stackproof").symlink_to(f"/{HOME}/bin/stackproof")
    shutil.copytree(bundle / "systemd", tree / "usr/lib/systemd/system")
    sysusers = tree / "usr/lib/systemd/system/stackproof.sysusers"
    sysusers.rename(tree / "usr/lib/sysusers.d/stackproof.conf")
    shutil.copytree(bundle / "docs", tree / DOC / "docs")
    shutil.copy(bundle / "sbom.cdx.json", tree / DOC)
    (tree / DOC / "copyright").write_text(_COPYRIGHT)
    shutil.copy(bundle / "CHANGELOG.md", tree / DOC)


def build_deb(bundle: Path, target: Target, work: Path) -> Path:
    """The package of one of a bundle's Pythons, beside nothing else in a new folder of `work`.

    Raises:
        subprocess.CalledProcessError: pip or dpkg-deb could not; its words are in `stderr`.
        FileNotFoundError: dpkg-deb is not installed.
    """
    machine, version = MACHINES[target.arch], version_of(target)
    tree = work / f"deb-{target.python}"
    lay_out(bundle, target, tree)
    size = sum(path.lstat().st_size for path in tree.rglob("*") if not path.is_dir())
    control = _CONTROL.format(
        version=version, machine=machine, python=target.python, size_kib=size >> 10
    )
    sums = [
        f"{hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()}"
        f"  {path.relative_to(tree)}\n"
        for path in sorted(tree.rglob("*"))
        if path.is_file() and not path.is_symlink()
    ]
    (tree / "DEBIAN").mkdir()
    (tree / "DEBIAN/control").write_text(control)
    (tree / "DEBIAN/md5sums").write_text("".join(sums))
    scripts = list((ROOT / "packaging/debian").iterdir())
    for script in scripts:
        shutil.copy(script, tree / "DEBIAN")
    runs = {*(tree / HOME / "bin").iterdir(), *(tree / "DEBIAN" / path.name for path in scripts)}
    for path in tree.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path in runs else 0o644)
    out = work / f"stackproof_{version}_{machine}.deb"
    dpkg = ["dpkg-deb", "-Zzstd", "--root-owner-group", "--build", tree, out]
    subprocess.run(  # noqa: S603 - fixed arguments, no shell
        dpkg,
        check=True, capture_output=True, text=True, timeout=TIMEOUT_S,
        env={**os.environ, "SOURCE_DATE_EPOCH": DATED},
    )  # fmt: skip
    return out
