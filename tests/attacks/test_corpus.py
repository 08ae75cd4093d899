"""Every kind of tampering is found, with the right code, and nothing falls over.

Also: no published code is without a kind that provokes it.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from evidence.findings import CODES, Verdict
from evidence.key_files import witness_keys
from evidence.keys import certificate_to_pem, load_trust
from tests.attacks.__main__ import write_corpus
from tests.attacks.corpus import KINDS, archive, file_name, report
from tests.attacks.forging import SISTER, TRUST, WITNESSES, Kind
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.documents import papers as pp

PEAK_MIB_MAX = 512
#: of `verify`; the sample month is short, so that its points have too few values
EXITS = {Verdict.PASSED: sm.QUESTIONS, Verdict.FAILED: 1, Verdict.CANNOT_DECIDE: 2}
CPU_S_MAX = 20.0


def failing(codes: set[str] | frozenset[str]) -> set[str]:
    return {code for code in codes if code[0] in "EC"}


@pytest.mark.parametrize(
    "kind",
    # of a bomb its own process below tells the codes, too
    [pytest.param(k, marks=pytest.mark.long) if k.is_bomb else k for k in KINDS],
    ids=[kind.name for kind in KINDS],
)
def test_a_kind_is_found_and_called_by_its_name(kind: Kind) -> None:
    told = report(kind)
    found = sm.codes(told)
    assert kind.codes <= found, told.findings
    if not kind.more:
        assert failing(found) == failing(kind.codes), told.findings
    assert told.verdict is kind.verdict


def in_children(kinds: list[Kind], folder: Path) -> dict[str, dict[str, Any]]:
    """What the command said of each archive in a process of its own, by file name."""
    root = folder / "trust.pem"
    both = (who.certificates["root"] for who in (sm.keys(), SISTER))
    root.write_bytes(b"".join(map(certificate_to_pem, both)))
    assert load_trust(root) == TRUST
    witness = folder / "witness.pem"
    witness.write_bytes(
        pp.ORGANISATION.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    assert witness_keys([witness]) == WITNESSES
    files = [str(archive(kind)) for kind in kinds]
    done = subprocess.run(
        [sys.executable, "-m", "tests.attacks.confined", root, witness, *files],
        cwd=Path(__file__).resolve().parents[2], capture_output=True, text=True, check=True,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"}, timeout=100 + len(kinds),
    )  # fmt: skip
    return {line["file"]: line for line in map(json.loads, done.stdout.splitlines())}


def is_right_and_small(kind: Kind, said: dict[str, Any]) -> None:
    assert said["verdict"] == kind.verdict.value, said
    assert said["exit"] == EXITS[kind.verdict]
    assert kind.codes <= set(said["codes"])
    assert said["peak_mib"] <= PEAK_MIB_MAX, said
    assert said["cpu_s"] <= CPU_S_MAX, said


BOMBS = [kind for kind in KINDS if kind.is_bomb]


@pytest.fixture(scope="module")
def bombs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    return in_children(BOMBS, tmp_path_factory.mktemp("bombs"))


@pytest.mark.timeout(600)  # of the first, which opens them all on a machine that may be busy
@pytest.mark.parametrize("kind", BOMBS, ids=[kind.name for kind in BOMBS])
def test_a_bomb_takes_little_memory_and_time(kind: Kind, bombs: dict[str, dict[str, Any]]) -> None:
    is_right_and_small(kind, bombs[file_name(kind)])


@pytest.mark.long
@pytest.mark.timeout(900)
def test_so_does_every_other_kind(tmp_path: Path) -> None:
    """All that a reviewer who trusts the plant's root may be handed."""
    others = [k for k in KINDS if not (k.is_bomb or k.kept) and k.trust == TRUST]
    assert len(others) > 250
    said = in_children(others, tmp_path)
    for kind in others:
        is_right_and_small(kind, said[file_name(kind)])


def test_names_are_unique_and_stories_are_sentences() -> None:
    assert len({kind.name for kind in KINDS}) == len({file_name(kind) for kind in KINDS})
    assert len({file_name(kind) for kind in KINDS}) == len(KINDS) >= 60
    for kind in KINDS:
        assert kind.story.endswith("."), kind.name
        assert kind.story[0].isupper(), kind.name


def test_every_code_that_fails_undecides_or_warns_has_a_kind() -> None:
    provoked = set().union(*(kind.codes for kind in KINDS))
    assert {code for code in CODES if code[0] in "ECW"} - provoked == set()


def test_no_kind_is_the_honest_archive() -> None:
    """What changes nothing proves nothing."""
    same = [k.name for k in KINDS if archive(k).read_bytes() == sm.honest() and not k.kept]
    assert same == ["honest"]


def test_the_corpus_as_files_says_what_a_verifier_must_find(tmp_path: Path) -> None:
    assert write_corpus(tmp_path) == len(KINDS)
    index = json.loads((tmp_path / "index.json").read_text())
    assert [line["name"] for line in index] == [kind.name for kind in KINDS]
    assert {line["file"] for line in index} == {p.name for p in tmp_path.glob("*.tar")}
    roots = sorted(f"{plant}:{key.hex()}" for plant, key in TRUST)
    assert all(line["trust"] == roots for line in index)
    (honest,) = [line for line in index if line["name"] == "honest"]
    assert (tmp_path / honest["file"]).read_bytes() == sm.honest()
    assert honest["verdict"] == "passed"
