"""Files of checkpoint notes and receipts that a reviewer or a gateway kept. Pure.

A note file is one signed note, or several one after another: a witness adds one a day. A receipt
file is one signed receipt, or a record file of them. FORMAT.md "Files".
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from evidence import cose
from evidence.checkpoint import ORIGIN_PREFIX, TEXT_BYTES_MAX, parse
from evidence.errors import EvidenceError, KeyFileError, LimitError, MalformedError
from evidence.receipt import TYP_RECEIPT
from evidence.records import MAGIC, read_records

#: bytes of one file, and notes and receipts that one verification takes
FILE_BYTES_MAX, KEPT_MAX = 16 * 1024 * 1024, 10_000

_TAG_18 = b"\xd2"
_NOTE = re.compile(r"(?:[^\n]+\n){3}\n(?:— [^\n]*\n)+")


@dataclass(frozen=True)
class Kept:
    """One note or receipt.

    Attributes:
        where: its file, and its number there if there are more.
        note: text of a signed note, "" for a receipt.
        receipt: bytes of a signed receipt, b"" for a note.
    """

    where: str
    note: str = ""
    receipt: bytes = b""


def kept_in(files: Mapping[str, bytes]) -> list[Kept]:
    """All notes and receipts of some files; no signature is checked.

    Args:
        files: name -> bytes, at most `FILE_BYTES_MAX` each.

    Raises:
        KeyFileError: one is no note file and no receipt file, or there are more than `KEPT_MAX`.
    """
    held = [one for name, data in files.items() for one in _of_file(name, data)]
    if len(held) > KEPT_MAX:
        raise KeyFileError(
            f"--kept: {len(held):,} notes and receipts; at most {KEPT_MAX:,} are compared at a time"
        )
    return held


def _of_file(name: str, data: bytes) -> list[Kept]:
    try:
        if data[:4] == MAGIC:
            receipts = list(read_records(data))
            for receipt in receipts:
                _is_receipt(receipt)
            return [Kept(_where(name, i, receipts), receipt=r) for i, r in enumerate(receipts, 1)]
        if data[:1] == _TAG_18:
            _is_receipt(data)
            return [Kept(name, receipt=data)]
        if not data.startswith(ORIGIN_PREFIX.encode()):
            raise MalformedError("it begins like neither")
        notes = list(notes_in(data))
    except EvidenceError as error:
        raise KeyFileError(
            f"{name}: it is no checkpoint note and no receipt: {error}. Give the notes of "
            "`stackproof witness` or `record cosign`, or a gateway's receipts"
        ) from error
    return [Kept(_where(name, i, notes), note=note) for i, note in enumerate(notes, 1)]


def notes_in(data: bytes) -> Iterator[str]:
    """The signed notes of a note file, each of the form of a checkpoint.

    Raises:
        MalformedError: it holds anything else, or nothing.
        LimitError: it holds more than `KEPT_MAX`.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise MalformedError("it is not UTF-8") from error
    at = count = 0
    while at < len(text) or not count:
        found = _NOTE.match(text, at, at + TEXT_BYTES_MAX)
        if found is None:
            raise MalformedError(f"there is no note at character {at}")
        if count == KEPT_MAX:
            raise LimitError(f"it has more than {KEPT_MAX} notes")
        parse(found[0])
        yield found[0]
        at, count = found.end(), count + 1


def _is_receipt(data: bytes) -> None:
    typ = cose.parse(data).typ
    if typ != TYP_RECEIPT:
        raise MalformedError(f"it is of type {typ[:40]!r}")


def _where(name: str, number: int, held: list[str] | list[bytes]) -> str:
    return name if len(held) == 1 else f"{name} no. {number}"
