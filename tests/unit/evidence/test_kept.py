"""Notes and receipts that a reviewer kept, beside an archive: what they show, and what they cannot.

Archives and notes are those of tests/attacks; both verifiers look at them.
"""

import base64
import subprocess
from pathlib import Path

import pytest

from evidence import cli
from evidence.errors import KeyFileError
from evidence.findings import Report, Verdict
from evidence.kept import KEPT_MAX, kept_in
from evidence.keys import certificate_to_pem
from tests.attacks.by_rewriting import FORKED, note, receipt, rewritten
from tests.attacks.forging import FOREIGN, SISTER
from tests.independent.other import FOLDER, install
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence import two_months as two
from tests.unit.evidence.test_verifier_collectors import BEFORE
from tests.unit.evidence.test_verifier_collectors import certificate as collector_certificate


def beside(archive: bytes, *files: bytes) -> Report:
    held = kept_in({f"f{i}": data for i, data in enumerate(files)})
    return sm.check(archive, kept=held)


def untold(report: Report) -> list[str]:
    return [one for one in report.not_checked if one.startswith("Kept")]


def in_note(data: bytes) -> str:
    """The root as it stands in a note."""
    return data.decode().split("\n")[2]


def july() -> bytes:
    """An archive whose log begins after June."""
    made = two.two_months()
    return two.archive(made, [made.rotate])


# -- what is compared ---------------------------------------------------------------------------


def test_a_rewritten_log_fails_beside_each_note_of_its_rewritten_part_and_no_other() -> None:
    entries = sm.month().entries
    for size in range(len(entries) + 1):
        report = beside(rewritten(), note(size))
        assert report.counts["kept"] == 1
        is_rewritten = size > FORKED
        assert ("E-KEPT" in sm.codes(report)) is is_rewritten, size
        assert report.verdict is (Verdict.FAILED if is_rewritten else Verdict.PASSED)


def test_the_finding_names_size_both_roots_and_what_it_means() -> None:
    mine = note(7)
    files = sm.unpack(rewritten())
    (entries,) = [data for path, data in files.items() if path.endswith("entries.seg")]
    there = base64.b64encode(sm.tree_of(sm.records(entries)[:7]).root()).decode()
    assert there != in_note(mine)
    (finding,) = [f for f in beside(rewritten(), mine).findings if f.code == "E-KEPT"]
    assert (finding.where, finding.sentence) == (
        "f0",
        f"The collector signed root {in_note(mine)} for a log of 7 entries; this archive's log has "
        f"{there} there: it showed two histories.",
    )


def test_of_a_file_of_notes_the_one_that_differs_is_named() -> None:
    report = beside(rewritten(), note(2) + note(4) + note(7))
    assert [f.where for f in report.findings if f.code == "E-KEPT"] == ["f0 no. 3"]
    assert report.counts["kept"] == 3


def test_a_receipt_of_another_object_fails_it() -> None:
    found = [f.sentence for f in beside(rewritten(), receipt()).findings if f.code == "E-KEPT"]
    assert len(found) == 2  # its checkpoint's root, and its object
    head = sm.sha256(sm.month().objects[-1]).hex()[:16]
    assert f"gave a receipt for seq 5 of edge-1 with hash {head}; this " in found[1]


def test_what_was_kept_of_another_month_says_which_archive_decides() -> None:
    later = beside(sm.honest(), sm.log_note([*sm.month().entries, b"more"]).encode())
    assert later.verdict is Verdict.PASSED
    size = len(sm.month().entries)
    assert untold(later) == [
        f"Kept f0: it is of a log of {size + 1} entries, this archive's ends at {size}. Compare "
        "with the archive of a later month."
    ]
    earlier = beside(july(), note(3))
    assert earlier.verdict is Verdict.PASSED, earlier.findings
    (sentence,) = untold(earlier)
    assert "it is of a log of 3 entries, this archive's begins at 8" in sentence
    assert later.counts["kept"] == earlier.counts["kept"] == 0


def test_two_notes_of_one_size_contradict_each_other_whatever_the_archive_has() -> None:
    first = sm.log_note(sm.month().entries[:3]).encode()
    other = sm.log_note([*sm.month().entries[:2], b"another"]).encode()
    report = beside(july(), first, other)
    assert [f.where for f in report.findings if f.code == "E-KEPT"] == ["f1"]


