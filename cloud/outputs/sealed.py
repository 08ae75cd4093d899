"""A sealed month read from its archive: statement, documents, hashes. File I/O.

The container, every hash of the bag, and that the statement's figures are those its input gives,
are checked before anything is made of it; an archive that fails there is refused. Signatures, and
the input from the readings, are the verifier's, which the report runs.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from cloud.closing.kept import file_sha256
from cloud.outputs.departed import NO_PLAN, Planned, planned
from cloud.outputs.errors import OutputError
from edge.calc.errors import UnknownRuleSetError
from edge.calc.factors import RuleSet
from edge.calc.statements.statement import statement_rules
from evidence import cose
from evidence.archive import paths
from evidence.configuration import decode_configuration
from evidence.documents.document import Document, unverified_document
from evidence.documents.review import ANSWER
from evidence.errors import EvidenceError, MalformedError, UnsupportedError
from evidence.findings import Report, shown
from evidence.frame import TYP_FRAME, Body, decode_body, place_of
from evidence.frame_form import FrameForm, check_order, last_tick_ns
from evidence.month_state import MonthState, issues_of, state_of
from evidence.plan.declared import CONTROL_PLAN, declared_but_absent
from evidence.plan.plan import PLAN_BYTES_MAX
from evidence.printed import printable
from evidence.recompute import (
    STATEMENT_FORMATS,
    bounded_statement,
    check_statement_input,
    compute_statement,
)
from evidence.records import records_in
from evidence.verifier.opened import Opened, check_bag, open_archive


@dataclass(frozen=True)
class SealedMonth:
    """What papers are made of.

    Attributes:
        sha256: hex, of the archive file as it is.
        statement_sha256: hex, of statement.json.
        simulated: the statement says so.
        given: the statement's input.
        output: the statement's output.
        rules: the rule set it was made by.
        plant: id, name, sector and time zone of its newest configuration.
        documents: what persons signed and still stands, in no order; read, not verified.
        replaces: hex SHA-256 of the statement it replaces, "" for none.
        closed_on: the date it was closed on, as the bag says.
        planned: its control plan, and where it departed from it.
        declared: flags of what its approved control plan declares and the statement lacks.
    """

    sha256: str
    statement_sha256: str
    simulated: bool
    given: Mapping[str, Any]
    output: Mapping[str, Any]
    rules: RuleSet
    plant: Mapping[str, Any]
    documents: Sequence[Document]
    replaces: str
    closed_on: str
    planned: Planned = NO_PLAN
    declared: Sequence[str] = ()

    @cached_property
    def state(self) -> MonthState:
        """Everything that belongs beside its total, as the archive alone says: not verified."""
        issues = issues_of(self.given, self.output, self.declared)
        return state_of(issues, closing=self.closing)

    @property
    def month(self) -> str:
        """Which month, as "2026-10", in the plant's time zone."""
        return str(self.given["month"])

    @property
    def closing(self) -> str:
        """How it was closed: "interim" or "final"."""
        return str(self.given["closing"])


def read_sealed(path: Path) -> SealedMonth:
    """The month of an archive file.

    Raises:
        OutputError: it cannot be read, was damaged or altered, or is newer than this program.
    """
    with opened(path) as archive:
        try:
            return _month(archive, file_sha256(path))
        except UnsupportedError as error:
            raise OutputError(f"{path}: newer than this program: {error}") from error
        except UnknownRuleSetError as error:
            raise OutputError(f"{path}: {error}") from error
        except (EvidenceError, LookupError, TypeError, ValueError) as error:
            raise OutputError(
                f"{path}: its statement cannot be read: {shown(str(error))}"
            ) from error


@contextmanager
def opened(path: Path) -> Iterator[Opened]:
    """An archive whose container and hashes are sound; OutputError otherwise."""
    report = Report()
    try:
        with path.open("rb") as file:
            archive = open_archive(file, report)
            if archive is not None:
                check_bag(archive, report, lambda _: None)
            if archive is None or report.findings:
                first = report.weighed()[0]
                raise OutputError(
                    f"{path}: {first.code} {first.where}: {first.sentence} No paper is made of an "
                    "archive that is not whole; see stackproof verify"
                )
            yield archive
    except OSError as error:
        raise OutputError(f"{path}: cannot be read: {error.strerror}") from error


