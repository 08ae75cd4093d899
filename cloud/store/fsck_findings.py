"""What a check of stored evidence can find: codes, what each means for the operator. Pure.

Many findings of one kind in one file are one, with a count: a lost segment is a sentence and not
360 of them, and memory does not grow with the damage.
"""

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any


class Remedy(Enum):
    """What there is to do about a finding. The value is the end of its sentence."""

    REBUILD = "it can be made again: stop the collector and run stackproof cloud rebuild"
    START = "the next start of the collector takes, cuts or sets it aside, or says why it does not"
    PUT_BACK = "put the file back from a backup"
    ASK = "find out who put it there, and remove it unless a start of the collector logs it"
    CUT = "find out who wrote them; where all else is sound, cut them off there: truncate --size"
    WHOLE = "restore the plant's folder from a backup, never this file alone"
    RESTORE = "restore the plant's folder from a backup; of an older one the file, if no shorter"


class Fault(StrEnum):
    """What can be wrong. The values are codes for programs and do not change."""

    LOG_CUT = "log-cut"
    ENTRY_DAMAGED = "entry-damaged"
    ENTRY_ALTERED = "entry-altered"
    ENTRY_ORDER = "entry-order"
    CHECKPOINT_MISSING = "checkpoint-missing"
    CHECKPOINT = "checkpoint-signature"
    CHECKPOINT_OLDER = "checkpoint-older"
    ROOT = "root-differs"
    SEGMENT_MISSING = "segment-missing"
    OBJECT_MISSING = "object-missing"
    OBJECT_ALTERED = "object-altered"
    OBJECT_MISPLACED = "object-misplaced"
    SEGMENT_LONGER = "segment-longer"
    OBJECT_UNLOGGED = "object-without-entry"
    TORN_TAIL = "torn-tail"
    UNSIGNED = "unsigned-entries"
    INDEX = "index-wrong"
    OFFSETS = "offsets-wrong"
    TREE = "tree-wrong"
    STATE = "state-wrong"
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

    @property
    def remedy(self) -> Remedy:
        """What to do about it."""
        if self in _REBUILDABLE:
            return Remedy.REBUILD
        if self in _LEFT_OVER:
            return Remedy.START
        if self in _STRANGE:
            return Remedy.ASK
        if self is Fault.SEGMENT_LONGER:
            return Remedy.CUT
        if self in _CHECKPOINT:
            return Remedy.WHOLE
        return Remedy.PUT_BACK if self in _BESIDE else Remedy.RESTORE


_REBUILDABLE = {Fault.INDEX, Fault.OFFSETS, Fault.TREE, Fault.STATE, Fault.ROTATE_COPY}
_LEFT_OVER = {
    Fault.TORN_TAIL, Fault.UNSIGNED, Fault.OBJECT_UNLOGGED, Fault.KEPT_UNLOGGED,
    Fault.ORDER_UNLOGGED, Fault.RECORD_UNLOGGED,
}  # fmt: skip
_CHECKPOINT = {Fault.CHECKPOINT_MISSING, Fault.CHECKPOINT, Fault.CHECKPOINT_OLDER}
_STRANGE = {Fault.CERTIFICATE_UNLOGGED}
_BESIDE = {
    Fault.CERTIFICATE_MISSING, Fault.CERTIFICATE_DAMAGED, Fault.ORDER_MISSING,
    Fault.ORDER_ALTERED, Fault.KEPT_MISSING, Fault.KEPT_ALTERED, Fault.RECORD_MISSING,
    Fault.RECORD_ALTERED,
}  # fmt: skip


@dataclass
class Finding:
    """One difference between what is stored and what log and objects give.

    Attributes:
        fault: what it is.
        file: under the plant's folder.
        what: what is wrong, and what it means.
        where: offset, stream, seq or index of the first place, for programs.
        more: how many more places of the same kind in this file.
        last: the last of them.
        advice: what to do, in place of the fault's remedy.
    """

    fault: Fault
    file: str
    what: str
    where: dict[str, int | str]
    more: int = 0
    last: str = ""
    advice: str = ""

    @property
    def sentence(self) -> str:
        """For people: where, what, what it means, what to do."""
        rest = f" (and {self.more} more, the last: {self.last})" if self.more else ""
        return f"{self.file}: {self.what}{rest}; {self.advice or self.fault.remedy.value}"

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        facts = {"code": str(self.fault), "remedy": self.fault.remedy.name.lower()}
        return {
            **facts,
            "file": self.file,
            **self.where,
            "more": self.more,
            "sentence": self.sentence,
        }


class Findings:
    """All findings of a plant, one for each fault and file."""

    def __init__(self, advice: str = "") -> None:
        """`advice`: what to do about each; "" for what the fault says."""
        self._advice = advice
        self._found: dict[tuple[Fault, str], Finding] = {}

    def add(self, fault: Fault, file: str, what: str, **where: int | str) -> None:
        """Note one more.

        Args:
            fault: what it is.
            file: under the plant's folder.
            what: what is wrong, and what it means.
            where: offset, stream, seq, index: whatever is known.
        """
        known = self._found.get((fault, file))
        if known is None:
            self._found[fault, file] = Finding(fault, file, what, where, advice=self._advice)
        else:
            known.more += 1
            known.last = ", ".join(f"{name} {value}" for name, value in where.items())

    def all(self) -> list[Finding]:
        """In the order in which they were first seen."""
        return list(self._found.values())
