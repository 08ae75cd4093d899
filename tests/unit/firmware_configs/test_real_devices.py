"""Profiles of devices that are sold: nothing in them without a source that can be looked up."""

import re

import pytest

from evidence.points import Role
from firmware_configs.profile import Profile, Register, list_profiles, load_profile

REAL = [name for name in list_profiles() if not name.startswith("stackproof/")]

#: what makes a source one that can be opened at the place meant
LOCATORS = (
    r"\bp\. ?\d+",  # page of a manual the head names
    r"\bpp\. ?\d+",
    r"\bline \d+",  # line of a maker's spreadsheet
    r"\b[\w.-]+/[\w.-]+@[0-9a-f]{8,40} ",  # public repository at a commit, then the file
    r"\baddress \d+",
    r"\boffset \d+",
    r"\b(table|section|chapter|sheet|annex|appendix) [A-Z]?[-\d. ]*\w",
    r"§ ?\d",
    r"\b50\d{3}\b: ",  # address in a maker's published table
    r"https?://",
)
#: in a profile's head: an edition, a document number or a commit
EDITION = re.compile(
    r"\b[0-9a-f]{40}\b|\b[Vv]ersion \d|\bV\d+\.\d|\brevision \w|\bedition\b|\b\d\d/\d{4}\b|"
    r"\b(19|20)\d\d\b|https?://",
)


@pytest.fixture(params=REAL)
def profile(request: pytest.FixtureRequest) -> Profile:
    return load_profile(request.param)


def rows(profile: Profile) -> list[Register]:
    return [*profile.registers, *(setting.register for setting in profile.settings)]


def test_there_are_some() -> None:
    assert len(REAL) >= 10


def test_every_row_says_where_it_can_be_looked_up(profile: Profile) -> None:
    vague = [
        f"{row.name}: {row.source}"
        for row in rows(profile)
        if not any(re.search(locator, row.source, re.IGNORECASE) for locator in LOCATORS)
    ]
    assert vague == []


def test_the_head_names_an_edition(profile: Profile) -> None:
    assert EDITION.search(profile.source)


def test_a_commit_in_a_row_stands_in_full_in_the_head(profile: Profile) -> None:
    short = {c for row in rows(profile) for c in re.findall(r"@([0-9a-f]{8,40})\b", row.source)}
    full = re.findall(r"\b[0-9a-f]{40}\b", profile.source)
    assert [c for c in sorted(short) if not any(commit.startswith(c) for commit in full)] == []


def test_what_was_not_on_a_bench_does_not_say_so(profile: Profile) -> None:
    """The next levels are earned with recordings, of which there are none yet."""
    assert profile.quality_level == "simulated"


def test_someone_is_told_what_to_know(profile: Profile) -> None:
    assert profile.caveats


def test_energies_are_totalisers(profile: Profile) -> None:
    energies = [r for r in profile.registers if r.quantity.kind in ("energy", "reactive-energy")]
    assert [r.name for r in energies if r.role is not Role.TOTALISER] == []


def test_a_meter_that_keeps_ratios_says_which_side_it_reports_or_warns(profile: Profile) -> None:
    """The factor-of-N mistake: never a silent guess."""
    ratios = {"ct_ratio", "ct_primary", "vt_ratio", "vt_primary"}
    if any(setting.means in ratios for setting in profile.settings) and profile.reports is None:
        assert any("primary values" in caveat.text for caveat in profile.caveats)


def test_two_editions_of_one_meter_differ_by_the_side_they_report() -> None:
    """ZTY0.464.1267 p. 12: "on the Primary side"; ZTY0.464.1002 p. 12: "on the secondary side"."""
    new, old = load_profile("chint/dtsu666"), load_profile("chint/dtsu666-secondary")
    assert (new.reports, old.reports) == ("primary", "secondary")
    assert [r.address for r in new.registers] == [r.address for r in old.registers]


@pytest.mark.parametrize(
    ("profile_id", "register", "wire", "unit"),
    [
        # each written down a second time from the source named in the profile
        ("schneider/pm5350", "power", 3059, "kW"),
        ("schneider/pm5500", "energy_delivered", 3203, "Wh"),
        ("schneider/iem3000", "energy_import", 3203, "Wh"),
        ("siemens/pac3200", "power", 65, "W"),
        ("siemens/pac4200", "energy_import_t1", 801, "Wh"),
        ("eastron/sdm630", "energy_import", 0x0048, "kWh"),
        ("eastron/sdm120", "frequency", 0x0046, "Hz"),
        ("janitza/umg96rm", "energy_consumed", 19068, "Wh"),
        ("abb/b23-b24", "energy_import", 20480, "kWh"),
        ("carlo-gavazzi/em330-em340", "energy_import", 52, "kWh"),
        ("chint/dtsu666", "energy_import", 4126, "kWh"),
        ("socomec/diris-a10", "energy_import", 50780, "kWh"),
        ("acrel/adl3000-e", "energy_forward", 10, "kWh"),
        ("acrel/adl3000-e", "reactive_energy_forward", 40, "kvarh"),
        ("acrel/dtsd1352", "voltage_l1", 97, "V"),
        ("acrel/dtsd1352", "power", 362, "kW"),
        ("eastron/sdm630", "reactive_power", 0x003C, "var"),
        ("eastron/sdm120", "reactive_energy_export", 0x004E, "kvarh"),
        ("eastron/sdm230", "power_factor", 0x001E, "1"),
        ("janitza/umg96rm", "reactive_energy_inductive", 19100, "varh"),
        ("weidmueller/em525", "apparent_power", 19034, "VA"),
        ("schneider/pm5350", "reactive_power", 3067, "kvar"),
        ("schneider/pm5500", "reactive_energy_delivered", 3219, "varh"),
        ("schneider/iem3000", "apparent_power", 0x0C03, "kVA"),
        ("siemens/pac3200", "power_factor", 69, "1"),
        ("siemens/pac4200", "reactive_energy_import_t1", 817, "varh"),
        ("abb/b23-b24", "reactive_power", 23324, "var"),
        ("carlo-gavazzi/em330-em340", "reactive_energy_export", 0x0050, "kvarh"),
        ("chint/dtsu666", "reactive_power", 0x201A, "var"),
        ("socomec/diris-a10", "reactive_power", 50538, "kvar"),
    ],
)
def test_addresses_on_the_wire(profile_id: str, register: str, wire: int, unit: str) -> None:
    row = load_profile(profile_id).register(register)
    assert (row.address, row.quantity.unit) == (wire, unit)
