"""Tables of what the cloud keeps beside evidence: accounts, openings, alarms, shifts, months.

Nothing here is evidence. Some of it nothing else could make again (accounts, openings, alarms,
shifts, closings that were ordered); the rest follows from the log and the archives.

Times are nanoseconds since 1970 UTC, `about`, `told` and `body` are text for their own readers.
"""

from typing import Any

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    LargeBinary,
    Table,
    Text,
    event,
)

from cloud.database.schema import ID, metadata

#: every table of the database, those of evidence included
EVERY_TABLE = metadata
_OF_EVIDENCE = frozenset(metadata.tables)


def _text(*names: str) -> list[Column[str]]:
    return [Column(name, Text, nullable=False) for name in names]


def _key(*names: str) -> list[Column[str]]:
    return [Column(name, Text, primary_key=True) for name in names]


def _whole(*names: str) -> list[Column[int]]:
    return [Column(name, BigInteger, nullable=False) for name in names]


def _whole_key(name: str) -> Column[int]:
    return Column(name, BigInteger, primary_key=True, autoincrement=False)


# -- people ---------------------------------------------------------------------------------------

#: accounts, sessions, devices, links, tokens, cookies and lanes of sign-in: JSON of their row
account_row = Table(
    "account_row", metadata,
    *_key("kind", "id"), *_text("owner", "body"),
    Index("ix_account_row_owner", "kind", "owner"),
)  # fmt: skip

#: the chained security log; never changed, and only its oldest rows can go
security_event = Table(
    "security_event", metadata,
    _whole_key("seq"), *_whole("at_ns"), *_text("event", "body"),
    Index("ix_security_event_at", "at_ns"), Index("ix_security_event_of", "event", "seq"),
)  # fmt: skip

#: what each reviewer opened of a month, and when first
opened = Table(
    "opened", metadata, *_key("account", "plant", "month", "item"), *_whole("at_ns")
)  # fmt: skip

_SQLITE = (
    """CREATE TRIGGER security_event_is_kept BEFORE UPDATE ON security_event
    BEGIN SELECT RAISE(ABORT, 'the security log is append-only'); END""",
    """CREATE TRIGGER security_event_has_no_holes BEFORE DELETE ON security_event
    WHEN OLD.seq <> (SELECT min(seq) FROM security_event)
        OR OLD.seq = (SELECT max(seq) FROM security_event)
    BEGIN SELECT RAISE(ABORT, 'the security log is append-only'); END""",
)
_POSTGRESQL = (
    """CREATE FUNCTION security_event_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' THEN
            IF coalesce(
                (SELECT max(seq) FROM gone) < (SELECT min(seq) FROM security_event),
                NOT EXISTS (SELECT FROM gone)
            ) THEN RETURN NULL; END IF;
        END IF;
        RAISE EXCEPTION 'the security log is append-only';
    END $$""",
    """CREATE TRIGGER security_event_is_kept BEFORE UPDATE OR TRUNCATE ON security_event
    FOR EACH STATEMENT EXECUTE FUNCTION security_event_is_kept()""",
    """CREATE TRIGGER security_event_has_no_holes AFTER DELETE ON security_event
    REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION security_event_is_kept()""",
)
for _dialect, _orders in (("sqlite", _SQLITE), ("postgresql", _POSTGRESQL)):
    for _order in _orders:
        _made: Any = DDL(_order)  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped
        event.listen(security_event, "after_create", _made.execute_if(dialect=_dialect))

# -- alarms ---------------------------------------------------------------------------------------

_ALARM_KEY = ("plant", "kind", "gateway", "about")

#: alarms that stand; `told` and `members` are JSON
alarm = Table(
    "alarm", metadata,
    *_key(*_ALARM_KEY), *_text("phase"), *_whole("since_ns"), *_text("told"),
    *_whole("priority", "number", "raised_ns"), *_text("seen_by"), *_whole("seen_ns"),
    *_text("members"), *_whole("told_ns"),
)  # fmt: skip

alarm_shelf = Table(
    "alarm_shelf", metadata,
    *_key(*_ALARM_KEY), *_text("by", "reason"), *_whole("from_ns", "until_ns"),
)  # fmt: skip

