"""Orders that the reviewer brings: what a collector never logged, and what is no order at all.

Orders and archives are those of tests/attacks, put together from FORMAT.md and not by the program.
The collector that withholds an order is honest in all else: without the order its month passes.
"""

from pathlib import Path

import pytest

from evidence import cli
from evidence.errors import KeyFileError
from evidence.findings import Report, Verdict
from evidence.keys import certificate_to_pem, key_sha256, write_private
from tests.attacks.by_keys import (
    KNOWN,
    NEXT,
    OLD,
    Changing,
    month,
    order,
    order_entry,
    replacement,
    revoke,
    rotated,
)
from tests.attacks.by_newer import private
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.test_verifier_keys import failing
from tests.unit.evidence.two_months import archive as july_archive
from tests.unit.evidence.two_months import two_months

LAST = 5  # seq of the honest stream's last object; the gateway's close is the next
NAME = "revoke 1.cose"


def brought(archive: bytes, *orders: bytes) -> Report:
    return sm.check(archive, orders={f"{NAME}{i or ''}": data for i, data in enumerate(orders)})


def places(report: Report, code: str) -> list[str]:
    return [finding.where for finding in report.findings if finding.code == code]


def about_orders(report: Report) -> list[str]:
    return [sentence for sentence in report.not_checked if sentence.startswith("Order")]


# -- an order that the collector did not log ----------------------------------------------------


def test_a_withheld_revocation_passes_unseen_and_is_found_with_the_roots_order() -> None:
    """The root ends the gateway's key after seq 2; the collector goes on as if it had not."""
    unseen = sm.check(sm.honest())
    assert unseen.verdict is Verdict.PASSED
    (sentence,) = about_orders(unseen)
    assert "whether the root has issued orders the collector did not log" in sentence
    report = brought(sm.honest(), revoke(2))
    assert failing(report) == {"E-ORDER", "E-KEY-REVOKED", "E-CLOSE"}
    assert places(report, "E-ORDER") == [NAME]
    assert places(report, "E-KEY-REVOKED") == [f"edge-1 seq {seq}" for seq in (3, 4, LAST)]
    assert about_orders(report) == []
    assert report.counts["orders"] == 1


def test_a_key_that_was_never_good_is_good_for_nothing() -> None:
    report = brought(sm.honest(), revoke(None))
    assert failing(report) == {"E-ORDER", "E-KEY-REVOKED", "E-CLOSE"}
    assert len(places(report, "E-KEY-REVOKED")) == LAST + 1


def test_the_gateways_close_alone_may_fall_under_it() -> None:
    assert failing(brought(sm.honest(), revoke(LAST))) == {"E-ORDER", "E-CLOSE"}


def test_what_it_judges_is_judged_as_if_it_stood_in_the_log() -> None:
    order = revoke(2)
    logged = sm.check(month(orders=[order], between={4: order_entry(order, 2)})())
    withheld = brought(sm.honest(), order)
    assert failing(withheld) - failing(logged) == {"E-ORDER"}
    for code in ("E-KEY-REVOKED", "E-CLOSE", "W-KEY-REVOKED"):
        assert places(withheld, code) == places(logged, code)


def test_a_new_device_whose_order_was_withheld_counts_and_the_archive_fails() -> None:
    """Without the order nobody knows the new key; with it only the withholding is left."""
    made = month(chain=lambda: Changing(3), certificates=(KNOWN, NEXT))()
    assert "E-KEY-CHANGE" in failing(sm.check(made))
    report = brought(made, replacement(2, sm.sha256(sm.month().objects[2])))
    assert failing(report) == {"E-ORDER"}
    assert places(report, "E-ORDER") == [NAME]
    assert places(report, "N-KEY") == ["edge-1 seq 2"]


def test_a_replacement_is_held_against_the_objects_too() -> None:
    made = month(chain=lambda: Changing(3), certificates=(KNOWN, NEXT))()
    report = brought(made, replacement(2, bytes(32)))
    assert failing(report) == {"E-ORDER"}
    assert set(places(report, "E-ORDER")) == {NAME, "edge-1 seq 3"}


