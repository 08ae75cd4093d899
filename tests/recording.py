"""What the suite's servers were asked, and the law it is held to when the run ends.

Servers and relays write in here what came to them on the wire; nothing a driver says of itself
counts. A run in which anything but reading was seen fails, whichever test it was in. That the
servers do write in here, the driver contract asserts for each protocol.

Where a wire cannot be read along (OPC UA under Basic256Sha256), node-opcua tells the requests it
got, and asyncua's server its own; what open62541 is asked there is not seen.
"""

import os
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

#: protocol -> all that a driver may send. Modbus Application Protocol 1.1b3, 6.1 to 6.4; OPC UA
#: Part 4: reading, browsing, subscribing, and the channels and sessions that these need; DL/T
#: 645-2007: read, read follow-up; HJ 212-2017: 9013 notice answer, 9014 data answer.
ALLOWED: Mapping[str, frozenset[str]] = {
    "Modbus": frozenset({"FC 1", "FC 2", "FC 3", "FC 4"}),
    "OPC UA": frozenset(
        {
            "OpenSecureChannelRequest", "CloseSecureChannelRequest",
            "GetEndpointsRequest", "CreateSessionRequest", "ActivateSessionRequest",
            "CloseSessionRequest",
            "ReadRequest", "BrowseRequest", "BrowseNextRequest",
            "CreateSubscriptionRequest", "CreateMonitoredItemsRequest", "PublishRequest",
            "DeleteSubscriptionsRequest",
        }
    ),
    "DL/T 645": frozenset({"11H", "12H"}),
    "HJ 212": frozenset({"9013", "9014"}),
    # a SELECT, and what makes the session read only or ends it
    "SQL": frozenset(
        {
            "SELECT", "PRAGMA query_only=ON", "PRAGMA trusted_schema=OFF", "PRAGMA schema_version",
            "BEGIN READ ONLY", "ROLLBACK",
        }
    ),
    "blueprint": frozenset({"READ"}),
}  # fmt: skip


class Record:
    """What was asked, and in which test first.

    Attributes:
        seen: protocol -> what -> the test in which it came first.
    """

    def __init__(self) -> None:
        self.seen: dict[str, dict[str, str]] = {}
        self.counts: Counter[str] = Counter()
        self._on_purpose = False

    @contextmanager
    def on_purpose(self) -> Iterator[None]:
        """Notes nothing meanwhile: a test sends what no driver may, past the gate.

        `tests/house/test_recording.py` lists the files that use it.
        """
        self._on_purpose = True
        try:
            yield
        finally:
            self._on_purpose = False

    def note(self, protocol: str, what: str) -> None:
        """A server was asked; called from any thread."""
        if self._on_purpose:
            return
        self.counts[protocol] += 1
        test = os.environ.get("PYTEST_CURRENT_TEST", "outside of a test").partition(" ")[0]
        self.seen.setdefault(protocol, {}).setdefault(what, test)

    def complaints(self) -> list[str]:
        """Why the run fails; [] when it does not."""
        return [
            f"{protocol} {what} reached a server, first in {test}"
            for protocol, found in sorted(self.seen.items())
            for what, test in sorted(found.items())
            if what not in ALLOWED.get(protocol, frozenset())
        ]


#: what a test says to PostgreSQL before it tries what the gate would not let through
BEHIND_THE_GATE = "SET application_name = 'behind the gate'"

#: of this run
RECORD = Record()


def note_pymodbus(is_sending: bool, pdu: object) -> object:
    """For the `trace_pdu` of pymodbus's server: it sees each request before it is answered."""
    if not is_sending:
        RECORD.note("Modbus", f"FC {getattr(pdu, 'function_code', None)}")
    return pdu


def note_sql(statement: str) -> None:
    """A statement as the database was given it; of a SELECT only that it is one."""
    text = " ".join(statement.split())
    RECORD.note("SQL", "SELECT" if text.startswith("SELECT ") else text)


@contextmanager
def recorded_sqlite() -> Iterator[None]:
    """SQLite tells each statement it runs for the table driver."""
    from edge.drivers.table import database

    def connect(*args: Any, **kwargs: Any) -> sqlite3.Connection:
        made: sqlite3.Connection = sqlite3.connect(*args, **kwargs)
        made.set_trace_callback(note_sql)
        return made

    library = SimpleNamespace(**{**vars(sqlite3), "connect": connect})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "sqlite3", library)
        yield


@contextmanager
def recorded_asyncua() -> Iterator[None]:
    """Every asyncua server of this process tells the requests it gets."""
    from asyncua.server.uaprocessor import UaProcessor
    from asyncua.ua.object_ids import ObjectIdNames

    process = UaProcessor._process_message

    async def processing(self: Any, typeid: Any, *rest: Any) -> object:
        RECORD.note("OPC UA", ObjectIdNames[typeid.Identifier].partition("_")[0])
        return await process(self, typeid, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(UaProcessor, "_process_message", processing)
        yield


def note_postgresql(log: str, program: str) -> None:
    """What a program had PostgreSQL do, from a server's log with `log_line_prefix='%a|'`."""
    said = re.findall(rf"^{program}\|LOG:  (?:statement|execute [^:]*): (.*)$", log, re.MULTILINE)
    for statement in said:
        if statement != BEHIND_THE_GATE:
            note_sql(statement)


class Watch:
    """The hooks of pytest that hold a run to it."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if RECORD.complaints():
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for complaint in RECORD.complaints():
            terminalreporter.write_line(f"READ-ONLY BROKEN: {complaint}", red=True)
        if RECORD.counts:
            counted = ", ".join(f"{name} {count}" for name, count in sorted(RECORD.counts.items()))
            terminalreporter.write_line(f"requests seen by servers: {counted}")
