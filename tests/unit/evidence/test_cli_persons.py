"""`stackproof keys persons|withdraw`, `verify --witness`: a root's keeper, as a person types.

The list is looked at before it is signed; what is signed is what `verify` then takes.
"""

import hashlib
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from evidence import cli
from evidence.documents.certified import Certified, Withdrawn, decode_list
from evidence.keys import certificate_to_pem, write_private
from evidence.suites import PublicKey
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.documents import papers as pp
from tests.unit.evidence.small_plant import _private

LI, QIN = pp.row_of("li"), pp.row_of("qin")


def run(*arguments: object) -> int:
    return cli.main([str(one) for one in arguments])


def plain(row: Certified) -> dict[str, str]:
    return {**vars(row), "key": row.key.hex()}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A plant's root, an organisation's key, and what a collector exported of its persons."""
    monkeypatch.chdir(tmp_path)
    write_private(Path("root.pem"), _private(1, p256=False))
    Path("root.crt").write_bytes(certificate_to_pem(sm.keys().certificates["root"]))
    write_private(Path("bureau.pem"), _private(58, p256=False))
    Path("bureau.pub").write_bytes(pem(pp.ORGANISATION.public_key))
    rows = [plain(pp.row_of(person)) for person in (*pp.WHO, *pp.REVIEWERS)]
    export(rows)
    return tmp_path


def export(rows: list[dict[str, str]], plant: str = sm.PLANT) -> str:
    """The exported list's SHA-256."""
    data = json.dumps({"plant": plant, "persons": rows}).encode()
    Path("persons.json").write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def pem(key: PublicKey) -> bytes:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


LIST = ["keys", "persons", "--list", "persons.json"]
ROOT = ["--root", "file:root.pem", "--root-certificate", "root.crt"]


def digest() -> str:
    return hashlib.sha256(Path("persons.json").read_bytes()).hexdigest()


def signed(key: PublicKey, name: str = "persons.cose") -> tuple[Certified, ...]:
    return decode_list(Path(name).read_bytes(), key).certified