def _month(archive: Opened, sha256: str) -> SealedMonth:
    data = bounded_statement(archive.read(paths.STATEMENT))
    statement = json.loads(data)
    if statement["format"] not in STATEMENT_FORMATS:
        raise UnsupportedError(f"statement format {shown(str(statement['format']))}")
    given, output = statement["input"], statement["output"]
    check_statement_input(given)
    if compute_statement(given) != output:
        raise MalformedError("its figures are not those that its input gives")
    papers = _papers(archive)
    documents = list(papers.values())
    return SealedMonth(
        sha256=sha256,
        statement_sha256=hashlib.sha256(data).hexdigest(),
        simulated=bool(statement["simulated"]),
        given=given,
        output=output,
        rules=statement_rules(output["rule_set"]),
        plant=_plant(archive),
        documents=documents,
        replaces=archive.replaces or "",
        closed_on=archive.closed_on or "",
        planned=planned(archive, documents, statement, archive.closed_on),
        declared=_declared(archive, papers, given, output),
    )


def configurations(archive: Opened) -> Mapping[bytes, Mapping[str, Any]]:
    """SHA-256 of the signed object -> configuration, of all in the archive."""
    found = {}
    for path in archive.paths():
        if match := paths.CONFIG.fullmatch(path):
            payload = cose.parse(archive.read(path)).payload
            found[bytes.fromhex(match[1])] = decode_configuration(payload)
    return found


def frames_of(archive: Opened) -> Iterator[tuple[Mapping[str, Any], Body]]:
    """Each frame that fits the configuration it names, with that; EvidenceError where unsound.

    Stream by stream; of one that does not fit, or whose ticks go back, no figure is made.
    """
    known, forms = configurations(archive), dict[bytes, FrameForm]()
    newest = dict[str, int]()
    for path in archive.paths():
        if paths.FRAMES.fullmatch(path):
            for data in records_in(archive.chunks(path)):
                envelope = cose.parse(data)
                header = place_of(envelope)
                cfg = header.cfg or b""
                if header.typ != TYP_FRAME or (config := known.get(cfg)) is None:
                    continue
                form = forms[cfg] = forms.get(cfg) or FrameForm(config)
                body, last_ns = decode_body(envelope.payload), newest.get(header.stream, 0)
                try:
                    form.check(body)
                    check_order(body, last_ns)
                except MalformedError:
                    continue
                if body.sections:
                    newest[header.stream] = last_tick_ns(body)
                yield config, body


def _plant(archive: Opened) -> Mapping[str, Any]:
    """Of configurations the one signed last by its gateway's clock, each text of one line.

    Raises:
        MalformedError: there is none.
    """
    newest, signed_s = dict[str, Any](), -1
    for path in archive.paths():
        if paths.CONFIG.fullmatch(path):
            envelope = cose.parse(archive.read(path))
            at = envelope.header[cose.CWT_CLAIMS][cose.CWT_IAT]
            if at > signed_s:
                newest, signed_s = decode_configuration(envelope.payload)["plant"], at
    if not newest:
        raise MalformedError("no configuration is in the archive: whose month it is stands nowhere")
    # a name stands beside what the paper says: it is to turn no line about, nor begin one
    return {key: printable(of) if isinstance(of, str) else of for key, of in newest.items()}


def _declared(
    archive: Opened,
    papers: Mapping[str, Document],
    given: Mapping[str, Any],
    output: Mapping[str, Any],
) -> list[str]:
    """Flags of what the year's approved control plans declare and the statement lacks."""
    year = str(given["month"])[:4]
    approved = {
        sha256.hex()
        for document in papers.values()
        if document.kind == "approve"
        for sha256 in document.follows
    }
    found: list[str] = []
    for sha256, document in papers.items():
        if (document.kind, document.about) == (CONTROL_PLAN, year) and sha256 in approved:
            path = paths.record_file(document.body["plan_sha256"])
            if path in archive and archive.size(path) <= PLAN_BYTES_MAX:
                found += declared_but_absent(archive.read(path), given, output)
    return found


def _papers(archive: Opened) -> dict[str, Document]:
    """Hex SHA-256 -> document, of those that no other corrects or withdraws."""
    found = {
        match[1]: unverified_document(archive.read(path))
        for path in archive.paths()
        if (match := paths.RECORD.fullmatch(path))
    }
    ended = {
        sha256.hex()
        for document in found.values()
        if document.kind not in ("approve", ANSWER)
        for sha256 in document.follows
    }
    return {sha256: document for sha256, document in found.items() if sha256 not in ended}
