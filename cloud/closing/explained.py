"""The configuration that explains, after a month's end, what its meters said. Reads evidence.

A meter's change on a month's last evening is explained the next morning: the configuration that
does so stands in the next month, and goes into this one's archive too.
"""

from cloud.closing.log import MonthClose
from cloud.closing.zone import configuration_of
from cloud.collector.desk import PlantEvidence
from cloud.database.objects import StoredObject
from evidence import cose
from evidence.meter_settings import rows_of, stated_of

Stated = set[tuple[str, str, str, str]]


def explanations_of(evidence: PlantEvidence, close: MonthClose) -> dict[bytes, bytes]:
    """SHA-256 -> the newest configuration of a stream that explains something after the month.

    Only one that was logged before the month was closed, and that the key of the month's last
    object has signed: for another key more would have to be in the archive.
    """
    found: dict[bytes, bytes] = {}
    for stream, span in close.streams.items():
        seqs = evidence.configs(stream)
        before = max((seq for seq in seqs.values() if seq <= span.last), default=None)
        for cfg, seq in reversed(list(seqs.items())):
            if seq <= span.last or before is None:
                break
            new = _object(evidence, stream, seq)
            if new.log_index < close.index:
                old, last = (_object(evidence, stream, at) for at in (before, span.last))
                if _explains(new.data, old.data, last.data):
                    found[cfg] = new.data
                break
    return found


def _explains(new: bytes, old: bytes, last: bytes) -> bool:
    """It states what the one before did not, and is signed by the key of the last object."""
    return cose.parse(new).kid == cose.parse(last).kid and bool(_stated(new) - _stated(old))


def _stated(data: bytes) -> Stated:
    """(device, setting, value, reason) of a configuration object."""
    return {
        (device, name, value, reason)
        for device, rows in rows_of(configuration_of(data)).items()
        for name, row in rows.items()
        for value, reason in stated_of(row)
    }


def _object(evidence: PlantEvidence, stream: str, seq: int) -> StoredObject:
    (stored,) = evidence.objects(stream, seq, seq + 1)
    return stored