#: what happened to alarms, in order
alarm_event = Table(
    "alarm_event", metadata,
    Column("id", ID, primary_key=True, autoincrement=True),
    *_whole("at_ns"), *_text("plant", "what", "kind", "gateway", "about"),
    *_whole("priority", "number", "raised_ns"), *_text("told", "by", "note"),
    Column("is_told", Boolean, nullable=False),
    Index("ix_alarm_event_plant_at", "plant", "at_ns"),
    Index("ix_alarm_event_plant_id", "plant", "id"),
)  # fmt: skip

#: anode effects of a plant's pots
alarm_effect = Table(
    "alarm_effect", metadata,
    *_key("plant"), _whole_key("start_ns"), *_key("gateway", "potline", "pot"),
    Column("end_ns", BigInteger), Column("is_lost", Boolean, nullable=False),
    Column("polarised_ns", BigInteger), Column("v_max", Text), Column("cf4_kg", Text),
)  # fmt: skip

#: ten-minute means of emission rates
alarm_level = Table(
    "alarm_level", metadata,
    *_key("plant", "point"), _whole_key("at_ns"), Column("mean", Float, nullable=False),
)  # fmt: skip

#: how far the gateways of potlines were heard, and what of their log is still to be read
alarm_heard = Table(
    "alarm_heard", metadata, *_key("plant", "gateway"), *_whole("from_ns", "tick_ns")
)  # fmt: skip
alarm_unheard = Table(
    "alarm_unheard", metadata,
    *_key("plant", "gateway"), _whole_key("from_ns"), Column("to_ns", BigInteger),
)  # fmt: skip

# -- shifts ---------------------------------------------------------------------------------------

shift_note = Table(
    "shift_note", metadata,
    Column("id", ID, primary_key=True, autoincrement=True),
    *_text("plant"), *_whole("from_ns", "at_ns"), *_text("by", "what", "text"),
    Index("ix_shift_note_shift", "plant", "from_ns"), Index("ix_shift_note_at", "at_ns"),
)  # fmt: skip

#: how far a month was counted
shift_count = Table(
    "shift_count", metadata,
    *_key("plant"), _whole_key("at_ns"), *_text("month", "unit", "total_t"),
)  # fmt: skip

# -- months ---------------------------------------------------------------------------------------

#: closings that were ordered and are not done
closing_order = Table(
    "closing_order", metadata,
    *_key("plant", "month"), Column("amend", Boolean, nullable=False), *_text("reason", "by"),
    *_whole("at_ns"),
)  # fmt: skip

#: how far each stream was counted
counted_stream = Table(
    "counted_stream", metadata,
    *_key("plant", "stream"), *_whole("next_seq"), Column("head", LargeBinary, nullable=False),
    *_whole("at_ns"),
)  # fmt: skip

#: from when on which configuration was in force
counted_segment = Table(
    "counted_segment", metadata,
    *_key("plant", "stream"), _whole_key("from_ns"), Column("cfg", LargeBinary, nullable=False),
    *_text("layout"),
)  # fmt: skip

#: what came of a stream on a day
counted_day = Table(
    "counted_day", metadata,
    *_key("plant", "day", "stream"), *_whole("gaps", "gap_ns", "last_seq", "received_ns"),
)  # fmt: skip
counted_device = Table(
    "counted_device", metadata,
    *_key("plant", "day", "stream", "device"), *_whole("readings", "reserved", "bad"),
)  # fmt: skip

#: entries of the log that were looked at for closes, and the closes
counted_log = Table("counted_log", metadata, *_key("plant"), *_whole("size"))
counted_close = Table(
    "counted_close", metadata,
    *_key("plant"), _whole_key("log_index"), Column("entry", LargeBinary, nullable=False),
)  # fmt: skip

#: archives that stand in the archive folder
archive = Table(
    "archive", metadata,
    *_key("plant", "name"), *_text("month"), Column("is_replaced", Boolean, nullable=False),
    *_whole("size", "mtime_ns"), *_text("sha256"), Column("statement", LargeBinary, nullable=False),
)  # fmt: skip

#: the verifier's word on each archive; `state` and `not_checked` are JSON
archive_check = Table(
    "archive_check", metadata,
    *_key("sha256"), *_text("verdict", "code"), Column("substituted_percent", Text),
    *_text("version"), *_whole("at_ns"), *_text("state", "not_checked"), *_whole("hashed_ns"),
)  # fmt: skip

#: every table of this file
KEPT_TABLES = tuple(one for name, one in metadata.tables.items() if name not in _OF_EVIDENCE)
