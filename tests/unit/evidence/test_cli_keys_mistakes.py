"""`stackproof keys new|revoke` by a tired hand: run twice, or by the wrong file or number."""

from pathlib import Path

import pytest

from evidence.keys import key_sha256, load_certificate, public_key
from evidence.orders import Revoke, decode_order
from tests.unit.evidence.test_cli_keys import (
    ROOT,
    folder,
    refused,
    replace,
    root_key,
    run,
    sha256_of,
    state,
)

__all__ = ["folder"]
AGAIN = ["new", "--out", ".", "--plant", "p1"]


def test_who_has_a_certificate_gets_no_other_key(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As docs/deploy.md has it the collector's key was carried away; `mv` would put it over it."""
    (folder / "away").mkdir()
    Path("collector.pem").rename("away/collector.pem")
    before = sorted(folder.rglob("*"))
    assert run(*AGAIN, "--gateway", "edge-1") == 0
    assert "collector.crt: is there already, and stays; its key" in capsys.readouterr().out
    assert sorted(folder.rglob("*")) == before
    Path("root.pem").rename("away/root.pem")
    assert run(*AGAIN) == 0, "nothing is to be signed"
    assert "root.crt: is there already, and stays; its key" in capsys.readouterr().out
    assert "without root.pem" in refused(capsys, *AGAIN, "--gateway", "edge-2")
    assert sorted(p.name for p in Path().glob("*.pem")) == ["edge-1.pem"]


@pytest.mark.parametrize("name", ["root", "collector"])
@pytest.mark.usefixtures("folder")
def test_a_key_beside_anothers_certificate_is_told(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(f"{name}.pem").write_bytes(Path("edge-1.pem").read_bytes())
    assert f"{name}.crt is of another key than {name}.pem" in refused(capsys, *AGAIN)


def revoke(*more: object) -> list[object]:
    return ["revoke", *ROOT, "--reason", "lost", "--out", "r.cose", "--state", "state.json", *more]


@pytest.mark.parametrize(("more", "through", "said"), [
    ((), 41, "ends after object 41"),
    (("--through", 41), 41, "ends after object 41"),
    (("--through", 23), 23, "18 object(s) that the collector has count no more, through 41"),
    (("--through", "none"), None, "42 object(s) that the collector has count no more, through 41"),
])  # fmt: skip
@pytest.mark.usefixtures("folder")
def test_a_revoke_is_told_by_the_collector_where_the_key_ends(
    more: tuple[object, ...],
    through: int | None,
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    replace(state())
    assert run(*revoke(*more)) == 0
    told = capsys.readouterr().out
    assert said in told
    assert ("count no more" in told) == (through != 41)
    key = key_sha256(public_key(load_certificate(Path("edge-1.crt"))))
    order = decode_order(Path("r.cose").read_bytes(), root_key())
    assert order == Revoke("p1", "edge-1", key, through, "lost")


@pytest.mark.parametrize(("more", "told"), [
    (("--through", 42), "the newest is 41"),
    (("--gateway", "edge-1"), "leave --gateway and --key out"),
    (("--key", "ab" * 32), "leave --gateway and --key out"),
])  # fmt: skip
@pytest.mark.usefixtures("folder")
def test_a_revoke_that_says_it_twice_is_refused(
    more: tuple[object, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    replace(state())
    assert told in refused(capsys, *revoke(*more))


@pytest.mark.usefixtures("folder")
def test_a_revoke_by_a_state_that_was_asked_for_too_late_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """After the replace order the stream's key is the new device's: it would end before it began.

    The file that says so differs from the right one in `key` and `revoked` alone.
    """
    old, new = sha256_of("edge-1.pem"), sha256_of("collector.pem")
    replace(state(key=new, revoked={old: 41}))
    assert "Give the file from before that order" in refused(capsys, *revoke())
    replace(state(revoked=[1]))
    assert "revoked is not as the collector says it" in refused(capsys, *revoke())
    replace(state(plant="p2"))
    assert "is of plant p2; this is p1's root" in refused(capsys, *revoke())
    without = revoke()[: -len(["--state", "state.json"])]
    for more in ([], ["--gateway", "edge-1", "--key", old], ["--key", old, "--through", 1]):
        assert "give --state, or --gateway, --key and --through" in refused(capsys, *without, *more)
    replace(state(revoked={new: 12}))
    assert run(*revoke()) == 0, "an earlier key's end hinders nothing"
