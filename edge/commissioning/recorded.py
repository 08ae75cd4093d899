"""A record of devices that were read: whose, of which site file, clock and delivery. I/O: files."""

import hashlib
from collections.abc import Sequence

from edge.clock import Clock
from edge.commissioning.doctor_machine import clock_checks, own_clock
from edge.commissioning.findings import Check
from edge.commissioning.record import OfDevice, Record
from edge.commissioning.round_trip import RoundTrip, look_at_delivery
from edge.commissioning.site_part import SitePart
from evidence.version import VERSION


def record_of(
    part: SitePart,
    devices: Sequence[OfDevice],
    by: str,
    clock: Clock,
    *,
    of_devices: Sequence[Check] = (),
    trip: RoundTrip | None = None,
) -> Record:
    """The record of a site, made now.

    Args:
        part: the site.
        devices: as they were read.
        by: who was there.
        clock: this machine's.
        of_devices: what was found of clocks of devices.
        trip: a round trip that somebody watched; None: how the stream stands now.
    """
    site = part.site
    if trip is None and signs_here(part):
        trip = RoundTrip.of(look_at_delivery(site, clock))
    return Record(
        plant=site.plant.id,
        plant_name=site.plant.name,
        gateway=site.gateway.id,
        simulated=site.plant.simulated,
        time_zone=site.plant.time_zone,
        site_sha256=hashlib.sha256(site.path.read_bytes()).hexdigest(),
        software=f"stackproof {VERSION}",
        by=by,
        made_ns=clock.wall_ns(),
        devices=tuple(devices),
        checks=(*machine_clock(part, clock), *of_devices),
        trip=trip,
        unwritten=part.unwritten,
    )


def signs_here(part: SitePart) -> bool:
    """The site file says whose keys, and this machine has a spool of theirs."""
    is_named = not {"plant", "gateway", "uplink"} & set(part.unwritten)
    return is_named and part.site.gateway.spool.is_file()


def machine_clock(part: SitePart, clock: Clock) -> list[Check]:
    """What is known of this machine's clock; without keys only what keeps it."""
    return clock_checks(part.site, clock) if signs_here(part) else own_clock(clock)
