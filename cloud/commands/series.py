"""`stackproof cloud rebuild`: the store of series made again from the log. Prints.

Only while the collector is stopped: the plants are taken as it takes them. What a store refuses is
followed by the collector itself when it runs again.
"""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing

from cloud.clock import SystemClock
from cloud.collector.identity import collector_keys
from cloud.config import CloudConfig
from cloud.database.reader import PlantReader
from cloud.database.store import EvidenceStore
from cloud.errors import StoreError
from cloud.series.follow import FULL_S, POLL_S, SeriesFollower
from cloud.series.opening import open_series
from cloud.series.store import SeriesAwayError, SeriesStore
from cloud.store_targets import open_store, plants_in
from evidence.findings import utc
from evidence.owners import make_folder

PROGRESS_S, LOOK_S = 0.5, 0.05


class Stopped:
    """Evidence of a collector that does not run."""

    def __init__(self, config: CloudConfig, store: EvidenceStore, plant: str | None) -> None:
        self._config, self._store = config, store
        there = plants_in(store.database)
        if plant is not None and plant not in there:
            known = ", ".join(sorted(there)) or "none"
            raise StoreError(f"{store}: no evidence of plant {plant}; there is: {known}")
        self._named = {
            one.plant: one for one in config.plants
            if one.plant in there and plant in (None, one.plant)
        }  # fmt: skip

    def plants(self) -> Sequence[str]:
        """Ids of the plants, sorted."""
        return sorted(self._named)

    def evidence(self, plant: str) -> PlantReader:
        """A plant's evidence; StoreError where it is damaged."""
        keys = collector_keys(self._named[plant], self._store.certificates(plant))
        return self._store.open_plant(plant, self._config.signer, keys).reader


def refill(config: CloudConfig, plant: str | None) -> Iterator[str]:
    """Make the series of plants again; a sentence for each plant that is done.

    Args:
        config: says which store, and where evidence is.
        plant: only this one; None for all.

    Raises:
        SliceLockedError: the collector runs.
        StoreError: the store cannot be used, or takes nothing; or some plants' evidence cannot be
            read, or is refused: then all others were made.
    """
    make_folder(config.state_dir, 0o700)  # as the collector does
    amiss = list[str]()
    with ExitStack() as stack:
        desk = Stopped(config, stack.enter_context(closing(open_store(config))), plant)
        store = open_series(config.series, config.state_dir, config.slice, SystemClock())
        follower = stack.enter_context(closing(SeriesFollower(desk, store)))
        for name in desk.plants():
            config.accumulated(name).unlink(missing_ok=True)
            if why := _fill(desk, follower, store, name):
                amiss.append(f"{name}: {why}")
            else:
                yield _said(follower, name)
    if amiss:
        raise StoreError("; ".join(amiss))


def _fill(desk: Stopped, follower: SeriesFollower, store: SeriesStore, plant: str) -> str:
    """Follow a plant to its end; why it does not come there, a sentence, "" when it does.

    Raises:
        SeriesAwayError: the store takes nothing.
    """
    try:
        desk.evidence(plant)
    except StoreError as error:  # the series that stand are better than none
        return str(error)
    store.forget(plant)
    said_at = time.monotonic()
    while (wait_s := follower.step(plant)) != POLL_S or store.state().waiting:
        if why := store.state().trouble:
            raise SeriesAwayError(f"{plant}: {why}")
        if wait_s in (FULL_S, POLL_S):  # all is read: until it is written
            time.sleep(LOOK_S)
        if sys.stderr.isatty() and time.monotonic() - said_at >= PROGRESS_S:
            said_at = time.monotonic()
            print(f"\r… {_said(follower, plant)}  ", end="", file=sys.stderr, flush=True)
    if sys.stderr.isatty():
        print(f"\r{'':<78}\r", end="", file=sys.stderr)
    follower.step(plant)  # marks were set meanwhile, or something refused: what it says is of now
    told = sorted(follower.trouble().items())
    own = [f"{gateway}: {why}" if gateway else why for (of, gateway), why in told if of == plant]
    return "; ".join(own)


def _said(follower: SeriesFollower, plant: str) -> str:
    of = [one for one in follower.followed() if one.plant == plant]
    if not any(one.through_ns for one in of):
        return f"{plant}: no whole minute of readings yet"
    through_ns = min(one.through_ns for one in of)
    objects = sum(one.objects for one in of)
    return f"{plant}: series made again through {utc(through_ns)}; {objects} newer objects"
