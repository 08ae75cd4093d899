"""`stackproof compare`: archives of one plant that are one history, and those that are not.

Each archive here passes `verify` alone, but where a test says so.
"""

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import stackproof
from evidence.compare.member import Member
from evidence.findings import Verdict
from evidence.keys import certificate_to_pem
from evidence.log import Kind
from evidence.recompute import Recomputation, statement_bytes
from tests.attacks.by_both import stated
from tests.attacks.by_rewriting import FORKED, rewritten
from tests.attacks.forging import SISTER, edit_statement, packed
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.two_months import CONFIG, JULY

ONE, TWO, OPEN = 0, 1, 2


@dataclass(frozen=True)
class Months:
    """June and July of one log.

    Attributes:
        june: its archive.
        july: the month after it.
        entries: of June's log.
    """

    june: bytes
    july: sm.Month
    entries: tuple[bytes, ...]


def july_archive(months: Months, since: int) -> bytes:
    """July's archive, whose piece of the log begins at an entry."""
    made = months.july
    return sm.build(
        sm.contents(
            made, month="2026-07", closing="final", log_range=sm.tree_of(made.entries[:since]),
            log_entries=made.entries[since:], configs={sm.sha256(CONFIGURED): CONFIGURED},
        )
    )  # fmt: skip


CONFIGURED = sm.month().objects[0]


def months(between: Sequence[bytes] = (), back_to: int | None = None) -> Months:
    """June, what the log holds between, and July; `back_to`: seq from which July signs again."""
    chain = sm.Chain(sm.keys().gateway)
    june = sm.make_month(sm.items(), chain=chain)
    if back_to is not None:
        del chain.objects[back_to:]
    bodies = sm.bodies(CONFIG, JULY[0])
    fold = Recomputation()
    fold.configure(b"x", CONFIG)
    for body in bodies:
        list(fold.feed(body))
    july = sm.make_month(
        [sm.frame_item(body) for body in bodies],
        statement=statement_bytes(fold.statement(*JULY, "final")), chain=chain,
        first_entries=[*june.entries, *between], closing="final", month_id="2026-07",
    )  # fmt: skip
    return Months(sm.build(sm.contents(june)), july, june.entries)


@cache
def honest() -> Months:
    return months()


def refused(index: int) -> bytes:
    """A log entry of a kind that has no object."""
    fields: dict[str, Any] = {"verdict": "malformed", "detail": {"count": 1}}
    return sm.entry(Kind.REJECT, b"more junk", index, **fields)


