"""Findings of a check of stored evidence: codes, and their meaning for the operator. Pure.

Many findings of one kind in one place are one, with a count: a lost stream is a sentence and not
360 of them, and memory does not grow with the damage.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

#: what there is to do about a finding
REMEDY = "restore the database from a backup taken before (docs/database.md)"


class Fault(StrEnum):
    """Codes of findings, for programs; they do not change."""

    LOG_CUT = "log-cut"
    ENTRY_DAMAGED = "entry-damaged"
    ENTRY_ORDER = "entry-order"
    CHECKPOINT_MISSING = "checkpoint-missing"
    CHECKPOINT = "checkpoint-signature"
    ROOT = "root-differs"
    OBJECT_MISSING = "object-missing"
    OBJECT_ALTERED = "object-altered"
    OBJECT_UNLOGGED = "object-without-entry"
    UNSIGNED = "unsigned-entries"
    INDEX = "index-wrong"
    TREE = "tree-wrong"
    CERTIFICATE_MISSING = "certificate-missing"
    CERTIFICATE_DAMAGED = "certificate-damaged"
    CERTIFICATE_UNLOGGED = "certificate-unlogged"
    ORDER_MISSING = "order-missing"
    ORDER_ALTERED = "order-altered"
    ORDER_UNLOGGED = "order-unlogged"
    ROTATE_COPY = "rotate-copy-wrong"
    KEPT_MISSING = "quarantine-missing"
    KEPT_ALTERED = "quarantine-altered"
    KEPT_UNLOGGED = "quarantine-unlogged"
    RECORD_MISSING = "document-missing"
    RECORD_ALTERED = "document-altered"
    RECORD_UNLOGGED = "document-unlogged"


@dataclass
class Finding:
    """One difference between what is stored and what log and objects give.

    Attributes:
        fault: what it is.
        file: which rows of the plant, such as `object/<gateway>`.
        what: what is wrong, and what it means.
        where: stream, seq or index of the first place, for programs.
        more: how many more places of the same kind there.
        last: the last of them.
    """

    fault: Fault
    file: str
    what: str
    where: dict[str, int | str]
    more: int = 0
    last: str = ""

    @property
    def sentence(self) -> str:
        """For people: where, what, what it means, what to do."""
        rest = f" (and {self.more} more, the last: {self.last})" if self.more else ""
        return f"{self.file}: {self.what}{rest}; {REMEDY}"

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "code": str(self.fault), "file": self.file, **self.where, "more": self.more,
            "sentence": self.sentence,
        }  # fmt: skip


class Findings:
    """All findings of a plant, one for each fault and file."""

    def __init__(self) -> None:
        self._found: dict[tuple[Fault, str], Finding] = {}

    def add(self, fault: Fault, file: str, what: str, **where: int | str) -> None:
        """Note one more.

        Args:
            fault: what it is.
            file: which rows of the plant.
            what: what is wrong, and what it means.
            where: stream, seq, index: whatever is known.
        """
        known = self._found.get((fault, file))
        if known is None:
            self._found[fault, file] = Finding(fault, file, what, where)
        else:
            known.more += 1
            known.last = ", ".join(f"{name} {value}" for name, value in where.items())

    def all(self) -> list[Finding]:
        """In the order in which they were first seen."""
        return list(self._found.values())
