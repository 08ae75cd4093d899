"""A register that was put back to a backup: who was revoked since is in it as approved."""

import shutil
from pathlib import Path

from cloud.accounts.roles import PROGRAM
from tests.unit.cloud.transport.test_transport import KEY, ROW, Bench, bench

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
    assert desk.trouble == (
        f"mini/edge-1 key {KEY} was revoked, says the security log, and the register lets it in: "
        "revoke it again (broker revoke)"
    )
    desk.revoke(PROGRAM, ROW, "stolen", "")
    desk.look()
    assert desk.trouble == ""
