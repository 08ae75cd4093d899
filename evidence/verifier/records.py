"""The documents of an archive, for who wants to look at them: verified as the verifier does it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from evidence.archive import paths
from evidence.documents.people import People
from evidence.documents.standing import Standing
from evidence.errors import MalformedError
from evidence.findings import Report, shown
from evidence.verifier.documents import DocumentCheck
from evidence.verifier.identities import check_identities
from evidence.verifier.key_orders import check_orders
from evidence.verifier.log_check import check_log
from evidence.verifier.log_view import LogView
from evidence.verifier.opened import check_bag, open_archive


@dataclass(frozen=True)
class Archived:
    """Documents of an archive.

    Attributes:
        plant: plant id.
        people: who may sign, at its end.
        standing: what is in it.
        statement: statement.json, as it is.
        attached: SHA-256 of an attached file -> its bytes, while the archive is open.
    """

    plant: str
    people: People
    standing: Standing
    statement: bytes
    attached: Callable[[bytes], bytes]


def read_archived(file: BinaryIO) -> Archived:
    """The documents of an archive whose container, keys, log and documents are in order.

    Readings and figures are not looked at, nor whose root it is.

    Args:
        file: the archive, seekable.

    Raises:
        MalformedError: something of it is not in order; `stackproof verify` says all of it.
        ScratchError: the disk refuses temporary files.
    """
    report = Report()
    archive = open_archive(file, report)
    if archive is None:
        raise _amiss(report)
    check_bag(archive, report, lambda _: None)
    identities = check_identities(archive, report, None)
    check_orders(archive, report, identities)
    with LogView() as log:
        check_log(archive, report, identities, log, lambda _: None)
        documents = DocumentCheck(archive, report, identities, log)
        documents.check()
    if documents.undecided or any(finding.code[0] in "EC" for finding in report.findings):
        raise _amiss(report)
    return Archived(
        identities.plant, documents.people, documents.standing,
        archive.read(paths.STATEMENT),
        lambda sha256: archive.read(paths.record_file(sha256)),
    )  # fmt: skip


def _amiss(report: Report) -> MalformedError:
    codes = sorted({one.code for one in report.findings if one.code[0] in "EC"})
    return MalformedError(
        f"the archive is not in order ({shown(', '.join(codes))}); `stackproof verify` says more"
    )
