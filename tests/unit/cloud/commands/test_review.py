"""A decision about an archive of another collector, made and held against it offline; draws."""

import re
from pathlib import Path

import pytest

from cloud import cli
from cloud.commands import records as cli_records
from evidence.key_files import write_new
from evidence.keys import write_private
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.documents import papers as pp

SIGN = ["sign", "--plant", "test-smelter", "--kind", "review-decision", "--about", "2026-06",
        "body.toml"]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    persons = [*pp.persons(), *pp.reviewers(pp.persons()[-1])]
    papers = [*persons, *pp.papers()[len(pp.persons()) :]]
    (tmp_path / "month.tar").write_bytes(pp.archive(papers))
    for name in ("qin", "stranger"):
        write_private(tmp_path / f"{name}.pem", pp.key_of(name)._key)
    return tmp_path


def run(*words: str) -> int:
    return cli_records.main(list(words))


def test_an_archive_from_elsewhere_is_decided_about_offline(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("draft", "month.tar", "--level", "province") == 0
    body = capsys.readouterr().out
    scan, archive = sm.sha256(pp.SCAN).hex(), sm.sha256((folder / "month.tar").read_bytes()).hex()
    items = re.findall(r'^item = "(.*)"$', body, re.MULTILINE)
    assert (items[0], f"file/{scan}" in items) == (f"archive/{archive}", True)
    assert all(not item.startswith("document/") or len(item) == 73 for item in items)
    opened = f'[[not_opened]]\nitem = "{items[0]}"'
    looked = f'[[opened]]\nitem = "{items[0]}"\nfirst_ns = 2026-07-02T09:00:00+08:00'
    body = body.replace('decision = ""', 'decision = "approve"').replace(
        'reason = ""', 'reason = "ok"'
    )
    (folder / "body.toml").write_text(body.replace(opened, looked))
    assert run(*SIGN, "--person", "qin", "--key", "qin.pem", "-o", "d.cose") == 0
    assert run("check", "d.cose", "--archive", "month.tar") == 0
    assert "signed by qin (reviewer)" in capsys.readouterr().out

    # of another archive; by a key that is not in the list; by one that is given
    (folder / "other.tar").write_bytes(pp.archive(pp.reviews()))
    assert run("check", "d.cose", "--archive", "other.tar") == 2
    assert "another archive" in capsys.readouterr().err
    assert run(*SIGN, "--person", "qin", "--key", "stranger.pem", "-o", "s.cose") == 0
    assert run("check", "s.cose", "--archive", "month.tar") == 2
    assert "no such key" in capsys.readouterr().err
    assert run("check", "s.cose", "--archive", "month.tar", "--key", "stranger.pem") == 0
    assert "whose it is was not checked" in capsys.readouterr().out
    assert run("check", "d.cose", "--archive", "nowhere.tar") == 2
    assert run("check", "d.cose", "qin.pem", "--archive", "month.tar") == 2
    assert "it names 0 files" in capsys.readouterr().err


def test_a_level_that_is_not_ones_own_does_not_fit(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_new(folder / "d.cose", pp.paper("qin", "review-decision", "2026-06",
                                          pp.DECISION | {"level": "nation"}))  # fmt: skip
    assert run("check", "d.cose", "--archive", "month.tar") == 2
    assert "not for the nation" in capsys.readouterr().err


def test_a_draw_by_command(capsys: pytest.CaptureFixture[str]) -> None:
    """The hash is that of `printf '%s' 7-12-31/kiln-a/2026-09 | sha256sum`."""
    words = ["draw", "--seed", "7-12-31", "--count", "1", "kiln-b/2026-09", "kiln-a/2026-09"]
    assert cli.main(words) == 0
    told = "0b3dc30a64b8d4a4b9f9366870f83a9adbd9a2945040e3ed11e0e55921ebb2d3  kiln-a/2026-09\n"
    assert capsys.readouterr().out == told
    assert cli.main([*words[:3], "--count", "0", "a/2026-09"]) == 2
