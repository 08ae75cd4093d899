"""Transactions that must not run beside one another, on either kind of database."""

from enum import Enum

from sqlalchemy import Connection, text


class Turn(Enum):
    """What is done by one transaction at a time; the value is PostgreSQL's advisory lock."""

    VERSION = 7_827_661
    ACCOUNTS = 7_827_662


def take_turn(connection: Connection, turn: Turn) -> None:
    """Wait for other transactions of the turn; until this one ends no other has it.

    SQLite has one writer at a time anyhow.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": turn.value})
