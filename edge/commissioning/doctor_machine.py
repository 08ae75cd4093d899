"""This machine: may the agent read and write what it must, and is the clock right? I/O: files.

In the state folder a file is made and removed, as the agent would make one: what a file's mode says
is not all there is (read-only file systems, full disks, quotas).
"""

import os
import stat
import tempfile
from pathlib import Path

from edge.clock import Clock, instant
from edge.commissioning.findings import Check, State, failed, fine, warning
from edge.errors import EdgeError
from edge.identity import Problems, open_gateway_certificate, open_identity, out_of_date
from edge.remote.told import other_file
from edge.site.config import Site
from edge.spool import is_in_use
from edge.spool_reader import SpoolReader
from edge.spool_reader import State as Key

MACHINE = "this machine"
NS = 1_000_000_000
AHEAD_NS = 5 * NS  # readings are stamped no later than the clock; more than this was set back
MIB = 1024 * 1024
FREE_BYTES_MIN = 100 * MIB


def permission_checks(site: Site) -> list[Check]:
    """State folder, keys, certificates."""
    found = [_folder(site.gateway.state_dir)]
    problems = Problems(site.path)
    open_identity(site, problems)
    found += [
        failed(
            MACHINE,
            "permission",
            f"{problem.key}: {problem.reason}",
            "see that the file is there, that it is the right one, and that the agent's user may "
            "read it (stackproof edge check SITE.toml); where this machine is not the gateway, "
            "add --laptop",
        )
        for problem in problems
    ]
    if not problems:
        found.append(
            fine(MACHINE, "permission", "the evidence key and its certificates can be used")
        )
    if said := other_file(site):
        todo = "take the ordered file (stackproof edge order SITE.toml --file) and examine that"
        found.append(warning(MACHINE, "permission", said, todo))
    if is_in_use(site.gateway.spool):
        found.append(
            warning(
                MACHINE,
                "permission",
                "the agent is running: it holds serial lines, and connections to the devices",
                "where a device takes one connection only, or hangs on a serial line, stop the "
                "agent and run the doctor again",
            )
        )
    return found


def _folder(folder: Path) -> Check:
    """The state folder, or where the agent will make it."""
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    said = str(folder) if there == folder else f"{folder} (to be made in {there})"
    try:
        with tempfile.NamedTemporaryFile(dir=there, prefix=".doctor-") as file:
            file.write(b"\0" * 4096)
            file.flush()
            os.fsync(file.fileno())
        free = os.statvfs(there)
    except OSError as error:
        return failed(
            MACHINE,
            "permission",
            f"gateway.state_dir {said} cannot be written: {error.strerror}",
            f"give it to the agent's user (chown, chmod u+rwx {there}), free its disk, or name "
            "another state_dir in the site file",
        )
    left = free.f_bavail * free.f_frsize
    if left < FREE_BYTES_MIN:
        return warning(
            MACHINE,
            "permission",
            f"gateway.state_dir {said} can be written; {left // MIB} MiB are left on its disk",
            "free its disk: readings stop when it is full",
        )
    return fine(MACHINE, "permission", f"gateway.state_dir {said} can be written")


def serial_check(subject: str, path: str) -> Check | None:
    """What is wrong with a serial line's device file; None when nothing is, as far as it shows."""
    try:
        mode = Path(path).stat().st_mode
    except OSError as error:
        return failed(
            subject,
            "permission",
            f"{path}: {error.strerror}",
            "check that the adapter is plugged in; name it by /dev/serial/by-id/…, which stays "
            "the same after a restart",
        )
    if not stat.S_ISCHR(mode):
        return failed(
            subject,
            "permission",
            f"{path} is no serial line",
            "name the adapter's device file, such as /dev/serial/by-id/…",
        )
    if not os.access(path, os.R_OK | os.W_OK, effective_ids=True):
        return failed(
            subject,
            "permission",
            f"{path} may not be opened by this user",
            "put the agent's user into the group that owns it (often dialout), and log in anew",
        )
    return None


def clock_checks(site: Site, clock: Clock) -> list[Check]:
    """Whether this machine's clock can be right."""
    now_ns, found = clock.wall_ns(), []
    certificate = open_gateway_certificate(site, Problems(site.path))
    if certificate is not None and (reason := out_of_date(certificate, now_ns)):
        found.append(
            failed(
                MACHINE,
                "clock",
                f"it is {instant(now_ns)} here, and the gateway's certificate {reason}",
                "if that is not the time, set the clock; if it is, have the root sign another "
                "certificate (stackproof keys enrol)",
            )
        )
    through_ns = _newest_ns(site)
    if through_ns > now_ns + AHEAD_NS:
        found.append(
            failed(
                MACHINE,
                "clock",
                f"it is {instant(now_ns)} here, and readings of {instant(through_ns)} are signed "
                "already: "
                "the clock was set back, or had been far ahead",
                "set the clock and keep it right with NTP or PTP before the agent runs: what is "
                "signed ahead of time cannot be taken back",
            )
        )
    kept = own_clock(clock)
    return found + [check for check in kept if not found or check.state is State.WARNING]


def own_clock(clock: Clock) -> list[Check]:
    """Whether something keeps this machine's clock right."""
    state, at = clock.state(), instant(clock.wall_ns())
    if state.error_ms is not None:
        sentence = f"it is {at} here, kept by {state.source}, to {state.error_ms} ms"
        return [fine(MACHINE, "clock", sentence)]
    return [
        warning(
            MACHINE,
            "clock",
            f"it is {at} here, and nothing keeps this clock right",
            "compare it with a clock you trust; let chrony, systemd-timesyncd or ptp4l keep it",
        )
    ]


def _newest_ns(site: Site) -> int:
    """The newest instant that the spool's stream speaks of; 0 when there is none."""
    if not site.gateway.spool.is_file():
        return 0
    try:
        spool = SpoolReader(site.gateway.spool)
    except EdgeError:
        return 0  # `edge check` and `edge status` say what is wrong with it
    try:
        return int.from_bytes(spool.get(Key.THROUGH) or b"", "big")
    finally:
        spool.close()
