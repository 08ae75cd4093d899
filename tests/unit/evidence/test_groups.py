"""Groups as frames hold them: they read like those that were written, alone and joined."""

import numpy as np
import pytest

from evidence import blocks, groups
from evidence.blocks import FILTER_DELTA, FILTER_NONE, encode_block
from evidence.errors import MalformedError
from evidence.groups import CodedGroup, Group, decode_group, encode_group, joined
from evidence.points import Dtype


def written(ticks: int, start: int = 0, codes: tuple[int, ...] = ()) -> Group:
    """Two points, u16: counting up from `start`, and its tens; codes of the second's ticks."""
    up = np.arange(start, start + ticks)
    quality = np.zeros((2, ticks), dtype=np.uint8)
    quality[1, : len(codes)] = codes
    return Group(3, Dtype.U16, np.array([up, 10 * up]).astype("<u2"), quality)


def read(group: Group, filter_id: int = FILTER_DELTA) -> CodedGroup:
    value = encode_group(group)
    value[2], value[4] = filter_id, encode_block(group.raw, group.dtype, filter_id)
    return decode_group(value, group.raw.shape[1])


@pytest.mark.parametrize("filter_id", [FILTER_NONE, FILTER_DELTA])
def test_a_group_in_a_frame_reads_like_the_one_written(filter_id: int) -> None:
    coded = read(written(3, 5, (0, 17)), filter_id)
    assert (coded.group, coded.dtype, coded.rows, coded.ticks) == (3, Dtype.U16, 2, 3)
    assert coded.raw.tolist() == [[5, 6, 7], [50, 60, 70]]
    assert coded.quality.tolist() == [[0, 0, 0], [0, 17, 0]]
    assert coded.source_ms is None
    times = np.full((2, 3), -7, dtype=np.int32)
    timed = read(Group(3, Dtype.U16, coded.raw, coded.quality, times), filter_id)
    assert timed.source_ms is not None
    assert timed.source_ms.tolist() == [[-7] * 3] * 2


def test_reading_a_group_decodes_nothing_and_still_refuses_a_wrong_length(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    value = encode_group(written(3))
    monkeypatch.setattr(blocks, "_unshuffle", None)
    monkeypatch.setattr(groups, "decode_blocks", None)
    coded = decode_group(value, 3)
    assert coded.rows * coded.ticks == 6
    with pytest.raises(MalformedError, match="does not hold 2 × 4 u16"):
        decode_group(value, 4)
    value[6] = bytes(23)  # a source block of one byte less than 2 × 3 i32
    with pytest.raises(MalformedError, match="does not hold 2 × 3 i32"):
        decode_group(value, 3)


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param([read(written(3)), read(written(3, 3))], id="one form"),
        pytest.param([read(written(4)), read(written(2, 4))], id="other ticks"),
        pytest.param([read(written(3)), read(written(3, 3), FILTER_NONE)], id="other filter"),
        pytest.param([read(written(2)), written(2, 2), written(2, 4)], id="some not coded"),
        pytest.param([read(written(6))], id="one alone"),
    ],
)
def test_joined_groups_are_one_after_another(parts: list[Group | CodedGroup]) -> None:
    raw, quality = joined(parts)
    assert raw.tolist() == [[0, 1, 2, 3, 4, 5], [0, 10, 20, 30, 40, 50]]
    assert quality.tolist() == [[0] * 6] * 2


def test_joined_quality_stays_at_its_ticks() -> None:
    _, quality = joined([read(written(2)), read(written(2, 2, (0, 128))), read(written(1, 4))])
    assert quality.tolist() == [[0] * 5, [0, 0, 0, 128, 0]]
