"""The vectors of every shipped profile, worked out there by hand: `edge read` marks each."""

from fractions import Fraction

import pytest

from edge.commissioning.orders import TYPES, is_taken, takings
from evidence.points import exact
from firmware_configs.model import REGISTER_TABLES, Profile
from firmware_configs.profile import list_profiles, load_profile

PROFILES = [n for n in list_profiles() if load_profile(n).protocol == "modbus"]


def marked(profile: Profile, name: str, words: tuple[int, ...]) -> Fraction:
    """The engineering value of the one way that the profile takes."""
    row = profile.register(name)
    (taken,) = (taking for taking in takings(words) if is_taken(taking, row))
    assert taken.value is not None
    number = Fraction(taken.value)
    if row.bits is not None:
        number = Fraction(int(number) >> row.bits.low & (1 << row.bits.width) - 1)
        if row.dtype.name.startswith("I") and number >= 1 << (row.bits.width - 1):
            number -= 1 << row.bits.width
    return number / 10**row.decimals * exact(row.scale) + exact(row.offset)


def test_there_are_profiles_of_all_kinds() -> None:
    assert len(PROFILES) > 20


@pytest.mark.parametrize("name", PROFILES)
def test_what_is_marked_is_what_the_vector_says(name: str) -> None:
    profile = load_profile(name)
    looked_at = 0
    for vector in profile.vectors:
        if not vector.register or len(vector.words) not in TYPES:
            continue
        row = profile.register(vector.register)
        if row.table not in REGISTER_TABLES:
            continue
        meant = exact(vector.value)
        found = marked(profile, vector.register, vector.words)
        if row.dtype.is_float:  # the vector's decimals are as many as the manual prints
            assert float(found) == pytest.approx(float(meant), rel=1e-6), vector
        else:
            assert found == meant, vector
        looked_at += 1
    assert looked_at >= 1
