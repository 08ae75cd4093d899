"""The start: opens every plant, and reads again what the page has to know. Blocking disk I/O."""

import contextlib
import errno
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy.exc import OperationalError

from cloud.collector.identity import PlantIdentity
from cloud.collector.intake import Intake
from cloud.collector.plant import EnrolledPlant
from cloud.collector.watch import clock_unlikely
from cloud.database.reader import PlantReader
from cloud.errors import DatabaseAwayError, NotReplicatedError, StoreError
from evidence import cose
from evidence.configuration import decode_configuration
from evidence.errors import EvidenceError, KeyFileError

#: what the disk says of one file, and not of itself
_OF_ONE = {errno.EACCES, errno.EPERM, errno.EIO, errno.EISDIR, errno.ENOTDIR}


def newest_config(reader: PlantReader, stream: str) -> Mapping[str, Any] | None:
    """The configuration in force, None when the stream has none.

    Raises:
        StoreError: it is not on disk as it was committed.
        EvidenceError: this program refuses it; an earlier one took it.
    """
    configs = reader.configs(stream)
    if not configs:
        return None
    newest = max(configs.values())
    (found,) = reader.objects(stream, newest, newest + 1)
    return decode_configuration(cose.parse(found.data).payload)


def open_plants(
    intake: Intake,
    identities: Sequence[PlantIdentity],
    start_after: Callable[[int], object] = lambda _: None,
) -> list[tuple[str, str]]:
    """Open every plant before the collector starts. Blocking disk I/O.

    Args:
        intake: where.
        identities: which.
        start_after: told when the newest entry of all was received, 0 for none, before any entry
            is staged.

    Returns:
        (plant, sentence) of all that was not as a clean stop leaves it, damaged plants first.

    Raises:
        StoreError: database or key refuses. What is wrong with one plant alone holds it up alone.
        OSError: likewise.
    """
    notes: list[tuple[str, str]] = []
    newest = 0
    for identity in identities:
        with contextlib.suppress(StoreError, OSError):  # it is told below
            newest = max(newest, intake.log_of(identity)[0].state.received_ns)
    start_after(newest)
    for identity in identities:
        plant = identity.plant
        try:
            opened = intake.open(identity)
        except (StoreError, OSError, EvidenceError) as error:
            if not _is_of_one(error):
                raise
            intake.store.give_up(plant, _text(error))
            why = intake.plants.not_served()[plant]
            notes.insert(0, (plant, f"plant {plant} is NOT served: {why}"))
            continue
        notes += [(plant, sentence) for sentence in _warnings(opened)]
        found = [*opened.store.notes, *opened.news.taken, *opened.news.problems]
        notes += [(plant, f"plant {plant}: {note}") for note in found]
    for plant, reason in intake.commit().failed.items():
        why = f"plant {plant}: evidence cannot be written: {reason}"
        if not _is_of_one(reason):
            raise StoreError(why) from reason
        notes.insert(0, (plant, why))  # the collector's next commits try again, and raise an alarm
    return notes


def _is_of_one(error: StoreError | OSError | EvidenceError) -> bool:
    """One plant's rows or files are wrong; the database and the key as such are there.

    No reason to hold up all others: the page says of this one what is to be done.
    """
    if isinstance(error, OSError):
        return error.errno in _OF_ONE
    is_of_all = isinstance(error, DatabaseAwayError | NotReplicatedError | KeyFileError)
    return not is_of_all and not isinstance(error.__cause__, OperationalError)


def _text(error: StoreError | OSError | EvidenceError) -> str:
    return f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else str(error)


def _warnings(opened: EnrolledPlant) -> list[str]:
    """What is allowed and yet worth a look."""
    plant, gateways = opened.store.plant, len(opened.keyring.gateways)
    found = [clock_unlikely(opened.clock_ns(), opened.store.state.received_ns)]
    if gateways > 1:
        found.append(
            f"it has {gateways} gateways, and only months of exactly one gateway a plant can be "
            "closed by this version: make each gateway a plant of its own"
        )
    return [f"plant {plant}: WARNING: {sentence}" for sentence in found if sentence]
