"""The other verifier, run in Node, and what it means that the two agree (README.md)."""

import fcntl
import json
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evidence.findings import Report, Verdict
from evidence.keys import Trusted
from tests.attacks.forging import ROOT_SHA256
from tests.unit.evidence import sealed_month as sm

FOLDER = Path(__file__).parent
LOCK = FOLDER / "package-lock.json"
INSTALLED = FOLDER / "node_modules" / ".package-lock.json"
RULE_SETS = FOLDER.parents[1] / "edge" / "calc" / "rule_sets"
NPM_S = 100

Places = set[tuple[str, str]]


def install() -> None:
    """Fetch what the lock names, once; `npm ci` checks every hash. Two runs at once take turns."""
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
    with LOCK.open() as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not INSTALLED.exists() or INSTALLED.stat().st_mtime <= LOCK.stat().st_mtime:
            subprocess.run(command, cwd=FOLDER, check=True, capture_output=True, timeout=NPM_S)


def run_node(program: str, *arguments: object) -> list[Any]:
    """The lines of JSON that a program of this folder prints."""
    install()
    done = subprocess.run(
        ["node", FOLDER / program, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


def trusted(key: Trusted) -> str:
    """A trusted key in one word."""
    return key.hex() if isinstance(key, bytes) else f"{key[0]}:{key[1].hex()}"


def verify_there(
    files: Sequence[Path], trust: Iterable[Trusted] = (), kept: Sequence[Path] = (),
    witnesses: Iterable[bytes] = (),
) -> list[dict[str, Any]]:  # fmt: skip
    """What the other verifier says of each archive, beside what the reviewer kept."""
    held = [word for file in kept for word in ("--kept", file)]
    flags = [word for key in trust for word in ("--trust", trusted(key))]
    flags += [word for key in witnesses for word in ("--witness", key.hex())]
    answers = run_node("verify.mjs", "--rules", RULE_SETS, *flags, *held, *files)
    assert len(answers) == len(files)
    return answers


@dataclass(frozen=True)
class Comparison:
    """What both found, as (code, where)."""

    ours: Places
    theirs: Places
    verdicts: tuple[str, str]

    def differences(self, *, spoilt: bool = False) -> list[str]:
        """Where they disagree, by the rule in README.md; [] if they agree.

        Args:
            spoilt: bytes were hit at random, so that one wound is many things at once.
        """
        mine, other = self.verdicts
        if mine != other:
            return [f"verdict {mine}, there {other}: {self._apart('EC')}"]
        if mine == Verdict.PASSED.value:
            return self._apart("ECWN")
        if mine == Verdict.CANNOT_DECIDE.value:
            return self._apart("C", places=False)
        return [] if spoilt else self._apart("EC", places=False)

    def _apart(self, letters: str, *, places: bool = True) -> list[str]:
        mine, other = (
            {(code, where if places else "") for code, where in found if code[0] in letters}
            for found in (self.ours, self.theirs)
        )
        return [
            *(f"{code} {where}: only here" for code, where in sorted(mine - other)),
            *(f"{code} {where}: only there" for code, where in sorted(other - mine)),
        ]


def agreed(archives: Sequence[bytes], folder: Path) -> list[Comparison]:
    """What both found of each archive under the tests' root; that they differ nowhere is asserted.

    Args:
        archives: the bytes.
        folder: they are put there.
    """
    files = [folder / f"{i}.tar" for i in range(len(archives))]
    for file, data in zip(files, archives, strict=True):
        file.write_bytes(data)
    answers = zip(archives, verify_there(files, [ROOT_SHA256]), strict=True)
    found = [compare(sm.check(data), answer) for data, answer in answers]
    assert [one.differences() for one in found] == [[]] * len(found)
    return found


def compare(report: Report, answer: dict[str, Any]) -> Comparison:
    """Our report beside the other's answer on the same bytes."""
    return Comparison(
        {(finding.code, finding.where) for finding in report.findings},
        {(finding["code"], finding["where"]) for finding in answer["findings"]},
        (report.verdict.value, answer["verdict"]),
    )
