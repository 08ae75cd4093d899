"""Runs a program as a unit file of ours would have systemd run it, as far as one process can.

    python -m tests.confined UNIT COMMAND...

Applied: SystemCallFilter, MemoryDenyWriteExecute, NoNewPrivileges, LimitNOFILE. Not applied, for
they take mounts, cgroups and users: the Protect… settings, MemoryMax, the address families. The
sets of system calls are what `systemd-analyze syscall-filter` says, the filter is libseccomp's.
"""

import ctypes
import errno
import os
import resource
import subprocess
import sys
from pathlib import Path

UNITS = Path(__file__).resolve().parents[1] / "packaging/systemd"
PR_SET_NO_NEW_PRIVS, PR_SET_MDWE = 38, 65  # <linux/prctl.h>
ALLOW, REFUSE = 0x7FFF0000, 0x00050000 | errno.EPERM  # <seccomp.h>


def settings(unit: str) -> dict[str, list[str]]:
    """Setting -> its values, of every section of a unit file."""
    found: dict[str, list[str]] = {}
    for line in (UNITS / f"{unit}.service").read_text().splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def command(unit: str, *arguments: str) -> list[str]:
    """A command line that runs `arguments` as the unit would."""
    return [sys.executable, "-m", "tests.confined", unit, *arguments]


def system_calls(filters: list[str]) -> set[str]:
    """What lines of SystemCallFilter allow, one after the other as systemd.exec(5) says."""
    text = subprocess.run(
        ["systemd-analyze", "syscall-filter", "--no-pager"],
        check=True, capture_output=True, text=True, env={"PATH": os.environ["PATH"]},
    ).stdout  # fmt: skip
    sets: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.startswith("@"):
            members = sets.setdefault(line.strip(), [])
        elif line.startswith("    ") and not line.strip().startswith("#"):
            members.append(line.strip())

    def calls(name: str) -> set[str]:
        if not name.startswith("@"):
            return {name}
        return {call for member in sets[name] for call in calls(member)}

    allowed: set[str] = set()
    for line in filters:
        named = {call for name in line.removeprefix("~").split() for call in calls(name)}
        allowed = allowed - named if line.startswith("~") else allowed | named
    return allowed


def _confine(unit: str) -> None:
    told = settings(unit)
    calls = system_calls(told["SystemCallFilter"])
    libc, seccomp = ctypes.CDLL(None, use_errno=True), ctypes.CDLL("libseccomp.so.2")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    files = min(int(told["LimitNOFILE"][-1]), hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    assert libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    if told["MemoryDenyWriteExecute"] == ["yes"]:
        assert libc.prctl(PR_SET_MDWE, 1, 0, 0, 0) == 0, "a kernel before 6.3"
    seccomp.seccomp_init.restype = ctypes.c_void_p
    rules = ctypes.c_void_p(seccomp.seccomp_init(ctypes.c_uint32(REFUSE)))
    for call in calls:
        number = seccomp.seccomp_syscall_resolve_name(call.encode())
        if number >= 0:  # else it is of another architecture
            assert seccomp.seccomp_rule_add(rules, ctypes.c_uint32(ALLOW), number, 0) == 0
    assert seccomp.seccomp_load(rules) == 0


if __name__ == "__main__":
    _confine(sys.argv[1])
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 - what the caller named