def test_two_orders_of_the_root_that_contradict_each_other_are_told_by_their_names() -> None:
    head = sm.sha256(sm.month().objects[2])
    made = month(chain=lambda: Changing(3), certificates=(KNOWN, NEXT))()
    orders = replacement(2, head), replacement(2, head, reason="burnt, and told in other words")
    assert set(places(brought(made, *orders), "E-ORDER")) == {NAME, f"{NAME}1"}


def test_a_rotate_of_an_earlier_month_is_undone() -> None:
    """The old key's last good object is 5, and in June it had handed over at 6."""
    two = two_months()
    made = july_archive(two, [two.rotate])
    report = brought(made, revoke(5))
    assert failing(report) == {"E-ORDER", "E-KEY-CHANGE", "E-CLOSE"}
    assert places(report, "E-ORDER") == [NAME]


# -- an order that changes nothing here ---------------------------------------------------------


def test_an_order_that_stands_in_the_log_is_counted_and_nothing_more() -> None:
    order = revoke(3)
    made = month(rotated(3), chain=lambda: Changing(4), certificates=(KNOWN, NEXT),
                 orders=[order], between={4: order_entry(order, 3)})()  # fmt: skip
    alone, report = sm.check(made), brought(made, order)
    assert report.verdict is Verdict.PASSED, report.findings
    assert report.findings == alone.findings
    assert (report.counts["orders"], about_orders(report)) == (1, [])


def test_an_order_that_binds_after_this_archive_fails_nothing_and_is_told() -> None:
    """It may be of years later, and says no date."""
    report = brought(sm.honest(), revoke(LAST + 1))
    assert report.verdict is Verdict.PASSED, report.findings
    assert places(report, "W-KEY-REVOKED") == ["stream edge-1"]
    (sentence,) = about_orders(report)
    assert NAME in sentence
    assert "changes nothing in it. An order has no date" in sentence


def test_a_revocation_of_what_another_order_ends_already_withholds_nothing() -> None:
    """Said again in other words, and with a later end: the log holds what matters."""
    held = revoke(3)
    made = month(rotated(3), chain=lambda: Changing(4), certificates=(KNOWN, NEXT),
                 orders=[held], between={4: order_entry(held, 3)})()  # fmt: skip
    report = brought(made, revoke(3, reason="said again"), revoke(9))
    assert report.verdict is Verdict.PASSED, report.findings
    assert len(about_orders(report)) == 2


@pytest.mark.parametrize("other", [{"stream": "edge-9"}, {"key": bytes(32)}])
def test_an_order_about_what_is_not_here_is_told(other: dict[str, object]) -> None:
    report = brought(sm.honest(), revoke(2, **other))
    assert report.verdict is Verdict.PASSED, report.findings
    assert len(about_orders(report)) == 1


# -- what is no order of this plant's root ------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "it is no order: not a COSE_Sign1"),
        (certificate_to_pem(KNOWN), "keys revoke"),
        (revoke(2)[:-1], "it is no order"),
        (revoke(2)[:-1] + b"\x00", "by the root of"),  # another last byte of the signature
        (revoke(2, OLD), "no order by the root of"),  # by the gateway
        (revoke(2, sm.keys().collector), "no order by the root of"),
        (revoke(2, sm.keys(70, "sister-smelter").root), "leave out those of other plants"),
        (revoke(2, plant="sister-smelter"), "it is an order of plant sister-smelter"),
        (revoke(2, reason=""), "reason must have"),
    ],
)  # fmt: skip
def test_another_file_than_was_meant_stops_the_run_and_is_named(data: bytes, told: str) -> None:
    with pytest.raises(KeyFileError) as caught:
        brought(sm.honest(), revoke(9), data)
    assert str(caught.value).startswith(f"{NAME}1: ")
    assert told in str(caught.value)


def test_an_order_of_tomorrow_is_not_decided() -> None:
    report = brought(sm.honest(), order("stackproof-revive+cbor", {"a": 1}))
    assert report.verdict is Verdict.CANNOT_DECIDE
    assert places(report, "C-FORMAT") == [NAME]


