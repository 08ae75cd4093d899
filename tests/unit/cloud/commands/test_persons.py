"""`stackproof cloud persons export|bring`: two files between a collector and a root's keeper."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from cloud import cli
from evidence import cli as evidence_cli
from evidence.documents.certified import decode_list
from evidence.keys import certificate_to_pem, write_private
from tests.unit.cloud.fake_collector import FakeCollector
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.documents import papers as pp

PERSONS = "plants/test-smelter/persons"
PLANT = ["--plant", "test-smelter"]


def row(person: str, **other: Any) -> dict[str, Any]:
    told = vars(pp.row_of(person))
    known = {"is_ended": False, "certified": False, "certified_by": []}
    return {**told, "key": told["key"].hex(), **known, **other}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_private(Path("root.pem"), sm.keys().root._key)
    Path("root.crt").write_bytes(certificate_to_pem(sm.keys().certificates["root"]))
    write_private(Path("bureau.pem"), pp.ORGANISATION._key)
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_the_list_goes_to_the_root_and_back(
    config: str, collector: FakeCollector, capsys: pytest.CaptureFixture[str]
) -> None:
    waits = [row("li"), row("qin", certified=None)]
    sure = [row("zhao", certified=True), row("guo", certified=None, certified_by=["ab"])]
    collector.answer(PERSONS, {"plant": "test-smelter", "persons": [*waits, *sure]})
    assert cli.main(["persons", "export", config, *PLANT, "--out", "list.json"]) == 0
    assert "2 key(s) of test-smelter to certify" in capsys.readouterr().out
    assert [one["person"] for one in json.loads(Path("list.json").read_text())["persons"]] == [
        "li", "qin",
    ]  # fmt: skip
    assert evidence_cli.main(["keys", "persons", "--list", "list.json"]) == 0
    shown = capsys.readouterr().out
    sha256 = shown.partition("--list-sha256 ")[2].split()[0]
    sign = ["keys", "persons", "--list", "list.json", "--list-sha256", sha256]
    root = ["--root", "file:root.pem", "--root-certificate", "root.crt", "--out", "signed.cose"]
    assert evidence_cli.main([*sign, *root]) == 0
    data = Path("signed.cose").read_bytes()
    assert decode_list(data, sm.keys().root.public_key).certified == (pp.row_of("li"),)
    done = {"certified": ["li"], "unknown": [], "withdrawn": [], "waiting": []}
    collector.answer(f"{PERSONS}/certified", done)
    assert cli.main(["persons", "bring", config, *PLANT, "signed.cose"]) == 0
    assert "test-smelter: certified: li" in capsys.readouterr().out
    assert collector.asked[-1][2] == {"signed": base64.b64encode(data).decode(), "by": ""}


@pytest.mark.usefixtures("folder")
def test_all_writes_those_who_are_certified_too(config: str, collector: FakeCollector) -> None:
    told = [row("zhao", certified=True)]
    collector.answer(PERSONS, {"plant": "test-smelter", "persons": told})
    export = ["persons", "export", config, *PLANT, "--out", "list.json"]
    assert cli.main(export) == 0
    assert not Path("list.json").exists()
    assert cli.main([*export, "--all"]) == 0
    assert json.loads(Path("list.json").read_text())["persons"][0]["person"] == "zhao"


@pytest.mark.usefixtures("folder")
def test_who_is_unknown_or_waits_is_named_and_the_organisations_key_is_sent(
    config: str, collector: FakeCollector, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("signed.cose").write_bytes(b"list")
    told = {"certified": [], "unknown": ["eve"], "withdrawn": ["ab"], "waiting": ["li", "zhao"]}
    collector.answer(f"{PERSONS}/certified", told)
    bring = ["persons", "bring", config, *PLANT, "signed.cose"]
    assert cli.main([*bring, "--by", "bureau.pem"]) == 1
    shown = capsys.readouterr().out
    assert "not enrolled, or not as the list has it: eve" in shown
    assert "not certified by the root yet: li, zhao" in shown
    assert collector.asked[-1][2]["by"] == pp.spki(pp.ORGANISATION).hex()
    collector.answer(f"{PERSONS}/certified", {"detail": "no list of persons"}, 422)
    assert cli.main(bring) == 1
    assert "no list of persons" in capsys.readouterr().err
