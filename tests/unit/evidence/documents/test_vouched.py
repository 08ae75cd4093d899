"""What `verify` says of persons and witnesses for whom somebody, or nobody, vouches.

Honest persons raise nothing; all that is told names the person, the key and the documents.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from evidence.documents.certified import (
    ALL_ROWS_MAX,
    ROWS_MAX,
    Certified,
    PersonsList,
    Vouched,
    Withdrawn,
    decode_list,
    encode_list,
)
from evidence.errors import EvidenceError, KeyFileError, MalformedError, SignatureError
from evidence.findings import Report
from evidence.phrases import translated
from tests.attacks import by_persons
from tests.attacks.by_documents import ORGANISATIONS
from tests.attacks.forging import WITNESSES
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.documents import papers as pp
from tests.unit.evidence.small_plant import START_NS, keys

ROOT = keys().root


def told(archive: bytes, code: str, **options: Any) -> list[str]:
    report = sm.check(archive, recompute=False, **options)
    return [f"{f.where}: {f.sentence}" for f in report.findings if f.code == code]


def witnesses_of(report: Report) -> str:
    (line,) = [line for line in report.not_checked if line.startswith("Witnesses: ")]
    return line


def hex_of(person: str) -> str:
    return pp.key_sha256(pp.key_of(person).public_key).hex()[:16]


# -- persons ------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", [0, 5, 10])
def test_persons_whom_the_root_certifies_raise_nothing_wherever_the_list_stands(where: int) -> None:
    made = pp.papers()
    archive = pp.archive([*made[:where], pp.listed(), *made[where:]], earlier=where and 3)
    assert told(archive, "W-PERSON") == []
    assert told(archive, "E-DOCUMENT") == []


def test_two_invented_accountants_are_told_with_what_they_signed() -> None:
    archive = pp.archive([*by_persons.invented(), pp.listed()], files=())
    end = "which the plant's root has not certified. Documents that count here: 1"
    assert told(archive, "W-PERSON") == [
        f"person ivy: Ivy (ivy, accountant) signed with key {hex_of('ivy')}, {end} "
        "(invoice anthracite).",
        f"person joe: Joe (joe, accountant) signed with key {hex_of('joe')}, {end} "
        "(approve anthracite).",
    ]


def test_a_month_without_a_list_tells_each_person_once() -> None:
    made = pp.papers()
    again = [pp.paper("li", "invoice", "coke", pp.INVOICE | {"number": n}) for n in ("2", "3")]
    found = told(pp.archive([*made, *again]), "W-PERSON")
    assert [line.split(":")[0] for line in found] == ["person li", "person zhao", "person chen"]
    assert "count here: 3 (invoice anthracite, invoice coke ×2)." in found[0]
    # the stock-take was withdrawn and counts no more; its withdrawal counts
    assert "count here: 1 (withdraw anthracite)." in found[2]


@pytest.mark.parametrize(
    ("lists", "why"),
    [
        ([pp.listed(pp.row_of("li", role="operator"))], "certified as another person's or role's"),
        ([pp.listed(pp.row_of("li", organisation="Other"))], "certified as another person's"),
        ([pp.listed(), by_persons.ended(None)], "has withdrawn"),
        ([by_persons.ended(START_NS), pp.listed()], "has withdrawn"),
        ([pp.listed(by=pp.ORGANISATION)], "has not certified"),
    ],
)
def test_why_a_key_does_not_count_is_told(lists: list[bytes], why: str) -> None:
    found = told(pp.archive([*pp.papers(), *lists]), "W-PERSON")
    assert any("(li, accountant)" in line and why in line for line in found)


def test_what_came_before_a_key_was_withdrawn_counts() -> None:
    """The small plant's log receives nothing later than this."""
    rows = [pp.listed(), by_persons.ended(2**63 - 1)]
    assert told(pp.archive([*pp.papers(), *rows]), "W-PERSON") == []