def test_under_a_root_that_is_not_trusted_nobodys_order_is_looked_at() -> None:
    orders = {NAME: revoke(2)}
    for trust in (None, frozenset({bytes(32)})):
        report = sm.check(sm.honest(), trust=trust, orders=orders)
        assert "E-ORDER" not in failing(report)
        assert about_orders(report) == [
            "Orders: the root key here is not one you trust, so yours were not looked at."
        ]
        assert report.counts["orders"] == 0


# -- the command --------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """An archive, its root and some orders, each a file."""
    (tmp_path / "month.tar").write_bytes(sm.honest())
    (tmp_path / "trust.pem").write_bytes(certificate_to_pem(sm.keys().certificates["root"]))
    (tmp_path / "a b.cose").write_bytes(revoke(2))
    (tmp_path / "later.cose").write_bytes(revoke(LAST + 1))
    return tmp_path


def verify(files: Path, *more: str) -> int:
    return cli.main(["verify", str(files / "month.tar"), *more])


def test_the_command_takes_files_and_says_what_they_came_to(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trust = ["--trust", str(files / "trust.pem")]
    late, ends = str(files / "later.cose"), str(files / "a b.cose")
    assert verify(files, *trust, "--orders", late) == sm.QUESTIONS
    assert ", 1 of your orders\n" in capsys.readouterr().out
    for given in ([late, ends], [late, "--orders", ends]):
        assert verify(files, *trust, "--orders", *given) == 1
        assert f"\n    {ends}: The root's order about key " in capsys.readouterr().out


def test_an_order_as_the_root_writes_it_is_taken(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the root's desk to the reviewer's; what a gateway asks with is no order."""
    write_private(files / "root.pem", private(1))
    write_private(files / "edge.pem", private(2))
    key = key_sha256(OLD.public_key).hex()
    assert cli.main([
        "keys", "revoke", "--gateway", sm.STREAM, "--key", key, "--through", "2", "--root",
        f"file:{files / 'root.pem'}", "--root-certificate", str(files / "trust.pem"),
        "--reason", "gateway stolen", "--out", str(files / "revoke-1.cose"),
    ]) == 0  # fmt: skip
    trust = ["--trust", str(files / "trust.pem")]
    assert verify(files, *trust, "--orders", str(files / "revoke-1.cose")) == 1
    assert "revoke-1.cose: The root's order about key " in capsys.readouterr().out
    assert cli.main([
        "keys", "csr", "--key", f"file:{files / 'edge.pem'}", "--plant", sm.PLANT, "--name",
        sm.STREAM, "--out", str(files / "edge.csr"),
    ]) == 0  # fmt: skip
    assert verify(files, *trust, "--orders", str(files / "edge.csr")) == 2
    assert "edge.csr: it is no order" in capsys.readouterr().err


def test_the_command_says_all_of_it_in_chinese(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trust = ["--trust", str(files / "trust.pem"), "--lang", "zh"]
    assert verify(files, *trust) == sm.QUESTIONS
    assert "\n    密钥指令：未给出 --orders，" in capsys.readouterr().out
    late = str(files / "later.cose").replace("later", "la ter")
    Path(late).write_bytes(revoke(LAST + 1))
    assert verify(files, *trust, "--orders", str(files / "a b.cose"), late) == 1
    out = capsys.readouterr().out
    assert "a b.cose：根密钥签发的、涉及 edge-1 的密钥 " in out
    assert f"\n    密钥指令 {late}：涉及 edge-1 的密钥 " in out
    assert "您给出的 2 条密钥指令" in out


def test_what_the_command_cannot_use_is_said_on_stderr(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trust, order = ["--trust", str(files / "trust.pem")], str(files / "a b.cose")
    for more, told in (
        (["--orders", order], "--orders needs --trust"),
        ([*trust, "--orders", str(files / "none")], "none: cannot be read"),
        ([*trust, "--orders", order, trust[1]], "trust.pem: it is no order"),
    ):
        assert verify(files, *more) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.startswith("stackproof verify: ")
        assert told in captured.err
