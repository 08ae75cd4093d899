"""Same log, same keys: the same archive, to the last bit, whoever makes it and wherever."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from tests.unit.cloud.month_examples import ARCHIVE, Desk, months
from tests.unit.evidence.small_plant import MONTH, PLANT

ROOT = Path(__file__).parents[3]

HERE = {
    "PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C", "PYTHONUTF8": "0", "umask": "022",
}  # fmt: skip
ELSEWHERE = [
    {"PYTHONHASHSEED": "1"},
    {"PYTHONHASHSEED": "4294967295", "umask": "077"},
    {"TZ": "America/St_Johns", "umask": "000"},
    {"TZ": "Asia/Shanghai", "LC_ALL": "C.UTF-8"},
    {"LC_ALL": "tr_TR.UTF-8", "LANG": "zh_CN.GB18030", "PYTHONUTF8": "1"},
]


async def closed(evidence: Path, archives: Path) -> None:
    """A month that was closed and amended, so that every field of an archive is in it."""
    desk = Desk(evidence)
    await months(desk.deliver(frames=3), archives).close(PLANT, MONTH, closing="final")
    desk.deliver_more(3)
    again = months(desk, archives)
    await again.close(PLANT, MONTH, closing="final", amend=True, reason="twice")
    desk.shut()


def sealed(evidence: Path, archives: Path, settings: dict[str, str]) -> bytes:
    """The archive that a process of these settings makes of the evidence."""
    umask = settings.pop("umask")
    command = [sys.executable, "-m", "tests.integration.cloud.month_child"]
    subprocess.run(
        [*command, str(evidence), str(archives), umask],
        cwd=ROOT, env={**os.environ, **settings}, check=True, timeout=60,
    )  # fmt: skip
    return (archives / ARCHIVE).read_bytes()


async def test_every_process_makes_the_same_bytes(tmp_path: Path) -> None:
    await closed(tmp_path / "evidence", tmp_path / "archives")
    wanted = hashlib.sha256((tmp_path / "archives" / ARCHIVE).read_bytes()).hexdigest()
    made = [
        sealed(tmp_path / "evidence", tmp_path / f"archives-{n}", {**HERE, **settings})
        for n, settings in enumerate([{}, *ELSEWHERE])
    ]
    assert [hashlib.sha256(data).hexdigest() for data in made] == [wanted] * len(made)
