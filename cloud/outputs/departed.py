"""Where a sealed month departed from its control plan, made of its archive alone. Reads archives.

The plan, the certificates, the configurations and the statement are all in the archive, signed or
sealed, so whoever has it makes the same sentences; docs/control-plan.md, ADR 0036.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from cloud.plan.attached import CONTROL_PLAN, plan_file, read_plan
from cloud.plan.rules import rules_of
from evidence import cose
from evidence.archive import paths
from evidence.configuration import decode_configuration
from evidence.documents.document import Document
from evidence.errors import MalformedError
from evidence.frame import TYP_FRAME, place_of
from evidence.plan.certificates import certificate_of
from evidence.plan.checks import check_of
from evidence.plan.departures import Departure, departures
from evidence.plan.plan import Plan
from evidence.plan.sentences import said
from evidence.recompute import month_bounds
from evidence.records import records_in
from evidence.verifier.opened import Opened


@dataclass(frozen=True)
class Planned:
    """What an archive says of its month's plan.

    Attributes:
        plan_sha256: hex, of the plan's file; "" where no plan of the year stands in the archive.
        revision: of it.
        problem: why the plan that stands tells nothing; "" otherwise.
        departures: in the plan's order.
    """

    plan_sha256: str = ""
    revision: int = 0
    problem: str = ""
    departures: Sequence[Departure] = ()

    def sentences(self, language: str) -> list[tuple[str, str, str]]:
        """(what it is about, what is so, what mends it) of each departure."""
        return [(one.about, *said(one, language)) for one in self.departures]


NO_PLAN = Planned()


def planned(
    archive: Opened,
    documents: Sequence[Document],
    statement: Mapping[str, Any],
    closed_on: str | None,
) -> Planned:
    """The plan of the month's year, and how the month departed from it.

    Args:
        archive: whole; its hashes hold.
        documents: that stand in it.
        statement: its statement.json.
        closed_on: the date it was closed on; certificates are asked of no later day.
    """
    month = str(statement["input"]["month"])
    plans = [d for d in documents if (d.kind, d.about) == (CONTROL_PLAN, month[:4])]
    if not plans:
        return NO_PLAN
    newest = max(plans, key=lambda document: int(document.body["revision"]))
    found = str(newest.body["plan_sha256"].hex()), int(newest.body["revision"])
    try:
        plan = _read(archive, newest)
    except MalformedError as error:
        return Planned(*found, problem=str(error))
    until = None if closed_on is None else date.fromisoformat(closed_on)
    return Planned(*found, departures=_departures(archive, plan, documents, statement, until))


def _read(archive: Opened, document: Document) -> Plan:
    sha256 = plan_file(document)
    if sha256 is None or paths.record_file(sha256) not in archive:
        raise MalformedError("its document has no file that is its plan in TOML")
    return read_plan(archive.read(paths.record_file(sha256)))


def _departures(
    archive: Opened,
    plan: Plan,
    documents: Sequence[Document],
    statement: Mapping[str, Any],
    until: date | None,
) -> list[Departure]:
    """Held against each configuration that was in force, the last one first; each told once."""
    month = str(statement["input"]["month"])
    certificates = [made for one in documents if (made := certificate_of(one)) is not None]
    checks = [check for one in documents if (check := check_of(one)) is not None]
    found: list[Departure] = []
    for config in reversed(list(_in_force(archive))):
        bounds = month_bounds(config["plant"]["time_zone"], month)
        told = departures(
            plan, [config], certificates, month, statement=statement, rules=rules_of(plan),
            until=until, checks=[one for one in checks if bounds[0] <= one.at_ns < bounds[1]],
        )  # fmt: skip
        found += [one for one in told if one not in found]
    return found


def _in_force(archive: Opened) -> Iterator[Mapping[str, Any]]:
    """Configurations that the month's frames may name: the first frame's, and all after it."""
    first = _first_frame(archive)
    if first is None:
        return
    signed = []
    for path in archive.paths():
        if match := paths.CONFIG.fullmatch(path):
            envelope = cose.parse(archive.read(path))
            header = place_of(envelope)
            if bytes.fromhex(match[1]) == first[2] or (
                header.stream == first[0] and header.seq > first[1]
            ):
                signed.append((header.seq, envelope.payload))
    for _, payload in sorted(signed):
        yield decode_configuration(payload)


def _first_frame(archive: Opened) -> tuple[str, int, bytes] | None:
    """Stream, place and configuration of the first frame; a sealed month is of one stream."""
    for path in sorted(archive.paths()):
        if paths.FRAMES.fullmatch(path):
            for data in records_in(archive.chunks(path)):
                header = place_of(cose.parse(data))
                if header.typ == TYP_FRAME:
                    return header.stream, header.seq, header.cfg or b""
    return None
