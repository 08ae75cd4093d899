"""`stackproof cloud across`: what several collectors say, in one list."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud import cli
from tests.unit.cloud.fake_collector import TOKEN, FakeCollector

STREAM = {"gateway": "edge-1", "next_seq": 8, "missing": None, "alarms": []}
MONTH = {"month": "2026-09", "state": "open", "days_left": 3, "owed": []}


@pytest.fixture
def two() -> Iterator[list[FakeCollector]]:
    made = [FakeCollector(), FakeCollector()]
    for plant, server in zip(("kiln", "smelter"), made, strict=True):
        server.answer("streams", [{**STREAM, "plant": plant}])
        server.answer("months", [{**MONTH, "plant": plant}])
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
    yield made
    for server in made:
        server.shutdown()
        server.server_close()


def order(two: list[FakeCollector], folder: Path) -> list[str]:
    (folder / "token").write_text(TOKEN)
    (folder / "token").chmod(0o600)
    named = [f"http://127.0.0.1:{server.server_port}" for server in two]
    return ["across", *(w for url in named for w in ("--of", url, f"file:{folder / 'token'}"))]


def test_both_are_listed(
    two: list[FakeCollector], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(order(two, tmp_path)) == 0
    first, *rest = capsys.readouterr().out.splitlines()
    assert first.endswith(": answers")
    assert rest[0] == "  kiln/edge-1  through seq 7"
    assert rest[1] == "  kiln  2026-09  open  3 days left"
    assert rest[3:] == ["  smelter/edge-1  through seq 7", "  smelter  2026-09  open  3 days left"]
    assert cli.main([*order(two, tmp_path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["collectors"]
    assert [row["plant"] for one in found for row in one["months"]] == ["kiln", "smelter"]
    assert {asked[3] for asked in two[0].asked} == {f"Bearer {TOKEN}"}


def test_one_that_does_not_answer_and_a_plant_that_is_served_twice_are_named(
    two: list[FakeCollector], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    two[1].answer("streams", [{**STREAM, "plant": "kiln"}])
    assert cli.main(order(two, tmp_path)) == 0
    assert capsys.readouterr().err == "stackproof cloud: kiln is at two collectors\n"
    two[1].answer("months", {"detail": "no such right"}, 403)
    assert cli.main(order(two, tmp_path)) == 1
    assert ": no such right" in capsys.readouterr().out
