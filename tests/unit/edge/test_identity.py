"""Keys, certificates and orders of a site file: what belongs together, and what to do when not."""

import datetime as dt
import hashlib
from pathlib import Path
from typing import Any

import pytest

from edge.identity import Identity, Problems, open_identity, out_of_date
from edge.site.config import load_site
from evidence.keys import (
    FileSigner,
    certificate_to_der,
    certificate_to_pem,
    generate,
    issue,
    key_sha256,
    write_private,
)
from evidence.orders import Order, Replace, Revoke, encode_order
from tests.unit.edge.sites import (
    GATEWAY,
    METERS,
    PLANT,
    START,
    certificate,
    keys,
    replaced,
    root_certificate,
    write_keys,
    write_site,
)

OWN = key_sha256(keys().gateway.public_key())
CONTINUES = 'continues = "file:order.cose"\nroot = "file:keys/root.crt"\n'
DAY_NS = 86_400 * 10**9


def opened(folder: Path, more: str = "") -> tuple[Identity | None, list[str]]:
    """The identity of the test's site with more lines under [gateway], and its problems."""
    if not (folder / "keys").exists():
        write_keys(folder / "keys")
    line = f'id = "{GATEWAY}"\n'
    path = write_site(folder, replaced(METERS, {line: line + more}))
    problems = Problems(path)
    found = open_identity(load_site(path), problems)
    assert (found is None) == bool(problems)
    return found, [f"{p.key}: {p.reason}" for p in problems]


def order(folder: Path, made: Order, root: FileSigner | None = None) -> bytes:
    data = encode_order(made, root or FileSigner(keys().root))
    (folder / "order.cose").write_bytes(data)
    return data


def replace(**changes: Any) -> Replace:
    fields = {
        "plant": PLANT,
        "stream": GATEWAY,
        "old": bytes(32),
        "certificate": certificate_to_der(certificate(keys().gateway.public_key())),
        "seq": 7,
        "head": bytes(32),
        "through_ns": 1,
        "reason": "lost",
    }
    return Replace(**{**fields, **changes})


def test_good_site(tmp_path: Path) -> None:
    found, problems = opened(tmp_path)
    assert problems == []
    assert found is not None
    assert (found.plant, found.gateway, found.key_sha256) == (PLANT, GATEWAY, OWN)
    assert key_sha256(found.collector) == key_sha256(keys().collector_key)
    assert found.previous is None
    assert found.continues is None


def test_key_before_and_order_are_opened_too(tmp_path: Path) -> None:
    write_private(tmp_path / "old.pem", generate())
    data = order(tmp_path, replace())
    found, problems = opened(tmp_path, f'previous_key = "file:old.pem"\n{CONTINUES}')
    assert problems == []
    assert found is not None
    assert found.previous is not None
    assert found.continues is not None
    assert (found.continues.order.seq, found.continues.sha256) == (7, hashlib.sha256(data).digest())


def test_every_problem_under_its_own_key(tmp_path: Path) -> None:
    write_keys(tmp_path / "keys")
    for name in ("edge-1.crt", "collector.crt", "root.crt"):
        (tmp_path / "keys" / name).unlink()
    (tmp_path / "keys" / "edge-1.pem").chmod(0o640)
    _, problems = opened(tmp_path, f'previous_key = "file:none.pem"\n{CONTINUES}')
    assert [p.split(": ")[0] for p in problems] == [
        "gateway.key", "gateway.certificate", "gateway.previous_key", "uplink.collector",
        "gateway.root",
    ]  # fmt: skip
    assert "chmod 600" in problems[0]


@pytest.mark.parametrize("key", ["previous_key", "continues"])
def test_key_that_takes_over_is_checked_against_the_root(tmp_path: Path, key: str) -> None:
    write_keys(tmp_path / "keys")
    text = replaced(METERS, {'id = "edge-1"': f'id = "edge-1"\n{key} = "file:x"'})
    says = rf'gateway.root: is missing: with {key} write root = "file:root.crt"'
    with pytest.raises(Exception, match=says):
        load_site(write_site(tmp_path, text))


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (replace(stream="edge-2"), f"is for {PLANT}/edge-2, not for {PLANT}/{GATEWAY}"),
        (replace(plant="south-works"), f"is for south-works/{GATEWAY}, not for"),
        (Revoke(PLANT, GATEWAY, bytes(32), None, "stolen"), "revokes a key; a replace order is"),
        (
            replace(certificate=certificate_to_der(certificate(generate().public_key()))),
            f"and gateway.key is {OWN.hex()[:16]}; if this device has changed its key since, "
            "remove continues",
        ),
    ],
)
def test_orders_that_are_not_for_this_device(tmp_path: Path, made: Order, says: str) -> None:
    order(tmp_path, made)
    _, problems = opened(tmp_path, CONTINUES)
    (problem,) = problems
    assert problem.startswith("gateway.continues: ")
    assert says in problem


def test_order_that_the_root_has_not_signed(tmp_path: Path) -> None:
    order(tmp_path, replace(), FileSigner(generate()))
    assert opened(tmp_path, CONTINUES)[1][0].startswith("gateway.continues: ")
    (tmp_path / "order.cose").write_bytes(b"noise")
    assert opened(tmp_path, CONTINUES)[1][0].startswith("gateway.continues: ")
    (tmp_path / "order.cose").unlink()
    (problem,) = opened(tmp_path, CONTINUES)[1]
    assert "order.cose: cannot be read: No such file" in problem


@pytest.mark.parametrize(
    "more", [CONTINUES, 'previous_key = "file:old.pem"\nroot = "file:keys/root.crt"\n']
)
def test_certificate_of_another_root(tmp_path: Path, more: str) -> None:
    """Two roots of one plant id: the collector would refuse the hand-over for ever."""
    order(tmp_path, replace())
    write_private(tmp_path / "old.pem", generate())
    write_keys(tmp_path / "keys")
    other = generate()
    root = issue("root", PLANT, PLANT, other.public_key(), issuer=other, not_before=START, days=9)
    mine = keys().gateway.public_key()
    foreign = issue("gateway", PLANT, GATEWAY, mine, issuer=(other, root), not_before=START, days=9)
    (tmp_path / "keys" / "edge-1.crt").write_bytes(certificate_to_pem(foreign))
    (problem,) = opened(tmp_path, more)[1]
    assert problem.startswith("gateway.certificate: is not issued by ")


def test_key_in_a_token_that_is_not_there(tmp_path: Path) -> None:
    _, problems = opened(tmp_path)
    assert problems == []
    text = (tmp_path / "site.toml").read_text()
    uri = "pkcs11:token=none;object=key?module-path=/nowhere.so"
    path = write_site(tmp_path, replaced(text, {"file:keys/edge-1.pem": uri}))
    found = Problems(path)
    assert open_identity(load_site(path), found) is None
    assert [p.key for p in found] == ["gateway.key"]


def test_dates_of_a_certificate() -> None:
    """Issued 2026-01-01 for 3650 days, which end on 2035-12-30."""
    made = certificate(keys().gateway.public_key())
    start_ns = int(START.timestamp()) * 10**9
    assert "not valid yet" in out_of_date(made, start_ns - 1)
    assert out_of_date(made, start_ns) == ""
    assert out_of_date(made, start_ns + 3650 * DAY_NS) == ""
    assert "stackproof keys enrol" in out_of_date(made, start_ns + 3650 * DAY_NS + 10**9)
    assert root_certificate().not_valid_before_utc == dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
