"""What is kept beside the log: certificates, orders, and objects put aside within bounds."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from evidence.log import Entry, Kind, decode_entry
from tests.unit.cloud.evidence_examples import T0_NS
from tests.unit.cloud.store.plant_examples import Example, reject

EXAMPLE = Example()


def test_a_fork_is_kept_once_beside_its_log_entry(tmp_path: Path) -> None:
    for _ in range(2):
        store, plant = EXAMPLE.open(tmp_path / "00")
        plant.stage_kept(reject(1), b"other bytes")
        assert not plant.stage_kept(reject(1), b"other bytes")
        store.commit()
        assert not plant.stage_kept(reject(1), b"other bytes")
        kinds = [decode_entry(data).verdict for _, data in plant.reader.entries(1)]
        store.close()
        assert kinds == ["fork"]
    (kept,) = (tmp_path / "00" / "mini" / "quarantine").iterdir()
    assert kept.name == "edge-a-3-0101010101010101.cose"
    assert kept.read_bytes() == b"other bytes"


def test_the_quarantine_has_an_end_and_strangers_get_half_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloud.store.quarantine.FILES_MAX", 4)
    store, plant = EXAMPLE.open(tmp_path / "00")
    strangers = [replace(reject(n), verdict="unknown-key") for n in range(3)]
    assert [plant.stage_kept(entry, b"a") for entry in strangers] == [True, True, False]
    store.commit()
    known = [replace(reject(n), certificate=bytes(32)) for n in range(3, 6)]
    assert [plant.stage_kept(entry, b"a") for entry in known] == [True, True, False]
    store.commit()
    assert plant.reader.size == 1 + 4
    store.close()
    store, plant = EXAMPLE.open(tmp_path / "00")  # and the bound holds after a restart
    assert not plant.stage_kept(known[2], b"a")
    store.close()


def test_only_what_is_to_be_kept_is_kept_and_under_no_strange_name(tmp_path: Path) -> None:
    store, plant = EXAMPLE.open(tmp_path / "00")
    for entry in (
        replace(reject(1), verdict="malformed"),
        replace(reject(1), kind=Kind.REVIEW),
        replace(reject(1), stream="../edge-a"),
    ):
        with pytest.raises(ValueError, match="is not kept aside"):
            plant.stage_kept(entry, b"a")
    assert not plant.is_dirty
    store.close()


def test_an_order_is_kept_beside_its_log_entry(tmp_path: Path) -> None:
    store, plant = EXAMPLE.open(tmp_path / "00")
    order = b"an order"
    sha256 = hashlib.sha256(order).digest()
    entry = Entry(
        Kind.REVOKE, T0_NS, 0, "edge-a", None, sha256, len(order), detail={"key": bytes(32)}
    )
    index = plant.stage_order(entry, order)
    assert store.commit() == ([plant], {})
    ((found, data),) = plant.reader.entries(index)
    assert (found, decode_entry(data).sha256) == (1, sha256)
    (kept,) = (tmp_path / "00" / "mini" / "keys").iterdir()
    assert (kept.name, kept.read_bytes()) == (f"order-{sha256.hex()}.cose", order)
    store.close()


def test_certificates_are_kept_with_the_plant(tmp_path: Path) -> None:
    store, plant = EXAMPLE.open(tmp_path / "00")
    plant.stage_key_file("root-mini.crt", b"PEM")
    plant.stage(Entry(Kind.ENROL, T0_NS, 0, "", None, bytes(32), 3))
    store.commit()
    store.close()
    assert (tmp_path / "00" / "mini" / "keys" / "root-mini.crt").read_bytes() == b"PEM"
