"""What the verifier remembers does not grow with what somebody puts into an archive."""

import io
import tracemalloc
from collections.abc import Callable

import pytest

from evidence.findings import EACH_MAX, Report
from evidence.frame import TYP_CONFIG, TYP_FRAME, Header
from evidence.verifier.configs import Configs
from evidence.verifier.frames import FrameCheck
from evidence.verifier.identities import Identities
from evidence.verifier.log_view import LogView
from evidence.verifier.opened import Opened
from tests.unit.evidence import sealed_month as sm

MANY, GROWN_MAX = 20_000, 200_000  # objects; bytes, where each took 130


def header(typ: str, seq: int) -> Header:
    cfg = sm.sha256(b"%d" % seq) if typ == TYP_FRAME else None
    return Header(typ, sm.PLANT, sm.STREAM, 0, seq, bytes(32), None, cfg)


def grown(take: Callable[[int], None]) -> int:
    """Bytes held more after many than after the first ones."""
    for seq in range(1, 1_000):
        take(seq)
    tracemalloc.start()
    try:
        for seq in range(1_000, 1_000 + MANY):
            take(seq)
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


@pytest.fixture
def configs() -> Configs:
    """Of an archive that holds no configuration."""
    with LogView() as log:
        archive = Opened(io.BytesIO(), "x", {})
        return FrameCheck(archive, Report(), Identities(), log, None)._configs


def test_configurations_that_are_not_here(configs: Configs) -> None:
    """An archive may hold millions of objects that are configurations or name one."""

    def object_of(seq: int) -> None:
        sha256 = sm.sha256(b"object %d" % seq)
        configs.follow(header(TYP_CONFIG, seq), sha256, "here")
        configs.signed(header(TYP_CONFIG, seq), sha256, "here")

    def frame_of(seq: int) -> None:
        assert configs.named(header(TYP_FRAME, seq), "here") is None

    for seq in range(-2 * EACH_MAX, 0):  # the report's list is full
        frame_of(seq)
    assert grown(object_of) < GROWN_MAX
    assert grown(frame_of) < GROWN_MAX


def test_a_configuration_that_is_not_here_is_told_once(configs: Configs) -> None:
    report = configs._report
    for seq in (1, 1, 1, 2, 2):
        configs.named(header(TYP_FRAME, seq), "here")
    assert [f.code for f in report.findings] == ["E-CFG-MISSING"] * 2
