"""A register that was put back to a backup, and one whose CA's key is in a token."""

import shutil
from pathlib import Path

import pytest

from cloud import config_broker
from cloud.accounts.roles import PROGRAM
from cloud.transport.register import Register
from evidence import token_key
from evidence.errors import TokenAwayError
from evidence.keys import Signer
from tests.unit.cloud.transport.test_transport import BY_KEY, KEY, ROW, Bench, bench
from tests.unit.evidence.test_token_key import Hanging

__all__ = ["bench"]


def test_a_key_that_was_revoked_after_the_backup_is_told_until_it_is_revoked_again(
    bench: Bench, tmp_path: Path
) -> None:
    desk, folder = bench.desk, bench.desk._register().folder
    desk.take(bench.request())
    desk.approve(PROGRAM, ROW, "")
    shutil.copytree(folder, tmp_path / "backup")
    desk.revoke(PROGRAM, ROW, "stolen, key of mini/edge-2 too", "")
    desk.look()
    assert desk.trouble == ""
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "backup", folder)
    desk.look()
    desk._serve_now(desk._register())  # as an order about another key does
    assert desk.trouble == (
        f"mini/edge-1 key {KEY} was revoked, says the security log, and the register lets it in: "
        "revoke it again (broker revoke)"
    )
    desk.revoke(PROGRAM, ROW, "stolen", "")
    desk.look()
    assert desk.trouble == ""


def test_the_cas_token_may_hang_and_be_away_at_the_start(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is revoked is told to brokers that take no list; what waits for the token is told."""
    monkeypatch.setattr(token_key, "SIGN_S", 0.05)
    desk, here, folder = bench.desk, list[Signer](), bench.desk._register().folder

    def opened(*_: object) -> Signer:
        if not here:
            raise TokenAwayError("not in the slot")
        return here[0]

    monkeypatch.setattr("evidence.token_key.open_signer", opened)
    of = ("pkcs11:token=t", folder, folder / "ca.crt", config_broker._ca_is_away)
    desk._held = Register(folder, token_key.patient_signer(*of))
    desk.take(bench.request())
    with pytest.raises(TokenAwayError, match="not in the slot"):
        desk.approve(PROGRAM, ROW, "")
    desk.look()
    assert desk.trouble == "no certificate is made: not in the slot"
    here.append(Hanging(BY_KEY))
    Hanging.answers.set()
    assert desk.take(bench.request())["certificate"], "the key was approved all the same"
    desk._held = Register(folder, token_key.patient_signer(*of))
    Hanging.answers.clear()
    row = desk.revoke(PROGRAM, ROW, "stolen", "")
    Hanging.answers.set()
    said, told = "NOT written: its token has not answered", row["list"].partition(" for ")[0]
    assert (told, row["broker"], bench.served) == (said, "told", 2)