def test_sentences_about_persons_are_there_in_chinese() -> None:
    for build in (by_persons.took_away, by_persons.replaced, by_persons.certified_twice):
        for line in told(build(), "W-PERSON"):
            where, _, sentence = line.partition(": ")
            assert translated("where", where, "zh").startswith("人员 ")
            assert "厂区根密钥" in translated("sentence", sentence, "zh")


# -- witnesses ----------------------------------------------------------------------------------


def seen(*lists: bytes) -> bytes:
    return pp.archive([*pp.reviews(), pp.cosigned(pp.reviews(), 9), pp.listed(), *lists])


@pytest.mark.parametrize(
    ("lists", "witnesses", "end"),
    [
        ((), None, "nobody outside the collector vouches for; --witness FILE checks it."),
        ((ORGANISATIONS,), None, "nobody outside the collector vouches for; --witness FILE checks"),
        ((), WITNESSES, "which no key of --witness vouches for."),
        ((pp.listed(pp.row_of("qin")),), WITNESSES, "which no key of --witness vouches for."),
    ],
)
def test_a_witness_for_whom_nobody_vouches_is_no_witness(
    lists: tuple[bytes, ...], witnesses: frozenset[bytes] | None, end: str
) -> None:
    archive = seen(*lists)
    assert told(archive, "N-WITNESS", witnesses=witnesses) == []
    (cosigned,) = [
        line for line in told(archive, "W-WITNESS", witnesses=witnesses) if "cosigned" in line
    ]
    begin = "person qin: qin (qin) cosigned the log when it had 9 entries, 2026-06-15T04:59:40Z "
    assert cosigned.startswith(f"{begin}by that person's clock, with key {hex_of('qin')}, ")
    assert end in cosigned
    report = sm.check(archive, recompute=False, witnesses=witnesses)
    assert witnesses_of(report) == (
        "Witnesses: qin cosigned the log, and nobody you trust vouches for the key; gateway and "
        "collector together could have written another history."
    )
    (one,) = report.as_map()["witnesses"]
    assert (one["person"], one["size"], one["certified"]) == ("qin", 9, False)


@pytest.mark.parametrize(
    ("lists", "witnesses"),
    [
        ((ORGANISATIONS,), WITNESSES),
        ((), frozenset({pp.key_sha256(pp.key_of("qin").public_key)})),
    ],
    ids=["by the organisation", "by the own key"],
)
def test_a_witness_whom_the_readers_keys_certify_is_one(
    lists: tuple[bytes, ...], witnesses: frozenset[bytes]
) -> None:
    archive = seen(*lists)
    (line,) = told(archive, "N-WITNESS", witnesses=witnesses)
    assert "qin (qin) cosigned the log when it had 9 entries, 2026-06-15T04:59:40Z" in line
    report = sm.check(archive, recompute=False, witnesses=witnesses)
    size = report.witnesses[0]["of"]
    assert size == report.counts["log_entries"] > 9
    assert witnesses_of(report) == (
        f"Witnesses: of the log's {size} entries qin saw the first 9; no third party has bound "
        "those after them yet."
    )
    assert "其后的条目" in translated("unchecked", witnesses_of(report), "zh")


def test_without_a_third_party_the_line_is_as_it_was() -> None:
    assert witnesses_of(sm.check(sm.honest(), recompute=False)) == (
        "Witnesses: the checkpoint has no signature of a third party; gateway and collector "
        "together could have written another history."
    )


def test_decisions_of_a_reviewer_whom_nobody_knows_are_told_once() -> None:
    archive = pp.archive([*pp.reviews(), pp.listed()])
    for line in told(archive, "W-WITNESS"):
        assert ("signed decisions or visits here, 1, with key" in line) == line.startswith("person")
    assert [line.split(":")[0] for line in told(archive, "W-WITNESS")] == [
        "person qin", "person guo",
    ]  # fmt: skip
    certified = pp.archive([*pp.reviews(), pp.listed(), ORGANISATIONS])
    assert told(certified, "W-WITNESS", witnesses=WITNESSES) == []


