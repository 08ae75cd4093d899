"""An archive as it is compared: its keys, its seal, its log and its statement, each checked.

Frames are not read: the log names each by its hash. Logs are held on disk, not in memory.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Self

from evidence import checkpoint
from evidence.archive import bag, paths
from evidence.errors import EvidenceError, KeyFileError
from evidence.findings import Report, said
from evidence.keys import Trusted, key_sha256
from evidence.verifier.figures import read_statement
from evidence.verifier.identities import Identities, check_identities
from evidence.verifier.key_orders import check_orders
from evidence.verifier.log_check import check_log
from evidence.verifier.log_view import LogView
from evidence.verifier.opened import Opened, Progress, check_bag, open_archive


@dataclass
class Member:
    """One archive; a context manager that gives file and disk back.

    Attributes:
        path: its file.
        report: what is wrong with it, as far as it was looked at.
        name: of its top folder.
        identities: its keys.
        log: what its log says.
        statement: None when it cannot be used.
        statement_sha256: hex, of its bytes.
    """

    path: Path
    report: Report = field(default_factory=Report)
    name: str = ""
    identities: Identities = field(default_factory=Identities)
    log: LogView = field(default_factory=LogView)
    statement: dict[str, Any] | None = None
    statement_sha256: str = ""
    _held: ExitStack = field(default_factory=ExitStack)

    @classmethod
    def read(cls, path: Path, trust: frozenset[Trusted] | None, progress: Progress) -> Self:
        """Read it; what is wrong with it stands in `report`.

        Raises:
            KeyFileError: the file cannot be read.
            ScratchError: the disk refuses temporary files.
        """
        made = cls(path)
        try:
            made._held.enter_context(made.log)
            made._read(made._held.enter_context(opened(path)), trust, progress)
        except BaseException:
            made.close()
            raise
        return made

    def _read(self, file: BinaryIO, trust: frozenset[Trusted] | None, progress: Progress) -> None:
        archive = open_archive(file, self.report)
        if archive is None:
            return
        self.name = archive.name
        check_bag(archive, self.report, progress)
        self.identities = check_identities(archive, self.report, trust)
        check_orders(archive, self.report, self.identities)
        check_log(archive, self.report, self.identities, self.log, progress)
        self._seal(archive)
        self.statement = read_statement(archive, self.report)
        if self.statement is not None:
            self.statement_sha256 = archive.sha256(paths.STATEMENT)
            if self.log.whole and self.statement_sha256 != self.log.statement_sha256.hex():
                sentence = "The log closed another statement than this."
                self.report.add("E-LOG-CLOSE", paths.STATEMENT, sentence)

    def _seal(self, archive: Opened) -> None:
        if (key := self.identities.collector) is None:
            return  # which was told
        try:
            bag.check_seal(archive.read(paths.SEAL), archive.tag_manifest_sha256, key)
        except EvidenceError as error:
            self.report.add("E-SEAL", paths.SEAL, said(error))

    def close(self) -> None:
        """Give file and disk back."""
        self._held.close()

    @property
    def faults(self) -> list[str]:
        """Codes for which nothing can be said of it, sorted; [] for none."""
        found = {one.code for one in self.report.findings if one.code[0] == "E"}
        if not found and not self.log.whole:
            found = {one.code for one in self.report.findings if one.code[0] == "C"}
        return sorted(found)

    @property
    def collectors(self) -> set[bytes]:
        """`key_sha256` of the collector's keys."""
        own = self.identities.collector
        return {key_sha256(key) for key in (own, *self.identities.earlier) if key is not None}

    @property
    def month(self) -> str:
        """Statement field as text; "?" where it cannot be used."""
        return "?" if self.statement is None else str(self.statement["input"].get("month"))

    @property
    def closing(self) -> str:
        """Statement field as text; "?" where it cannot be used."""
        return "?" if self.statement is None else str(self.statement["input"].get("closing"))


def in_order(files: Sequence[Path]) -> list[Path]:
    """The files by the size that their logs claim: the order in which they were sealed.

    Raises:
        KeyFileError: one cannot be read.
    """
    return sorted(files, key=_claimed_size)


def _claimed_size(path: Path) -> int:
    """Size of the log at the archive's end; -1 for a file that is no archive."""
    try:
        with opened(path) as file:
            archive = open_archive(file, Report())
            if archive is None:
                return -1
            note, _ = checkpoint.parse(archive.read(paths.LOG_CHECKPOINT).decode())
            return note.size
    except KeyFileError:
        raise
    except (EvidenceError, UnicodeDecodeError):
        return -1


def opened(path: Path) -> BinaryIO:
    """The file of an archive; KeyFileError where it cannot be read."""
    try:
        return path.open("rb")
    except OSError as error:
        raise KeyFileError(f"{path}: cannot be read: {error.strerror}") from error
