"""The readings of one point group, as they are made and as a frame holds them. FORMAT.md "Frame".

A frame's group is checked in full when it is read, but its numbers are decoded when they are asked
for: a block of the right length under a known filter can always be decoded. So the collector, which
only looks at the form, never decodes, and the verifier decodes many frames in one go (`joined`).
Pure.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeGuard

import numpy as np
import numpy.typing as npt

from evidence.blocks import (
    Raw,
    check_block,
    decode_block,
    decode_blocks,
    encode_block,
    filter_for,
)
from evidence.errors import MalformedError, UnsupportedError
from evidence.points import Dtype
from evidence.runs import UInt8, decode_runs, encode_runs

#: blocks of times in milliseconds
MS = Dtype.I32
MS_FILTER = filter_for(MS)
#: the enumeration itself takes ten times as long to ask
_DTYPES = {dtype.value: dtype for dtype in Dtype}


@dataclass(frozen=True)
class Group:
    """Readings of one point group in a section.

    Attributes:
        group: index into the configuration's groups.
        dtype: number type of all its points.
        raw: [points][ticks] wire values; filler where quality is bad and nothing came.
        quality: uint8 [points][ticks] codes of `evidence.quality`.
        source_ms: int32 [points][ticks] tick time minus source time in milliseconds, rounded
            down; NO_SOURCE_TIME where the source put none; None when no point has any.
    """

    group: int
    dtype: Dtype
    raw: Raw
    quality: UInt8
    source_ms: npt.NDArray[np.int32] | None = None

    @property
    def rows(self) -> int:
        """How many points."""
        return len(self.quality)


@dataclass(frozen=True)
class CodedGroup:
    """A group as a frame holds it; reads like a `Group`.

    Attributes:
        group, dtype: as of a `Group`.
        rows, ticks: how many.
        filter_id: of the block.
        block: the readings, checked.
        marks: quality codes [points][ticks], None when all are good.
        source: block of source times, checked; empty when no point has any.
    """

    group: int
    dtype: Dtype
    rows: int
    ticks: int
    filter_id: int
    block: bytes
    marks: UInt8 | None
    source: bytes

    @cached_property
    def raw(self) -> Raw:
        """See `Group`."""
        return decode_block(self.block, self.dtype, self.filter_id, self.rows, self.ticks)

    @cached_property
    def quality(self) -> UInt8:
        """See `Group`."""
        if self.marks is not None:
            return self.marks
        return np.zeros((self.rows, self.ticks), dtype=np.uint8)

    @cached_property
    def source_ms(self) -> npt.NDArray[np.int32] | None:
        """See `Group`."""
        return decode_ms(self.source, self.rows, self.ticks) if self.source else None


def encode_group(group: Group | CodedGroup) -> list[Any]:
    """The group as it stands in a frame."""
    filter_id = filter_for(group.dtype)
    source = encode_ms(group.source_ms) if group.source_ms is not None else b""
    return [
        group.group, group.dtype.value, filter_id, group.rows,
        encode_block(group.raw, group.dtype, filter_id), encode_runs(group.quality), source,
    ]  # fmt: skip


def decode_group(value: Any, ticks: int) -> CodedGroup:
    """Undo `encode_group`.

    Raises:
        MalformedError: it is none.
        UnsupportedError: number type or filter is newer than this program.
    """
    if not isinstance(value, list) or len(value) != 7:
        raise MalformedError("a group has seven parts")
    index, tag, filter_id, rows, block, runs, source = value
    if not (is_uint(index) and is_uint(tag) and is_uint(filter_id) and is_uint(rows) and rows):
        raise MalformedError("group numbers misformed")
    if not (isinstance(block, bytes) and isinstance(runs, list) and isinstance(source, bytes)):
        raise MalformedError("group parts misformed")
    if (dtype := _DTYPES.get(tag)) is None:
        raise UnsupportedError(f"number type {tag} unknown to this program")
    if source:
        check_ms(source, rows, ticks)
    check_block(block, dtype, filter_id, rows, ticks)
    marks = decode_runs(runs, rows, ticks) if runs else None
    return CodedGroup(index, dtype, rows, ticks, filter_id, block, marks, source)


def encode_ms(times: npt.NDArray[np.int32]) -> bytes:
    """A block of times in milliseconds."""
    return encode_block(times, MS, MS_FILTER)


def check_ms(block: bytes, rows: int, ticks: int) -> None:
    """MalformedError when it is no block of so many times."""
    check_block(block, MS, MS_FILTER, rows, ticks)


def decode_ms(block: bytes, rows: int, ticks: int) -> npt.NDArray[np.int32]:
    """Undo `encode_ms`; MalformedError when its length does not fit."""
    return decode_block(block, MS, MS_FILTER, rows, ticks).astype(np.int32, copy=False)


def joined(groups: Sequence[Group | CodedGroup]) -> tuple[Raw, UInt8]:
    """Readings and quality [points][all ticks] of one point group in consecutive frames."""
    return _one(list(_pieces(groups))), _quality(groups)


def _pieces(groups: Sequence[Group | CodedGroup]) -> Iterator[Raw]:
    """Readings of as many frames of one form as follow one another."""
    for form, run in itertools.groupby(groups, key=_form):
        if form is None:
            yield from (group.raw for group in run)
            continue
        filter_id, ticks = form
        coded = [group for group in run if isinstance(group, CodedGroup)]
        blocks = [group.block for group in coded]
        yield decode_blocks(blocks, coded[0].dtype, filter_id, coded[0].rows, ticks)


def _form(group: Group | CodedGroup) -> tuple[int, int] | None:
    """What blocks that are decoded together have in common; None for what is decoded."""
    return (group.filter_id, group.ticks) if isinstance(group, CodedGroup) else None


def _quality(groups: Sequence[Group | CodedGroup]) -> UInt8:
    if all(isinstance(group, CodedGroup) and group.marks is None for group in groups):
        ticks = sum(group.ticks for group in groups if isinstance(group, CodedGroup))
        return np.zeros((groups[0].rows, ticks), dtype=np.uint8)
    return np.concatenate([group.quality for group in groups], axis=1)


def _one(pieces: list[Raw]) -> Raw:
    return pieces[0] if len(pieces) == 1 else np.concatenate(pieces, axis=1)


def is_uint(value: Any) -> TypeGuard[int]:
    """True for a whole number from 0 on; True and False are none."""
    return type(value) is int and value >= 0
