"""What is known of a device's own clock. Pure."""

from edge.commissioning.findings import Check, fine, warning
from edge.commissioning.page.seen import DeviceSeen

APART_S = 5.0  # as the doctor takes two clocks for apart


def source_age_s(seen: DeviceSeen) -> float | None:
    """Seconds from the newest time that the device puts on a value to its read here.

    Below 0 the device's clock is ahead. Above, the value may just not have changed. None where it
    puts no time on values.
    """
    stamps = [look.shown.source_ns for look in seen.looks if look.shown is not None]
    newest_ns = max((stamp for stamp in stamps if stamp is not None), default=None)
    return None if newest_ns is None else (seen.at_ns - newest_ns) / 1e9


def clock_checks_of(device: str, seen: DeviceSeen | None) -> list[Check]:
    """The doctor's, and what its source times say; [] of a device that has no clock for us."""
    if seen is None:
        return []
    found = [check for check in seen.checks if check.layer == "clock"]
    if found or (age_s := source_age_s(seen)) is None:
        return found
    if age_s < -APART_S:
        sentence = f"its newest source time is {-age_s:.1f} s ahead of this machine's clock"
        return [warning(device, "clock", sentence, "find out which clock is wrong and set it")]
    sentence = f"its newest source time is {age_s:.1f} s before the read here"
    return [fine(device, "clock", sentence)]