def test_the_plants_own_root_is_no_third_party() -> None:
    archive = seen(pp.listed(pp.row_of("qin")))
    own = frozenset({pp.key_sha256(ROOT.public_key)})
    assert told(archive, "N-WITNESS", witnesses=own) == []


# -- lists --------------------------------------------------------------------------------------

LI = pp.row_of("li")


def test_a_list_says_what_was_signed() -> None:
    said = PersonsList("works", (LI,), (Withdrawn(bytes(32), 7, "left"),))
    data = encode_list(said, ROOT)
    assert decode_list(data, ROOT.public_key) == said
    with pytest.raises(SignatureError):
        decode_list(data, keys().collector.public_key)


@pytest.mark.parametrize(
    "make",
    [
        lambda: PersonsList("works"),
        lambda: PersonsList("Works", (LI,)),
        lambda: PersonsList("works", (LI, replace(LI, person="eve"))),
        lambda: PersonsList("works", (LI,), (Withdrawn(LI.key, None, "left"),)),
        lambda: PersonsList("works", (replace(LI, key=b"short"),)),
        lambda: PersonsList("works", (replace(LI, name="a\nb"),)),
        lambda: PersonsList("works", tuple(map(_numbered, range(ROWS_MAX + 1)))),
        lambda: PersonsList(
            "works", tuple(map(_numbered, range(ROWS_MAX))), (Withdrawn(bytes(32), 1, "x"),)
        ),
    ],
)
def test_what_no_list_may_say_is_never_signed(make: Callable[[], PersonsList]) -> None:
    with pytest.raises(EvidenceError):
        encode_list(make(), ROOT)


def _numbered(number: int) -> Certified:
    return replace(LI, key=(number + 1).to_bytes(32, "big"))


def test_all_lists_together_are_bounded() -> None:
    vouched = Vouched()
    for start in range(0, ALL_ROWS_MAX, ROWS_MAX):
        rows = tuple(map(_numbered, range(start, start + ROWS_MAX)))
        vouched.take(b"root", PersonsList("works", rows))
        vouched.take(b"root", PersonsList("works", rows))  # the same again is no row more
    with pytest.raises(MalformedError, match="20000"):
        vouched.take(b"root", PersonsList("works", (_numbered(ALL_ROWS_MAX),)))


# -- lists that the reader brings ---------------------------------------------------------------


def brought(*lists: PersonsList, by: Any = ROOT) -> dict[str, bytes]:
    return {f"{i}.cose": encode_list(one, by) for i, one in enumerate(lists)}


EVERYBODY = PersonsList(sm.PLANT, tuple(map(pp.row_of, pp.WHO)))


def test_a_list_that_came_after_the_month_was_sealed_counts_when_it_is_brought() -> None:
    archive = pp.archive(pp.papers())
    assert len(told(archive, "W-PERSON")) == 3
    assert told(archive, "W-PERSON", orders=brought(EVERYBODY)) == []


def test_a_withdrawal_that_the_collector_kept_back_counts_when_it_is_brought() -> None:
    archive = pp.archive([*pp.papers(), pp.listed()])
    end = PersonsList(sm.PLANT, (), (Withdrawn(LI.key, None, "never met"),))
    (line,) = told(archive, "W-PERSON", orders=brought(end))
    assert "(li, accountant)" in line
    assert "has withdrawn" in line


@pytest.mark.parametrize("recompute", [False, True])
def test_a_list_that_is_not_the_roots_stops_the_run(*, recompute: bool) -> None:
    archive = pp.archive(pp.papers())
    for orders in (
        brought(EVERYBODY, by=keys().collector),
        brought(replace(EVERYBODY, plant="other")),
    ):
        with pytest.raises(KeyFileError):
            sm.check(archive, recompute=recompute, orders=orders)