@pytest.mark.usefixtures("folder")
def test_the_keeper_looks_and_then_signs_what_was_looked_at(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(*LIST) == 0
    shown = capsys.readouterr().out
    assert f"  li: accountant, Li, Test smelter\n    key {LI.key.hex()}\n" in shown
    assert f"--list-sha256 {digest()}" in shown
    assert list(Path().glob("*.cose")) == []
    out = ["--out", "persons.cose"]
    assert run(*LIST, *ROOT, *out) == 2  # nobody has looked
    assert "look at the list first" in capsys.readouterr().err
    assert run(*LIST, *ROOT, *out, "--list-sha256", digest()) == 0
    assert "5 key(s) of plant test-smelter are certified" in capsys.readouterr().out
    # all but the reviewers: those the root cannot vouch for
    assert signed(sm.keys().root.public_key) == tuple(map(pp.row_of, pp.WHO))


@pytest.mark.usefixtures("folder")
def test_a_list_that_changed_after_the_look_is_not_signed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    looked_at = digest()
    export([plain(LI) | {"name": "Somebody else"}])
    assert run(*LIST, *ROOT, "--out", "x.cose", "--list-sha256", looked_at) == 2
    assert digest() in capsys.readouterr().err
    assert not Path("x.cose").exists()


@pytest.mark.usefixtures("folder")
def test_only_those_the_keeper_knows_are_certified(capsys: pytest.CaptureFixture[str]) -> None:
    sign = [*LIST, *ROOT, "--out", "persons.cose", "--list-sha256", digest(), "--only", "li"]
    assert run(*sign, "--only", "eve") == 2
    assert "no person eve" in capsys.readouterr().err
    assert run(*sign) == 0
    assert signed(sm.keys().root.public_key) == (LI,)
    assert run(*sign) == 2  # nothing is overwritten
    assert "not overwritten" in capsys.readouterr().err


@pytest.mark.usefixtures("folder")
def test_an_organisation_certifies_reviewers_alone(capsys: pytest.CaptureFixture[str]) -> None:
    sign = [*LIST, "--root", "file:bureau.pem", "--out", "reviewers.cose"]
    assert run(*sign, "--list-sha256", digest()) == 0
    assert "--by ORGANISATION.pem" in capsys.readouterr().out
    found = signed(pp.ORGANISATION.public_key, "reviewers.cose")
    assert found == tuple(map(pp.row_of, pp.REVIEWERS))
    sign = [*LIST, "--only", "li", "--root", "file:bureau.pem", "--out", "li.cose"]
    assert run(*sign, "--list-sha256", digest()) == 2
    assert "names no reviewers" in capsys.readouterr().err


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("text", ["", "[]", '{"plant": "p1"}', '{"plant": 1, "persons": []}',
                                  '{"plant": "p1", "persons": [{"person": []}]}'])  # fmt: skip
def test_what_is_no_list_is_refused_in_words(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("persons.json").write_text(text)
    assert run(*LIST) == 2
    assert "export it again" in capsys.readouterr().err


@pytest.mark.usefixtures("folder")
def test_a_name_cannot_steer_the_keepers_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    sha256 = export([plain(LI) | {"name": "Li\x1b[2K\rLu"}])
    assert run(*LIST) == 0
    assert "\x1b" not in capsys.readouterr().out
    assert run(*LIST, *ROOT, "--out", "x.cose", "--list-sha256", sha256) == 2
    assert "name" in capsys.readouterr().err


@pytest.mark.usefixtures("folder")
def test_another_plants_root_signs_no_list(capsys: pytest.CaptureFixture[str]) -> None:
    sha256 = export([plain(LI)], "other-works")
    assert run(*LIST, *ROOT, "--out", "x.cose", "--list-sha256", sha256) == 2
    assert "is of plant test-smelter, not other-works" in capsys.readouterr().err


@pytest.mark.usefixtures("folder")
def test_a_key_is_withdrawn_from_an_instant_on_or_for_good(
    capsys: pytest.CaptureFixture[str],
) -> None:
    end = ["keys", "withdraw", "--plant", sm.PLANT, "--key", LI.key.hex(), "--reason", "left",
           *ROOT]  # fmt: skip
    assert run(*end, "--through", "1970-01-01T00:00:07Z", "--out", "a.cose") == 0
    assert run(*end, "--out", "b.cose") == 0
    root = sm.keys().root.public_key
    for name, through in (("a.cose", 7 * 10**9), ("b.cose", None)):
        said = decode_list(Path(name).read_bytes(), root)
        assert said.withdrawn == (Withdrawn(LI.key, through, "left"),)
    assert run(*end[:5], "12", *end[6:], "--out", "c.cose") == 2
    assert run(*end, "--through", "yesterday", "--out", "c.cose") == 2
    assert "an instant" in capsys.readouterr().err


def test_verify_believes_whom_the_reader_believes(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    organisation = pp.listed(*map(pp.row_of, pp.REVIEWERS), by=pp.ORGANISATION)
    made = [*pp.reviews(), pp.cosigned(pp.reviews(), 9), pp.listed(), organisation]
    archive = folder / "month.tar"
    archive.write_bytes(pp.archive(made))
    verify = ["verify", archive, "--trust", "root.crt", "--no-recompute"]
    run(*verify)
    alone = capsys.readouterr().out
    assert "W-WITNESS" in alone
    assert "N-WITNESS" not in alone
    run(*verify, "--witness", "root.crt", "--witness", "bureau.pub")
    found = capsys.readouterr().out
    assert "N-WITNESS" in found
    assert "W-WITNESS" not in found
    assert "W-PERSON" not in found
    run(*verify, "--witness", "bureau.pub", "--lang", "zh")
    assert "其后的条目尚无第三方约束" in capsys.readouterr().out
    Path("none.pem").write_text("nothing")
    assert run(*verify, "--witness", "none.pem") == 2
    assert "no PEM key or certificate" in capsys.readouterr().err
