"""docs/devices/: what is committed is what the profiles say."""

from pathlib import Path

import pytest

from firmware_configs.cli import main
from firmware_configs.left_out import LeftOut, load_left_out
from firmware_configs.pages import INDEX, all_pages, index, page, stale_pages, write_pages
from firmware_configs.profile import ProfileError, list_profiles, load_profile
from tests.unit.firmware_configs.profile_texts import MODBUS, spoiled

DEVICES = Path(__file__).resolve().parents[3] / "docs/devices"


def test_the_committed_pages_are_those_of_the_profiles() -> None:
    again = "run: stackproof profile pages docs/devices"
    assert stale_pages(DEVICES, all_pages()) == [], again


def test_one_page_a_profile_and_an_index() -> None:
    names = {name.replace("/", "-") + ".md" for name in list_profiles()}
    assert set(all_pages()) == names | {INDEX}


def test_a_page_says_what_is_read_from_where_and_how_far_it_was_tried(tmp_path: Path) -> None:
    path = tmp_path / "m.toml"
    text = spoiled(MODBUS, 'source = "p. 4"', 'scale = "0.5"\nsource = "p. 4 | <b>"')
    text = text.replace('"230.0"', '"115.0"')
    path.write_text(text + '\n[[caveat]]\ntext = "runs hot"\nlink = "https://acme.example/1"\n')
    made = page(load_profile(str(path)))
    assert made.startswith("# A meter\n")
    assert "| quality level | **simulated**: read from our simulator only" in made
    row = "| `voltage_l1` | voltage | V | holding 19, 0x0013 | u32, 1 decimal, times 0.5 |"
    assert f"{row} p. 4 \\| &lt;b> |" in made
    assert "- runs hot ([link](https://acme.example/1))" in made
    assert "| `voltage_l1` | `0000 08FC` | 115.0 |" in made
    assert "Settings" not in made
    assert made.endswith("## Source\n\nmanual, revision 7\n")


def test_a_page_has_the_settings_and_the_ratios() -> None:
    made = page(load_profile("stackproof/ac-meter"))
    assert "| `ct_primary` | ct_primary | A | holding 260, 0x0104 | u16 |" in made
    assert "energy (totaliser), times ct_ratio and vt_ratio | kWh" in made
    assert "| values are | secondary: the site file's ratios are applied by the gateway |" in made
    assert "| `firmware` | firmware |  | holding 256, 0x0100 | text of 4 registers |" in made


def test_pages_of_other_protocols_have_no_addresses() -> None:
    made = page(load_profile("stackproof/pot-gateway"))
    assert "`ns={ns};s=Pot{n:02}.Voltage`" in made
    assert "word order" not in made


def test_the_index_has_every_profile_and_what_was_left_out() -> None:
    profile = load_profile("stackproof/gas-meter")
    made = index([profile], [LeftOut("Acme", "M|1", "no map", "https://acme.example/")])
    assert "| [`stackproof/gas-meter`](stackproof-gas-meter.md) |" in made
    assert "| Acme | M\\|1 | no map ([link](https://acme.example/)) |" in made


def test_what_is_left_out_is_sorted_and_has_no_profile() -> None:
    left = load_left_out()
    assert list(left) == sorted(left, key=lambda row: (row.maker.lower(), row.model.lower()))
    assert len({(row.maker, row.model) for row in left}) == len(left)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('[[device]]\nmaker = "A"\nmodel = "b"\n', "device[0].why"),
        ('[[device]]\nmaker = "A"\nmodel = "b"\nwhy = "c"\nlnk = "d"\n', "device[0].lnk"),
        ("devices = 1\n", "devices"),
        ("[[device\n", ""),
    ],
)
def test_a_wrong_list_is_told(tmp_path: Path, text: str, key: str) -> None:
    path = tmp_path / "left-out.toml"
    path.write_text(text)
    with pytest.raises(ProfileError) as caught:
        load_left_out(path)
    assert [problem.key for problem in caught.value.errors] == [key]


def test_pages_are_written_and_old_ones_deleted(tmp_path: Path) -> None:
    (tmp_path / "gone.md").write_text("old")
    (tmp_path / "kept.txt").write_text("mine")
    write_pages(tmp_path, {"a.md": "A\n"})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.md", "kept.txt"]
    assert stale_pages(tmp_path, {"a.md": "A\n"}) == []
    assert stale_pages(tmp_path, {"a.md": "B\n", "b.md": "C\n"}) == ["a.md", "b.md"]
    assert stale_pages(tmp_path, {}) == ["a.md"]


def test_the_command_writes_and_checks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "devices"
    assert main(["pages", str(folder)]) == 0
    assert main(["pages", str(folder), "--check"]) == 0
    (folder / INDEX).write_text("mine")
    assert main(["pages", str(folder), "--check"]) == 1
    said = capsys.readouterr().err
    assert said.startswith(
        f"{folder / INDEX}: is not what its profile says; run stackproof profile"
    )
    assert (folder / INDEX).read_text() == "mine"