def test_a_note_of_a_stranger_counts_for_nothing_and_is_told() -> None:
    for forged in (
        sm.log_note(sm.month().entries[:6], FOREIGN).encode(),
        note(7)[:-10] + b"AAAAAAA==\n",  # the collector's key id, and no signature of it
    ):
        report = beside(sm.honest(), forged)
        assert report.verdict is Verdict.PASSED
        assert report.counts["kept"] == 0
        (sentence,) = untold(report)
        assert "no key of the collector in this archive has signed it" in sentence


def test_a_note_under_an_earlier_key_of_the_collector_counts() -> None:
    """Archives hold all certificates of the collector so far."""
    made = sm.build(sm.contents(sm.month(), earlier=[collector_certificate()]))
    kept = sm.log_note(sm.month().entries[:6], BEFORE).encode()
    assert beside(made, kept).counts["kept"] == 1
    assert beside(sm.honest(), kept).counts["kept"] == 0


# -- what is none -------------------------------------------------------------------------------

OTHERS = {
    "empty": b"",
    "certificate": certificate_to_pem(sm.keys().certificates["root"]),
    "cut note": note(3)[:-1],
    "words after a note": note(3) + b"seen by qin\n",
    "words before a note": b"seen by qin\n" + note(3),
    "note without a signature": note(3).split("—".encode())[0],
    "not UTF-8": b"stackproof/x\xff\n",
    "cut receipt": receipt()[:-1],
    "frame": sm.month().objects[2],
    "record file of frames": sm.seg(sm.month().objects[:2]),
    "torn record file": sm.seg([receipt()])[:-1],
    "note of another plant": sm.log_note(
        sm.month().entries[:3], SISTER.collector, "sister-smelter"
    ).encode(),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_another_file_than_was_meant_stops_the_run_and_is_named(name: str) -> None:
    with pytest.raises(KeyFileError, match=r"^f1: "):
        beside(sm.honest(), note(3), OTHERS[name])


@pytest.mark.needs("node")
@pytest.mark.needs("npm")
def test_the_other_verifier_takes_none_of_them_either(tmp_path: Path) -> None:
    install()
    (tmp_path / "month.tar").write_bytes(sm.honest())
    for name, data in OTHERS.items():
        (tmp_path / "kept").write_bytes(data)
        done = subprocess.run(
            ["node", FOLDER / "verify.mjs", "--kept", tmp_path / "kept", tmp_path / "month.tar"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (2, ""), name


def test_more_than_a_verification_takes_is_refused() -> None:
    with pytest.raises(KeyFileError, match="more than 10000 notes"):
        kept_in({"f": note(1) * (KEPT_MAX + 1)})
    half = note(1) * (KEPT_MAX // 2)
    with pytest.raises(KeyFileError, match="--kept: 10,001 notes"):
        kept_in({"a": half, "b": half, "c": note(1)})


def test_an_archive_whose_root_cannot_be_read_fails_for_that() -> None:
    files = sm.unpack(sm.honest())
    files["data/keys/root.crt"] = b"none"
    report = beside(sm.repack(files), note(3))
    assert "E-CERTIFICATE" in sm.codes(report)
    assert untold(report) == ["Kept: the archive does not say of which plant it is."]


# -- the command --------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "honest.tar").write_bytes(sm.honest())
    (tmp_path / "rewritten.tar").write_bytes(rewritten())
    (tmp_path / "trust.pem").write_bytes(certificate_to_pem(sm.keys().certificates["root"]))
    (tmp_path / "my note").write_bytes(note(7))
    (tmp_path / "edge.cose").write_bytes(receipt())
    return tmp_path


def verify(files: Path, name: str, *more: str) -> int:
    kept = [str(files / "my note"), str(files / "edge.cose")]
    trust = ["--trust", str(files / "trust.pem")]
    return cli.main(["verify", str(files / name), *trust, "--kept", *kept, *more])


def test_the_command_compares_and_says_so(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify(files, "honest.tar") == 3  # sound, and not a whole month
    assert ", 2 of your kept notes and receipts compared\n" in capsys.readouterr().out
    assert verify(files, "rewritten.tar") == 1
    out = capsys.readouterr().out
    assert f"\n    {files / 'my note'}: The collector signed root {in_note(note(7))} for " in out
    assert "it showed two histories." in out


def test_the_command_says_it_in_chinese(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify(files, "rewritten.tar", "--lang", "zh") == 1
    out = capsys.readouterr().out
    assert f"{files / 'my note'}：采集端曾为含 7 条条目的日志签署根哈希 {in_note(note(7))}" in out
    assert "seq 5 出具哈希为" in out
    assert "比对了您留存的 2 份检查点与回执" in out
