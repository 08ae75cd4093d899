"""A sealed archive as a drill's source: read by its paths, nothing is unpacked. File I/O.

Container, hashes and the statement's own arithmetic are checked when it is opened; log and
documents when they are asked for. Signatures of all frames, and the figures from the readings, are
the verifier's.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, BinaryIO

from evidence import cose
from evidence.archive import paths
from evidence.documents.standing import Standing
from evidence.drill.readings import HOUR_NS
from evidence.errors import MalformedError
from evidence.findings import Report
from evidence.frame import place_of
from evidence.keys import certificate_from_pem, identity
from evidence.log import Entry, decode_entry
from evidence.recompute import check_statement_input, compute_statement
from evidence.records import records_in
from evidence.verifier.figures import read_statement
from evidence.verifier.log_check import log_range
from evidence.verifier.opened import check_bag, open_archive
from evidence.verifier.records import Archived, read_archived


class ArchiveSource:
    """One archive file; `evidence.drill.source.Source` says what each method does.

    Args:
        file: the archive, seekable, open as long as this is used.

    Raises:
        MalformedError: it is none, or not whole; `stackproof verify` says more.
        UnsupportedError: it is newer than this program.
    """

    def __init__(self, file: BinaryIO) -> None:
        report = Report()
        self._file, opened = file, open_archive(file, report)
        if opened is None:
            raise MalformedError(report.weighed()[0].sentence)
        self._archive = opened
        check_bag(opened, report, lambda _: None)
        statement = read_statement(opened, report)
        if report.findings or statement is None:
            first = report.weighed()[0]
            raise MalformedError(f"{first.code} {first.where}: {first.sentence}")
        check_statement_input(statement["input"])
        if compute_statement(statement["input"]) != statement["output"]:
            raise MalformedError("its figures are not those that its input gives")
        self._statement = statement
        _, self._plant, _ = identity(certificate_from_pem(self.root()))

    @property
    def plant(self) -> str:
        """Plant id, as the root certificate says it."""
        return self._plant

    @property
    def month(self) -> str:
        """Of the statement."""
        return str(self._statement["input"]["month"])

    def streams(self) -> Sequence[str]:
        """Gateway ids that have objects, sorted."""
        return sorted(self._archive.streams)

    def objects(self, stream: str, from_ns: int, to_ns: int) -> Iterator[bytes]:
        """Objects of the hours that this time touches."""
        for hour in range(from_ns // HOUR_NS, -(-to_ns // HOUR_NS)):
            path = paths.frames(stream, paths.hour_text(hour))
            if path in self._archive:
                yield from records_in(self._archive.chunks(path))

    @cached_property
    def _configurations(self) -> Mapping[str, list[bytes]]:
        found: dict[str, list[tuple[int, bytes]]] = {}
        for path in self._archive.paths():
            if match := paths.CONFIG.fullmatch(path):
                place = place_of(cose.parse(self._archive.read(path)))
                found.setdefault(place.stream, []).append((place.seq, bytes.fromhex(match[1])))
        return {stream: [sha256 for _, sha256 in sorted(ones)] for stream, ones in found.items()}

    def configurations(self, stream: str) -> Sequence[bytes]:
        """All of the archive, by their seq."""
        return self._configurations.get(stream, [])

    def configuration(self, sha256: bytes) -> bytes:
        """A signed configuration."""
        return self._archive.read(paths.config(sha256))

    def root(self) -> bytes:
        """PEM of the plant's root certificate."""
        return self._archive.read(paths.ROOT_CERTIFICATE)

    def gateways(self) -> Sequence[bytes]:
        """PEM of the gateways' certificates."""
        named = (p for p in self._archive.paths() if paths.GATEWAY_CERTIFICATE.fullmatch(p))
        return [self._archive.read(path) for path in named]

    def entry(self, stream: str, seq: int) -> tuple[int, Entry] | None:
        """Looked for from the beginning of the archive's piece of the log."""
        index = log_range(self._archive).size
        for data in records_in(self._archive.chunks(paths.LOG_ENTRIES)):
            entry = decode_entry(data)
            if (entry.stream, entry.seq) == (stream, seq):
                return index, entry
            index += 1
        return None

    def statement(self) -> Mapping[str, Any]:
        """The statement."""
        return self._statement

    @cached_property
    def _archived(self) -> Archived:
        return read_archived(self._file)

    def standing(self) -> Standing:
        """Verified as the verifier does it."""
        return self._archived.standing
