"""A plant's running store as a drill's source. Any thread; StoreError where the disk disagrees."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cloud.collector.desk import PlantEvidence, PlantKeys
from evidence.documents.standing import Standing
from evidence.errors import MalformedError
from evidence.log import Entry, decode_entry


class StoreSource:
    """One plant in one month; `evidence.drill.source.Source` says what each method does.

    Args:
        evidence: what is committed.
        keys: certificates of the plant.
        standing: what persons signed.
        statement: of the month's archive, None without one.
        month: "YYYY-MM".
        bounds_ns: its first instant, and the next month's.
    """

    def __init__(  # noqa: PLR0917 - each is another thing
        self, evidence: PlantEvidence, keys: PlantKeys, standing: Standing,
        statement: Mapping[str, Any] | None, month: str, bounds_ns: tuple[int, int],
    ) -> None:  # fmt: skip
        self.evidence, self._keys, self._standing = evidence, keys, standing
        self._statement, self._month, self.bounds_ns = statement, month, bounds_ns

    @property
    def plant(self) -> str:
        """Plant id."""
        return self.evidence.plant

    @property
    def month(self) -> str:
        """Which month."""
        return self._month

    def streams(self) -> Sequence[str]:
        """Gateway ids that have objects, sorted."""
        return self.evidence.streams()

    def objects(self, stream: str, from_ns: int, to_ns: int) -> Iterator[bytes]:
        """By the index: only what is asked for is read."""
        first, stop = self.evidence.span(stream, from_ns, to_ns)
        for stored in self.evidence.objects(stream, first, stop):
            yield stored.data

    def configurations(self, stream: str) -> Sequence[bytes]:
        """Those of the month and the one in force when it began; without objects of it, the last.

        A configuration before the stream's first frame is of that frame's month.
        """
        first, stop = self.evidence.span(stream, *self.bounds_ns)
        known = list(self.evidence.configs(stream).items())
        seqs = [seq for _, seq in known]
        begin = max(bisect_left(seqs, first + 1) - 1, 0)
        end = bisect_left(seqs, stop) if stop > first else len(seqs)
        return [sha256 for sha256, _ in known[begin:end]]

    def configuration(self, sha256: bytes) -> bytes:
        """A signed configuration of any of the streams."""
        for stream in self.evidence.streams():
            seq = self.evidence.configs(stream).get(sha256)
            if seq is not None:
                return next(self.evidence.objects(stream, seq, seq + 1)).data
        raise MalformedError(f"plant {self.plant} has no configuration {sha256.hex()}")

    def root(self) -> bytes:
        """PEM of the plant's root certificate."""
        return self._keys.root

    def gateways(self) -> Sequence[bytes]:
        """PEM of the gateways' certificates."""
        return list(self._keys.gateways.values())

    def entry(self, stream: str, seq: int) -> tuple[int, Entry] | None:
        """By the index."""
        stored = next(iter(self.evidence.objects(stream, seq, seq + 1)), None)
        if stored is None:
            return None
        index = stored.log_index
        ((_, data),) = self.evidence.entries(index, index + 1)
        return index, decode_entry(data)

    def statement(self) -> Mapping[str, Any] | None:
        """The statement of the archive that stands."""
        return self._statement

    def standing(self) -> Standing:
        """What persons signed, as it is now."""
        return self._standing
