"""A poller for each device of a site. Pure."""

from collections.abc import Callable, Sequence

from edge.drivers.base import DeviceSpec, Driver
from edge.lead import Lead
from edge.poller import Poller
from edge.site.devices import DeviceConfig, asked_of
from edge.site.traffic import endpoints_of
from edge.trouble import Answering

#: one answer that is missing is in the readings; who asks how the gateway stands is told later
SILENT_AFTER_NS = 10 * 1_000_000_000


def pollers_of(
    devices: Sequence[DeviceConfig],
    monotonic_ns: Callable[[], int],
    opener: Callable[[DeviceSpec], Driver],
) -> list[Poller]:
    """One for each device; those on one endpoint are asked equally long before their ticks."""
    shortest_ns = min(device.interval_ns for device in devices)
    timeout_s = {device.id: device.timeout_s for device in devices}
    shared: dict[str, tuple[int, float, Lead]] = {}
    for endpoint in endpoints_of(asked_of(devices)):
        ids = [asked.id for asked in endpoint.devices]
        least_s = max(endpoint.takes_s(asked) for asked in endpoint.devices)
        expected_s = least_s + max(timeout_s[device] for device in ids)
        lead = Lead(shortest_ns, int(expected_s * 1e9))
        all_s = sum(timeout_s[device] for device in ids)
        shared |= {device: (len(ids), all_s - timeout_s[device], lead) for device in ids}
    return [
        Poller(
            device.spec, monotonic_ns, opener=opener, sharing=shared[device.id][0],
            others_s=shared[device.id][1], interval_ns=device.interval_ns,
            lead=shared[device.id][2],
        )
        for device in devices
    ]  # fmt: skip


def work_of(pollers: Sequence[Poller], refusal: str) -> tuple[str, str]:
    """As `edge.life.Work`: why there are no readings, and which devices are without.

    Args:
        pollers: of all devices.
        refusal: why none are kept, "" while they are.
    """
    silent = [poller.spec.id for poller in pollers if not poller.is_answering]
    amiss = "no device answers" if len(silent) == len(pollers) else ""
    if refusal:
        amiss = f"no readings are kept: {refusal}"
    return amiss, f"no answer of {', '.join(silent)}" if silent else ""


def answering(pollers: Sequence[Poller], tick_ns: int) -> Answering:
    """Which devices answer, at an instant of the site."""
    silent = {
        poller.spec.id: poller.silent_since_ns for poller in pollers if _is_silent(poller, tick_ns)
    }
    waiting = sum(not poller.has_spoken and poller.spec.id not in silent for poller in pollers)
    return Answering(len(pollers), waiting, silent)


def _is_silent(poller: Poller, tick_ns: int) -> bool:
    """One that is asked seldom has missed two ticks by then, or is away."""
    if not poller.silent_since_ns:
        return False
    missed_ns = tick_ns - poller.silent_since_ns
    is_away = missed_ns >= poller.interval_ns or not poller.connected
    return is_away and missed_ns >= SILENT_AFTER_NS
