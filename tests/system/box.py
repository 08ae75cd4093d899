"""A machine with systemd as PID 1: a root folder and what is written over it, in namespaces.

Its own processes, mounts, network (loopback alone), host name and cgroups; no disk of its own, no
console, no udev; the kernel's settings, modules and clock are out of its reach. The control group
has no controllers where the kernel has given them to version 1: MemoryMax then bounds nothing.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

BOOT_S = 60.0

#: what cannot be had from unshare(1) alone; $1 root, $2 what is written, $3 more binds "FROM:TO"
_BOOT = r"""
set -eu
mount --make-rprivate /
box=$2/root
mkdir -p "$box" "$2/up" "$2/work"
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/up,workdir=$2/work" "$box"
for pair in $3; do
    mkdir -p "$box/${pair#*:}"
    mount --bind -o ro "${pair%%:*}" "$box/${pair#*:}"
done
cd "$box"
mkdir -p proc sys run dev tmp old
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755,nosuid tmpfs run
mount -t tmpfs -o mode=755 tmpfs dev
for name in null zero full random urandom tty; do
    : >dev/$name
    mount --bind /dev/$name dev/$name
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
mount -t tmpfs tmpfs dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ip link set lo up
hostname box
pivot_root . old
umount -l /old
exec env -i container=box PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    setpriv --bounding-set=-sys_module,-sys_rawio,-sys_time /lib/systemd/systemd --unit="$4"
"""


def cgroup2() -> Path | None:
    """Where the second version of control groups is mounted, and may be written."""
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, where, kind, options, *_ = line.split()
        if kind == "cgroup2" and "rw" in options.split(","):
            return Path(where)
    return None


def why_not() -> str:
    """Why no box can be booted here, "" where one can."""
    if os.geteuid() != 0:
        return "only root may boot a box"
    for program in ("unshare", "nsenter", "setpriv", "ip", "/lib/systemd/systemd"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    return "" if cgroup2() else "no control groups of version 2 are mounted here to be written"


@dataclass
class Box:
    """One that runs; `booted` makes it.

    Attributes:
        pid: of its PID 1, seen from outside.
    """

    folder: Path
    pid: int

    def run(self, *words: str, check: bool = True, timeout: float = 60) -> str:
        """Run a command inside; what it said."""
        done = subprocess.run(
            ["nsenter", "-t", str(self.pid), "-a", *words], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
            timeout=timeout,
        )  # fmt: skip
        assert done.returncode == 0 or not check, f"{words}: {done.returncode}\n{done.stdout}"
        return done.stdout

    def write(self, path: str, text: str) -> None:
        """Put a file there."""
        self.run("sh", "-c", 'printf %s "$1" >"$0"', path, text)

    def show(self, unit: str, *names: str) -> list[str]:
        """Properties of a unit, in the order asked for."""
        said = self.run("systemctl", "show", unit, *(f"-p{name}" for name in names))
        found = dict(line.split("=", 1) for line in said.splitlines())
        return [found[name] for name in names]


@contextmanager
def booted(
    root: Path, folder: Path, *, binds: dict[Path, str] | None = None, target: str = "basic.target"
) -> Iterator[Box]:
    """Boot a root folder; what it writes goes below `folder`, and is there at the next boot.

    Args:
        root: what it sees as its disk, and does not change.
        folder: where what it writes goes; not below an overlay.
        binds: folders from outside that it sees, read-only, and where.
        target: what it starts.
    """
    groups = cgroup2()
    assert groups is not None, why_not()
    group = groups / f"stackproof-box-{os.getpid()}"
    group.mkdir(exist_ok=True)
    pairs = " ".join(f"{here}:{there}" for here, there in (binds or {}).items())
    process = subprocess.Popen(
        ["sh", "-c", 'echo $$ >"$0/cgroup.procs"; exec "$@"', group,
         "unshare", "--pid", "--mount", "--uts", "--ipc", "--cgroup", "--net", "--fork",
         "sh", "-c", _BOOT, "boot", root, folder, pairs, target],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        box = Box(folder, _first_of(process))
        _wait_for(box, target)
        yield box
    finally:
        if child := _children(process.pid):
            os.kill(child[0], signal.SIGKILL)  # PID 1: all in its namespace end with it
        process.wait(timeout=30)
        for path in sorted(group.rglob("*"), reverse=True):
            if path.is_dir():
                path.rmdir()
        group.rmdir()


def _children(pid: int) -> list[int]:
    try:
        return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _first_of(process: "subprocess.Popen[bytes]") -> int:
    end_s = time.monotonic() + BOOT_S
    while time.monotonic() < end_s and process.poll() is None:
        for child in _children(process.pid):
            if Path(f"/proc/{child}/comm").read_text() == "systemd\n":
                return child
        time.sleep(0.05)
    raise AssertionError("systemd was not started")


def _wait_for(box: Box, target: str) -> None:
    end_s = time.monotonic() + BOOT_S
    while box.run("systemctl", "is-active", target, check=False).strip() != "active":
        assert time.monotonic() < end_s, box.run("systemctl", "list-jobs", check=False)
        time.sleep(0.1)
