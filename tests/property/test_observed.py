"""Whatever documents of samples say, looking at them ends: any fields that a document may have."""

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.documents.document import Document
from evidence.documents.kinds import KINDS, check_document
from evidence.documents.observed.observe import may_be_measured, observe
from evidence.documents.observed.paper import Paper
from evidence.documents.observed.pdfs import observe_pdfs, pdfs_of
from evidence.documents.observed.stories import stories_of
from evidence.documents.standing import Logged, Standing
from tests.unit.evidence.documents.papers import file_of

SAMPLES, NAMES = ["S-1", "S-2", "S-3"], ["ash", "carbon", "moisture", "total-moisture", "volatile"]
NUMBERS = ["0", "-0", "0.000", "8.25", "64.31", "-3", "100", "9" * 30, "0." + "0" * 14 + "1"]
INSTANTS = [0, 1, 1_780_000_000_000_000_000, 1_790_000_000_000_000_000, 2**63 - 2]
DAYS = ["0001-01-01", "2026-06-30", "2026-02-28", "9999-12-31"]
TEXTS = ["x", "HT-2026-0412", "20260412", "9" * 200, "{0}{report}", "2031", "２０２６-１"]


def body(kind: str, choose: Random) -> dict[str, Any]:
    """A body of a kind: each field some value that it may have, optional ones now and then."""
    shape = KINDS[kind]
    names = [*shape.required, *(n for n in shape.optional if choose.random() < 0.5)]
    made = {name: _value(name, choose) for name in names}
    if "from_ns" in made:
        made["from_ns"], made["to_ns"] = sorted(choose.sample(INSTANTS, 2))
    return made


def _value(name: str, choose: Random) -> Any:
    amount = choose.choice(NUMBERS).lstrip("-")
    known = {
        "report_day": choose.choice(DAYS), "until": choose.choice(DAYS), "parts": _parts(choose),
        "is_seal_whole": choose.random() < 0.5, "mass_kg": amount, "stands_for_t": amount,
        "values": [_row(choose) for _ in range(choose.randint(1, 6))], "basis": "ar", "unit": "%",
        "source": "coal", "name": choose.choice(NAMES), "value": choose.choice(NUMBERS),
    }  # fmt: skip
    typed = choose.choice(INSTANTS) if name.endswith("_ns") else choose.choice(TEXTS)
    return known.get(name, typed)


def _parts(choose: Random) -> Any:
    weights = [choose.choice(NUMBERS).lstrip("-") for _ in range(choose.randint(1, 4))]
    return [{"sample": choose.choice([*SAMPLES, "S-9"]), "weight": one} for one in weights]


def _row(choose: Random) -> dict[str, str]:
    made = {"name": choose.choice(NAMES), "value": choose.choice(NUMBERS), "unit": "%"}
    return made | (
        {"basis": choose.choice(["ar", "ad", "d", "daf"])} if choose.random() < 0.9 else {}
    )


def _hash(plant: str, index: int) -> bytes:
    return plant[:1].encode() * 31 + bytes([index])


def standing_of(choose: Random, plant: str) -> Standing:
    standing, kinds = Standing(), [k for k in KINDS if k.startswith("sample-")] + ["parameter"]
    for index in range(choose.randint(1, 14)):
        kind = choose.choice(kinds)
        made = body(kind, choose)
        if kind == "sample-prepared":
            made.pop("parts", None)
        about = "coal" if kind == "parameter" else choose.choice(SAMPLES)
        files = (file_of(bytes([choose.randint(1, 3)])),) if choose.random() < 0.5 else ()
        document = Document(plant, "li", 1, kind, about, made, files=files)
        check_document(document)
        standing.take(Logged(index, choose.choice(INSTANTS), _hash(plant, index), document, None))
    return standing


def paper_of(choose: Random) -> Paper:
    text = " ".join(choose.sample(TEXTS + NUMBERS + DAYS, 12))
    dates = ["D:20260631", "D:00010101000000+23'59'", "D:99991231235959-23'59'", "", "D:2026063012"]
    codes = (tuple(choose.sample([*TEXTS, "2026-06-30"], choose.randint(0, 2))),)
    return Paper(
        1, 1, choose.randint(1, 3), choose.randint(0, 2), choose.choice(dates),
        choose.choice(dates), "", choose.choice(["", "Wang"]), choose.choice([text, ""]), codes,
        choose.choice(["", "", "broken"]),
    )  # fmt: skip


@given(st.integers(0, 2**32))
def test_looking_ends_and_every_finding_can_be_said(seed: int) -> None:
    choose = Random(seed)
    standing, other = standing_of(choose, "mine"), standing_of(choose, "other")
    papers = {one.sha256: paper_of(choose) for one in pdfs_of(standing)}
    for one in (*observe(standing, [stories_of(other)]), *observe_pdfs(standing, papers)):
        assert one.plant == "mine"
        assert "{" not in one.sentence("en").replace("{0}{report}", "")
        assert one.plain()["sentence"]["zh"]
    for logged in standing.all():
        if logged.document.kind == "sample-result":
            may_be_measured(standing, logged.sha256, (0, 1))
    with pytest.raises(LookupError):
        may_be_measured(standing, b"\xff" * 32, (0, 1))
