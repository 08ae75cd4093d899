"""Devices of the other protocols: DNS, TCP, and one try as the agent makes it."""

from urllib.parse import urlsplit

from edge.clock import Clock
from edge.commissioning.findings import Check, failed, fine, has_failed, warning
from edge.commissioning.look_driver import HEARD, read_once
from edge.commissioning.reach import reach
from edge.commissioning.value import shown
from edge.drivers.base import DeviceError, DeviceSpec
from evidence.quality import Quality
from firmware_configs.row_source import ROW_PROTOCOLS

#: protocols whose URL names a host that is called; the others are files, lines, or call us
_CALLED = {"dlt645+tcp": 0, "postgresql+ro": 5432}
TOLD_MAX = 8


async def examine_by_driver(spec: DeviceSpec, clock: Clock, patience_s: float) -> list[Check]:
    """One read as the agent makes it."""
    checks: list[Check] = []
    parts = urlsplit(spec.url)
    port = parts.port or _CALLED.get(parts.scheme, 0)
    if parts.scheme in _CALLED and parts.hostname and port:
        checks = await reach(spec.id, parts.hostname, port, spec.timeout_s)
    if has_failed(checks):
        return checks
    try:
        samples = await read_once(spec, patience_s)
    except DeviceError as error:
        sentence = str(error).removeprefix(f"device {spec.id}: ")
        todo = "the sentence says what to look at"
        return [*checks, failed(spec.id, "protocol", sentence, todo)]
    checks.append(fine(spec.id, "protocol", _opened(spec, patience_s)))
    now_ns = clock.wall_ns()
    values = [shown(b.point, s, now_ns) for b, s in zip(spec.points, samples, strict=True)]
    is_rows = spec.profile.protocol in ROW_PROTOCOLS  # no new row of a point is no fault
    unsaid = sum(is_rows and value.quality is Quality.NOT_SAMPLED for value in values)
    wrong = [
        failed(
            spec.id,
            "register",
            f"{bound.point.id} ({bound.point.source}): {value.text}: {value.verdict}",
            "check the row of the profile, and what the device itself shows",
        )
        for bound, value in zip(spec.points, values, strict=True)
        if not (value.quality.usable or (is_rows and value.quality is Quality.NOT_SAMPLED))
    ]
    had = len(values) - len(wrong) - unsaid
    if had:
        checks.append(fine(spec.id, "register", f"{had} of {len(values)} points have a value"))
    elif unsaid:
        sentence = "no new row was there; one is taken only once, some seconds after it appeared"
        todo = "see that the source writes rows, or wait longer for one (--wait)"
        checks.append(warning(spec.id, "register", sentence, todo))
    return checks + wrong[:TOLD_MAX]


def _opened(spec: DeviceSpec, patience_s: float) -> str:
    if spec.url.partition("://")[0] in HEARD:
        return f"opened; listened for up to {patience_s:g} s"
    return "opened, and read once"