def later() -> bytes:
    """June closed once more in the same log, as interim, after one more entry."""
    entries = list(sm.month().entries)
    close = sm.entry(
        Kind.MONTH_CLOSE, sm.month().statement, len(entries) + 1, stream="",
        detail={
            "month": "2026-06", "closing": "interim",
            "streams": {sm.STREAM: [0, 5, sm.sha256(sm.month().objects[-1])]},
        },
    )  # fmt: skip
    entries += [refused(len(entries)), close]
    return sm.build(
        sm.contents(sm.month(), log_entries=entries, checkpoint=sm.log_note(entries), closes={})
    )


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Runs the command on these archives; a to z name their files."""

    def given(*archives: bytes, more: Sequence[str] = ()) -> tuple[int, str]:
        files = [tmp_path / f"{'abcdefghijklmnop'[i]}.tar" for i in range(len(archives))]
        for file, data in zip(files, archives, strict=True):
            file.write_bytes(data)
        status = stackproof.main(["compare", *map(str, files), *more])
        told = capsys.readouterr()
        return status, (told.out or told.err).replace(f"{tmp_path}/", "")

    return given


Run = Callable[..., tuple[int, str]]


def roots_at(size: int, *archives: bytes) -> list[str]:
    found = []
    for data in archives:
        files = sm.unpack(data)
        entries = sm.records(files["data/log/entries.seg"])
        found.append(base64.b64encode(sm.tree_of(entries[:size]).root()).decode())
    return found


# -- one history --------------------------------------------------------------------------------


def test_the_archives_pass_alone() -> None:
    for data in (honest().june, july_archive(honest(), len(honest().entries)), later()):
        assert sm.check(data).verdict is Verdict.PASSED, sm.check(data).findings


def test_a_month_and_the_next_are_one_history(run: Run) -> None:
    entries = honest().entries
    for since in (len(entries), len(entries) - 3, 1):
        status, out = run(honest().june, july_archive(honest(), since))
        assert status == ONE
        assert out.startswith("ONE HISTORY  2 archives of ")
        assert f"Their logs are one up to entry {len(entries)}, the last that both have." in out
        assert "run stackproof verify for each" in out


def test_the_order_in_which_they_are_given_says_nothing(run: Run) -> None:
    status, out = run(july_archive(honest(), 4), honest().june)
    assert status == ONE
    assert "b.tar and a.tar: ONE HISTORY" in out


def test_one_archive_twice_and_a_month_closed_again_are_one_history(run: Run) -> None:
    for second in (sm.honest(), later()):
        status, out = run(sm.honest(), second)
        assert status == ONE, out
        assert "Both hold the same statement of 2026-06." in out


# -- two histories ------------------------------------------------------------------------------


def test_a_month_that_was_written_again_is_another_history(run: Run) -> None:
    status, out = run(sm.honest(), rewritten())
    here, there = roots_at(FORKED + 1, sm.honest(), rewritten())
    assert status == TWO
    assert out.startswith("TWO HISTORIES  2 archives of ")
    assert (
        f"Their logs are one up to {FORKED} entries. Of {FORKED + 1} entries the first has root "
        f"{here}, the second {there}." in out
    )
    objects = [sm.records(sm.unpack(data)["data/log/entries.seg"]) for data in
               (sm.honest(), rewritten())]  # fmt: skip
    assert objects[0][FORKED] != objects[1][FORKED]
    assert "Gateway edge-1, seq 3: the first has the object " in out
    assert "Keep all these files: they are the proof." in out


def test_the_next_month_of_another_history_is_found_whatever_its_piece_of_the_log(run: Run) -> None:
    entries = honest().entries
    for since, told in (
        (2, f"are one up to {FORKED} entries"),
        (FORKED + 2, f"differ in the first {FORKED + 2} entries already"),
        (len(entries), f"differ in the first {len(entries)} entries already"),
    ):
        status, out = run(rewritten(), july_archive(honest(), since))
        assert status == TWO, out
        assert told in out


def test_a_gateways_number_is_accepted_once_in_a_log(run: Run) -> None:
    """One log, of which each piece is sound: July begins again within June's objects."""
    made = months(back_to=3)
    again = july_archive(made, len(made.entries))
    status, out = run(made.june, again)
    assert status == TWO
    assert "Their logs are one up to entry" in out
    assert "Gateway edge-1, seq 3: the first has the object " in out


def test_figures_that_differ_between_two_histories_of_a_month_are_listed(run: Run) -> None:
    def lower(statement: dict[str, Any]) -> None:
        statement["output"]["totals"]["total_t"] = "1.00"

    other = sm.build(sm.contents(sm.make_month(sm.items(), statement=stated(lower))))
    status, out = run(sm.honest(), other)
    total = json.loads(sm.month().statement)["output"]["totals"]["total_t"]
    assert status == TWO
    assert "They hold different statements of 2026-06" in out
    assert f"\n    output.totals.total_t: {total} → 1.00\n" in out
    unlogged = packed(edit_statement(lower), sm.keys().collector)()
    status, out = run(sm.honest(), unlogged)
    assert (status, "b.tar does not hold (E-LOG-CLOSE)" in out) == (OPEN, True)


# -- cannot decide ------------------------------------------------------------------------------


