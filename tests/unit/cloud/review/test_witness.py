"""A reviewer cosigns a running collector's log; one that does not continue is not cosigned."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from cloud.asking import RunningCollector
from cloud.commands import records as cli_records
from cloud.errors import RefusedError
from evidence import checkpoint, merkle
from evidence.checkpoint import Checkpoint, parse
from evidence.cosignature import cosign
from evidence.documents.witness import check_continues
from evidence.errors import MalformedError
from evidence.keys import write_private
from tests.unit.cloud.review.review_examples import Bureau
from tests.unit.cloud.test_papers import paper
from tests.unit.evidence.documents import papers as pp

LEAVES = [merkle.leaf_hash(bytes([n])) for n in range(7)]


def log(size: int, plant: str = "mini", *, forked: bool = False) -> Checkpoint:
    leaves = [bytes(32), *LEAVES[1:]] if forked else LEAVES
    return Checkpoint(plant, size, merkle.root_of(leaves[:size]))


@pytest.mark.parametrize(
    ("kept", "new", "said"),
    [
        (None, log(7), ""),
        (log(3), log(7), ""),
        (log(7), log(7), ""),
        (log(7), log(3), "went back"),
        (log(3, forked=True), log(7), "does not continue"),
        (log(7, forked=True), log(7), "does not continue"),
        (log(3, "maxi"), log(7), "maxi's log"),
    ],
)
def test_a_log_continues_what_was_seen_or_is_not_cosigned(
    kept: Checkpoint | None, new: Checkpoint, said: str
) -> None:
    old = 0 if kept is None else kept.size
    path = merkle.consistency_path(LEAVES[: new.size], old) if 0 < old < new.size else []
    if not said:
        check_continues(kept, new, path)
        return
    with pytest.raises(MalformedError, match=said):
        check_continues(kept, new, path)


@pytest.fixture
async def bureau(tmp_path: Path) -> AsyncIterator[Bureau]:
    made = Bureau(tmp_path / "site")
    await made.persons()
    yield made
    await made.running.stop()


async def test_a_reviewer_cosigns_twice_and_a_rewritten_log_never(
    bureau: Bureau, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    write_private(tmp_path / "qin.pem", pp.key_of("qin")._key)
    write_private(tmp_path / "collector.pem", bureau.plant.collector._key)
    (tmp_path / "token").write_text("qin")

    def ask(self: Any, path: str, body: Any = None, *_: Any, **__: Any) -> bytes:
        answer = bureau.theirs.request(
            "POST" if body else "GET", f"/api/v1/{path}", content=body,
            headers={"Authorization": "Bearer qin", "Content-Type": "application/json"},
        )  # fmt: skip
        if answer.status_code != 200:
            raise RefusedError(answer.text)
        return bytes(answer.content)

    monkeypatch.setattr(RunningCollector, "ask", ask)
    words = ["cosign", "https://collector.example", "--plant", "mini", "--person", "qin", "--key",
             "qin.pem", "--collector", "collector.pem", "--kept", "kept.note", "--token",
             "file:token"]  # fmt: skip

    async def run() -> int:
        return await asyncio.to_thread(cli_records.main, words)

    assert await run() == 0
    first = parse((tmp_path / "kept.note").read_text())[0]
    await bureau.add(paper("li", "invoice", "coal", pp.INVOICE))
    assert await run() == 0  # two entries later: the first note's own, and the invoice
    assert parse((tmp_path / "kept.note").read_text())[0].size == first.size + 2
    rows = (await bureau.by("guo", "GET", "/api/v1/plants/mini/documents?kind=log-cosigned")).json()
    assert [row["person"] for row in rows] == ["qin", "qin"]

    # the same reviewer has seen another log; the collector takes no note of one it never had

    key = bureau.plant.collector
    forked = Checkpoint("mini", first.size, bytes(32))
    (tmp_path / "kept.note").write_text(checkpoint.sign(forked, key, key.public_key))
    assert await run() == 2
    assert "does not continue" in capsys.readouterr().err
    note = checkpoint.sign(forked, key, key.public_key)

    of = pp.key_of("qin")
    told = cosign(note, "stackproof/mini/witness/qin", 1, of, of.public_key)
    refused = await bureau.brought("qin", paper("qin", "log-cosigned", "log", {"checkpoint": told}))
    assert "never had this root" in refused.text
    unsigned = paper("qin", "log-cosigned", "log", {"checkpoint": note})
    assert (await bureau.brought("qin", unsigned)).status_code == 422
