"""`stackproof cloud rebuild --series`: the store of series made again from the log. Prints.

Only while the collector is stopped. What was logged after its last clean stop is followed by the
collector itself when it runs again, as is everything here that a store refuses.
"""

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from cloud.clock import SystemClock
from cloud.config import load_cloud
from cloud.errors import StoreError
from cloud.series.follow import FULL_S, POLL_S, SeriesFollower
from cloud.series.opening import open_series
from cloud.series.store import SeriesAwayError, SeriesStore
from cloud.store.layout import PlantFolder
from cloud.store.reader import Committed, PlantReader
from cloud.store.recovery import left_state
from evidence.findings import utc
from evidence.owners import make_folder

PROGRESS_S, LOOK_S = 0.5, 0.05


class Stopped:
    """Evidence of a collector that does not run, as far as it was left in order."""

    def __init__(self, folders: Mapping[str, Path]) -> None:
        self._folders, self._readers = folders, dict[str, PlantReader]()

    def plants(self) -> Sequence[str]:
        """Ids of the plants, sorted."""
        return sorted(self._folders)

    def evidence(self, plant: str) -> PlantReader:
        """A plant's evidence; StoreError where it was not left in order."""
        if plant not in self._readers:
            folder = PlantFolder(self._folders[plant])
            state = left_state(folder)
            if state is None:
                raise StoreError(
                    f"{folder.root}: holds no state of a clean stop: start the collector and stop "
                    "it, then make the series again"
                )
            left = partial(Committed, state, "")
            self._readers[plant] = PlantReader(plant, folder, left)
        return self._readers[plant]


def refill(config_file: Path, folders: Mapping[str, Path]) -> Iterator[str]:
    """Make the series of plants again; a sentence for each plant that is done.

    Args:
        config_file: CLOUD.toml; it says which store.
        folders: plant id -> its evidence.

    Raises:
        CloudConfigError: the file is wrong.
        StoreError: the store cannot be used, or takes nothing; or some plants' evidence cannot be
            read, or is refused: then all others were made.
    """
    if not config_file.is_file():
        raise StoreError(f"{config_file}: --series needs CLOUD.toml, which says where series are")
    config, desk = load_cloud(config_file), Stopped(folders)
    make_folder(config.state_dir, 0o700)  # as the collector does
    store = open_series(config.series, config.state_dir, config.slice, SystemClock())
    follower, amiss = SeriesFollower(desk, store), list[str]()
    try:
        for plant in desk.plants():
            if why := _fill(desk, follower, store, plant):
                amiss.append(f"{plant}: {why}")
            else:
                yield _said(follower, plant)
    finally:
        follower.close()
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