def test_entries_between_two_archives_leave_it_open_and_what_must_agree_is_compared(
    run: Run,
) -> None:
    size = len(sm.month().entries)
    made = months([refused(size), refused(size + 1)])
    july = july_archive(made, size + 2)
    status, out = run(made.june, july)
    assert status == OPEN
    assert f"ends at entry {size}, the second begins at {size + 2}: the 2 between are in" in out
    status, out = run(rewritten(), july)  # 10 and 12 begin with the same eight entries
    assert status == TWO
    assert f"from entry {size + 2} on, does not continue the first" in out


def test_archives_of_two_plants_or_two_roots_are_not_judged(run: Run) -> None:
    sister = sm.build(
        sm.contents(
            sm.month(), root=SISTER.certificates["root"], plant="sister-smelter",
            collector=SISTER.certificates["collector"], gateways=[],
        )
    )  # fmt: skip
    status, out = run(sm.honest(), sister)
    assert status == OPEN
    assert "does not hold" in out or "two plants" in out


def test_an_archive_that_does_not_hold_is_named_with_its_codes(run: Run) -> None:
    status, out = run(sm.honest(), sm.honest()[:-600])
    assert status == OPEN
    assert "b.tar does not hold (E-CONTAINER), so nothing is said of it. Run: stackproof v" in out


def test_a_root_that_is_not_trusted_is_told(run: Run, tmp_path: Path) -> None:
    trust = tmp_path / "trust.pem"
    trust.write_bytes(certificate_to_pem(sm.keys().certificates["root"]))
    assert run(sm.honest(), later(), more=["--trust", str(trust)])[0] == ONE
    trust.write_bytes(certificate_to_pem(SISTER.certificates["root"]))
    status, out = run(sm.honest(), later(), more=["--trust", str(trust)])
    assert status == OPEN
    assert "(E-TRUST)" in out


# -- many, and the forms of the answer ----------------------------------------------------------


def test_of_many_the_first_break_is_named_and_two_are_open_at_a_time(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[int] = []
    read, close = Member.read.__func__, Member.close  # type: ignore[attr-defined]  # a classmethod

    def counted(cls: type[Member], *given: Any) -> Member:
        held.append(held[-1] + 1 if held else 1)
        return read(cls, *given)

    def closed(one: Member) -> None:
        held.append(held[-1] - 1)
        close(one)

    monkeypatch.setattr(Member, "read", classmethod(counted))
    monkeypatch.setattr(Member, "close", closed)
    july = july_archive(honest(), FORKED + 2)
    status, out = run(july, sm.honest(), honest().june, later())
    assert status == TWO  # July continues June, not June closed once more
    assert max(held) == 2
    assert held[-1] == 0
    assert "The first break is between d.tar and a.tar." in out


def test_as_json_it_says_the_same(run: Run) -> None:
    status, out = run(sm.honest(), rewritten(), more=["--json"])
    told = json.loads(out)
    assert (status, told["outcome"]) == (TWO, "two-histories")
    (pair,) = told["pairs"]
    assert pair["agree_to"] == FORKED
    assert [one["key"] for one in pair["sentences"]][:2] == ["logs_differ", "stream_apart"]
    assert [one["ends"] for one in told["archives"]] == [len(sm.month().entries)] * 2


def test_it_speaks_chinese(run: Run) -> None:
    status, out = run(sm.honest(), rewritten(), more=["--lang", "zh"])
    assert status == TWO
    assert out.startswith("两种历史  ")
    assert "采集端就同一厂区出示过两种历史" in out
    assert f"两者的日志前 {FORKED} 条一致" in out


def test_one_archive_is_none_to_compare_and_verify_names_the_command(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, said = run(sm.honest())
    assert (status, said.startswith("stackproof compare: ")) == (OPEN, True)
    files = [str(tmp_path / "a.tar")] * 2
    assert stackproof.main(["verify", *files]) == OPEN
    assert "stackproof compare" in capsys.readouterr().err
