"""Does a broker of this machine know its files as they are now? I/O: processes, a signal, files.

Beside its files `.told` says which ones a broker was told to read last. One that began after they
were written has read them anyhow. `.began` says which ones that ran began with another address,
port, user or version than is written now. No signal changes that: nats-server 2.15.1 refuses the
whole file then, whom it lets in with it, and mosquitto 2.0.21 as another user cannot read it.
"""

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from cloud.broker import find_binary
from cloud.clock import SystemClock
from cloud.errors import BrokerError
from cloud.transport.rows import PROGRAMS, Served, read_of
from cloud.transport.whole import FOR_ALL, put_whole
from evidence.owners import give

TOLD, BEGAN = ".told", ".began"
ANSWERS_S = 5.0  # of nats-server that looks at its file, which takes milliseconds


def note_moved(rows: Sequence[Served], served: Served) -> None:
    """Before another text is written: note who runs here by another address, port or user.

    Args:
        rows: how what is there now was written.
        served: how it will be.

    Raises:
        OSError: the disk refuses.
    """
    if not (before := [_place(row) for row in rows if _place(row) != _place(served)]):
        return
    began = _began_with(served)
    running = [_birth(process) for process in _running_of(served)]
    text = json.dumps({birth: began.get(birth, before[0]) for birth in running})
    put_whole(Path(served.out, BEGAN), text.encode(), FOR_ALL)


def _place(served: Served) -> str:
    """What a broker takes when it begins, and by no signal."""
    user = served.user if served.kind == "mosquitto" else ""
    place = f"{served.listen} {served.port} {served.websocket} {served.route_port}"
    return f"{place} {user} {served.words}"


def _began_with(served: Served) -> Mapping[str, str]:
    """Process that ran when the place was changed -> the place it began with."""
    try:
        return dict(json.loads(Path(served.out, BEGAN).read_bytes()))
    except (OSError, ValueError, TypeError):
        return {}


def _moved(served: Served) -> list[int]:
    """Brokers that must be started anew before they do what is written."""
    began, now = _began_with(served), _place(served)
    return [one for one in _running_of(served) if began.get(_birth(one), now) != now]


def _said_of_moved(served: Served, moved: Sequence[int]) -> str:
    program, processes = PROGRAMS[served.kind][0], " ".join(map(str, moved))
    return (
        f"{program} {processes} must be started anew: it began with another address, port, user or "
        f"version of the file than {served.file} has now, and lets in by what it read before"
    )


def _uncarried(served: Served) -> str:
    """Which files one that runs here has elsewhere, and otherwise; a sentence, "" for none."""
    names = list[str]()
    for path in _files(served):
        with contextlib.suppress(OSError):  # none here; or another user's, whom nobody here tells
            there = Path(served.at, path.name)
            if not there.samefile(path) and there.read_bytes() != path.read_bytes():
                names.append(path.name)
    if not names or not list(_running_of(served)):
        return ""
    return (
        f"the broker here reads {served.at}, where {' '.join(names)} is another one: carry it "
        f"there from {served.out}, then broker reload"
    )


def take_in(served: Served) -> str:
    """Have a broker of this machine read its files again; what came of it, a sentence."""
    if why := _uncarried(served):
        return why
    program, _ = PROGRAMS[served.kind]
    told, others, refused, now = list[str](), list[str](), list[str](), _state(served)
    moved = _moved(served)
    for process in _running_of(served):
        try:
            os.kill(process, signal.SIGHUP)
            if why := _refused(process, served):
                refused.append(why)
            elif process not in moved:
                told.append(str(process))
        except ProcessLookupError:
            continue
        except PermissionError:  # anybody may run one of this name: it hides none of ours
            others.append(str(process))
    said = refused[:1]
    if told:
        with contextlib.suppress(OSError):  # then it is told again
            mark = Path(served.out, TOLD)
            mark.write_text(now)
            give(mark)
        said.append(f"{program} {' '.join(told)} has been told to read {served.file} again")
    if moved:
        said.append(_said_of_moved(served, moved))
    if others:
        said.append(f"{program} runs as another user; as root: kill -HUP {' '.join(others)}")
    return "\n".join(said) or (
        f"no {program} of {served.file} runs here; where it runs: carry the files there if they"
        f' are not, then kill -HUP "$(pidof {program})", or systemctl reload {program}'
    )


def _refused(process: int, served: Served) -> str:
    """What nats-server finds wrong with its file, a sentence: a signal changes nothing then.

    "" where all is well, or another program runs: it may know other words, or be a stranger's.
    """
    if served.kind != "nats":
        return ""
    with contextlib.suppress(OSError, subprocess.TimeoutExpired, BrokerError):
        binary = find_binary()
        if binary.samefile(f"/proc/{process}/exe"):
            asked = subprocess.run(  # noqa: S603 - the program that runs here already
                [binary, "-t", "-c", served.file], stdin=subprocess.DEVNULL, capture_output=True,
                text=True, errors="replace", timeout=ANSWERS_S, check=False,
            )  # fmt: skip
            what = " ".join(asked.stderr.split()).removeprefix("nats-server: ")
            return f"nats-server takes nothing in: {what}" if asked.returncode == 1 else ""
    return ""


def untold(served: Served) -> str:
    """Why one that runs here has not read its files as they are, a sentence; "": each has."""
    if why := _uncarried(served):
        return why
    if moved := _moved(served):
        return _said_of_moved(served, moved)
    with contextlib.suppress(FileNotFoundError):
        if Path(served.out, TOLD).read_text() == _state(served):
            return ""
    changed_ns = max(path.stat().st_mtime_ns for path in _files(served))
    if all(_began_ns(process) > changed_ns for process in _running_of(served)):
        return ""
    return f"the broker of {served.file} was not told; as root: broker reload"


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
    if (ticks := _began_ticks(process)) is None:
        return 2**63
    boot_ns = SystemClock().wall_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    return boot_ns + ticks * 10**9 // os.sysconf("SC_CLK_TCK")


def _began_ticks(process: int) -> int | None:
    """When a process began, in ticks since the boot; None of one that has ended."""
    try:
        text = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return None
    return int(text.rpartition(")")[2].split()[19])  # proc(5): the 22nd


def _birth(process: int) -> str:
    """Names a process, and no later one of its number."""
    return f"{process} {_began_ticks(process)}"


def _running_of(served: Served) -> Iterator[int]:
    return _running(PROGRAMS[served.kind][0], Path(served.file))


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
