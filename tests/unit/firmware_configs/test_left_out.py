"""The table of devices without a profile: each row says which, what it is and why."""

import tomllib

from firmware_configs.profile import FOLDER, list_profiles

LEFT_OUT = tomllib.loads((FOLDER / "left_out.toml").read_text())["left_out"]


def test_each_row_says_which_device_what_it_is_and_why() -> None:
    assert LEFT_OUT
    for row in LEFT_OUT:
        assert set(row) == {"device", "kind", "why"}, row
        assert all(isinstance(text, str) and text.strip() for text in row.values()), row


def test_no_device_stands_there_twice() -> None:
    names = [row["device"] for row in LEFT_OUT]
    assert len(set(names)) == len(names)


def test_the_table_is_not_taken_for_a_profile() -> None:
    assert not [name for name in list_profiles() if "left_out" in name]
