"""The builder: what it takes, what it refuses, and that it does not hold the month in memory."""

import io
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from evidence import cbor
from evidence.archive import paths, ustar
from evidence.archive.build import Object, build_archive
from evidence.records import encode_record
from tests.unit.evidence import sealed_month as sm

COLLECTOR = sm.keys().collector


def test_files_are_those_of_the_contents() -> None:
    month = sm.month()
    files = sm.unpack(sm.build(sm.contents(month)))
    assert files[paths.STATEMENT] == month.statement
    assert sm.records(files[paths.LOG_ENTRIES]) == list(month.entries)
    assert files[paths.receipt(sm.STREAM)] == month.receipt
    assert files[paths.close(sm.STREAM)] == month.close
    assert files[paths.config(sm.sha256(month.objects[0]))] == month.objects[0]
    assert b"External-Identifier: test-smelter-2026-06 interim\n" in files["bag-info.txt"]


def test_segments_are_cut_by_stream_and_hour() -> None:
    month = sm.month()
    hours = ["2026-06-15/04", "2026-06-15/04", "2026-06-15/05", "2026-06-16/00"]
    objects = [Object(sm.STREAM, h, o) for h, o in zip(hours, month.objects, strict=False)]
    objects.append(Object("edge-2", hours[0], month.objects[4]))
    files = sm.unpack(sm.build(sm.contents(month, objects=objects)))
    segments = {p: sm.records(d) for p, d in files.items() if p.startswith("data/frames/")}
    assert segments == {
        paths.frames(sm.STREAM, hours[0]): list(month.objects[:2]),
        paths.frames(sm.STREAM, hours[2]): [month.objects[2]],
        paths.frames(sm.STREAM, hours[3]): [month.objects[3]],
        paths.frames("edge-2", hours[0]): [month.objects[4]],
    }


def test_an_hour_that_comes_back_is_refused() -> None:
    hours = ["2026-06-15/04", "2026-06-15/05", "2026-06-15/04"]
    month = sm.month()
    objects = [Object(sm.STREAM, h, o) for h, o in zip(hours, month.objects, strict=False)]
    with pytest.raises(ValueError, match="not a new payload path"):
        sm.build(sm.contents(month, objects=objects))


def test_the_log_before_the_month_is_given_by_its_roots() -> None:
    month = sm.month()
    tree = sm.tree_of(month.entries[:3])
    files = sm.unpack(sm.build(sm.contents(month, log_range=tree, log_entries=month.entries[3:])))
    assert cbor.decode(files[paths.LOG_RANGE]) == [3, list(tree.hashes)]
    assert sm.records(files[paths.LOG_ENTRIES]) == list(month.entries[3:])


def test_a_staging_folder_in_use_is_refused(tmp_path: Path) -> None:
    (tmp_path / "something").write_bytes(b"")
    with pytest.raises(ValueError, match="is not empty"):
        build_archive(
            sm.contents(sm.month()), io.BytesIO(), staging=tmp_path, seal=sm.seals(COLLECTOR)
        )


def test_a_month_is_not_held_in_memory(tmp_path: Path) -> None:
    """Forty megabytes of objects and entries go through a few."""
    piece = bytes(range(256)) * 256  # 64 KiB

    def objects() -> Iterator[Object]:
        for i in range(320):
            yield Object(sm.STREAM, f"2026-06-{1 + i // 20:02}/{i % 20:02}", piece)

    def entries() -> Iterator[bytes]:
        return (piece for _ in range(320))

    target = tmp_path / "a.tar"
    what = sm.contents(sm.month(), objects=objects(), log_entries=entries())
    tracemalloc.start()
    try:
        with target.open("wb") as file:
            build_archive(what, file, staging=tmp_path / "bag", seal=sm.seals(COLLECTOR))
        assert tracemalloc.get_traced_memory()[1] < 12 * 2**20
    finally:
        tracemalloc.stop()
    with target.open("rb") as packed:
        sizes = {m.name.partition("/")[2]: m.size for m in ustar.members(packed)}
    assert sum(sizes.values()) > 40 * 2**20
    assert sizes[paths.LOG_ENTRIES] == 320 * len(encode_record(piece))
