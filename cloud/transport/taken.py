"""Does a broker of this machine know its files as they are now? I/O: processes, a signal, files.

Beside its files `.told` says which ones a broker was told to read last. One that began after they
were written has read them anyhow.
"""

import contextlib
import hashlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from cloud.clock import SystemClock
from cloud.transport.rows import PROGRAMS, Served, read_of
from evidence.owners import give

TOLD = ".told"


def take_in(served: Served) -> str:
    """Have a broker of this machine read its files again; what came of it, a sentence."""
    program, _ = PROGRAMS[served.kind]
    told, others, now = list[str](), list[str](), _state(served)
    for process in _running(program, Path(served.file)):
        try:
            os.kill(process, signal.SIGHUP)
            told.append(str(process))
        except ProcessLookupError:
            continue
        except PermissionError:  # anybody may run one of this name: it hides none of ours
            others.append(str(process))
    said = list[str]()
    if told:
        with contextlib.suppress(OSError):  # then it is told again
            mark = Path(served.out, TOLD)
            mark.write_text(now)
            give(mark)
        said.append(f"{program} {' '.join(told)} has been told to read {served.file} again")
    if others:
        said.append(f"{program} runs as another user; as root: kill -HUP {' '.join(others)}")
    return "\n".join(said) or (
        f"no {program} of {served.file} runs here; where it runs: carry the files there if they"
        f' are not, then kill -HUP "$(pidof {program})", or systemctl reload {program}'
    )


def is_told(served: Served) -> bool:
    """False: one runs here that has not read its files as they are."""
    with contextlib.suppress(FileNotFoundError):
        if Path(served.out, TOLD).read_text() == _state(served):
            return True
    changed_ns = max(path.stat().st_mtime_ns for path in _files(served))
    running = _running(PROGRAMS[served.kind][0], Path(served.file))
    return all(_began_ns(process) > changed_ns for process in running)


def _files(served: Served) -> list[Path]:
    found = (Path(served.out, name) for name in read_of(served))
    return [path for path in found if path.exists()]


def _state(served: Served) -> str:
    """Another one whenever a file is: each is put in place of the one before."""
    found = ((path, path.stat()) for path in _files(served))
    text = "\n".join(f"{path.name} {at.st_ino} {at.st_mtime_ns}" for path, at in found)
    return hashlib.sha256(text.encode()).hexdigest()


def _began_ns(process: int) -> int:
    """When a process began, UTC ns by the clock of now; of one that has ended: far ahead."""
    try:
        text = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return 2**63
    ticks = int(text.rpartition(")")[2].split()[19])  # proc(5): the 22nd, since the boot
    boot_ns = SystemClock().wall_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    return boot_ns + ticks * 10**9 // os.sysconf("SC_CLK_TCK")


def _running(program: str, file: Path) -> Iterator[int]:
    """Processes of this machine that were started with a configuration."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = [os.fsdecode(word) for word in (folder / "cmdline").read_bytes().split(b"\0")]
            if Path(words[0]).name != program:
                continue
            if str(file) in words:
                yield int(folder.name)
                continue
            cwd = (folder / "cwd").readlink()
            if any((cwd / word).resolve() == file.resolve() for word in words[1:] if word):
                yield int(folder.name)
        except OSError:  # it has ended, or is another user's: its folder is not told
            continue
