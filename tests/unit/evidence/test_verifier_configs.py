"""What it takes to read an archive's configurations grows with their size, not with their uses."""

from collections import Counter
from collections.abc import Sequence

import pytest

from evidence.archive import paths
from evidence.configuration import Together
from evidence.findings import Report
from evidence.frame import TYP_CONFIG
from evidence.keys import key_sha256
from evidence.points import Point
from evidence.recompute import Recomputation
from evidence.verifier.opened import Opened
from tests.attacks.by_keys import replacement
from tests.attacks.forging import FOREIGN
from tests.unit.evidence import sealed_month as sm


def reconfigured(changes: Sequence[dict[str, str]]) -> bytes:
    """A month whose configuration changes before its frames, in its device's settings."""
    config, (first, *rest) = sm.configuration(), sm.items()
    made = [first]
    for settings in changes:
        config["devices"][0]["settings"] = settings
        made.append(sm.config_item(config))
    month = sm.make_month([*made, *rest])
    configs = {sm.sha256(data): data for data in month.objects[: len(made)]}
    return sm.build(sm.contents(month, configs=configs))


def codes(report: Report) -> Counter[str]:
    return Counter(finding.code for finding in report.findings)


def test_each_is_decoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded, decode = Counter[bytes](), Together.decode

    def counting(self: Together, payload: bytes) -> dict[str, object]:
        decoded[payload] += 1
        return decode(self, payload)

    monkeypatch.setattr(Together, "decode", counting)
    found = codes(sm.check(reconfigured([{"a": "1"}, {"a": "2"}, {"a": "3"}])))
    assert found["N-CONFIG"] == 3
    assert list(decoded.values()) == [1, 1, 1, 1]


@pytest.mark.parametrize(("name", "most"), [("ITEMS", 2_000), ("BYTES", 12_000)])
def test_together_they_have_a_size(name: str, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five of the small plant's; each has some 770 items, in some 4,560 bytes."""
    many = reconfigured([{"a": str(i)} for i in range(4)])
    assert codes(sm.check(many))["E-CFG"] == 0
    monkeypatch.setattr(f"evidence.configuration.TOGETHER_{name}_MAX", most)
    report = sm.check(many)
    (sentence, *_) = [f.sentence for f in report.findings if f.code == "E-CFG"]
    assert "the configurations of this month are together more than" in sentence
    assert codes(report)["N-CONFIG"] == 1, "the first two had room"


def test_changes_are_told_as_long_as_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of idle ones a quarter; what comes after is not looked for."""
    monkeypatch.setattr("evidence.findings.EACH_MAX", 12)
    monkeypatch.setattr("evidence.findings.SAME_CODE_MAX", 2)
    many = {str(i): "x" for i in range(5)}
    report = sm.check(reconfigured([many, {}, many]))
    assert codes(report)["N-CONFIG"] == 3
    # the other two of the first change; of the settings that changed after it nothing
    assert dict(report.suppressed())["N-CONFIG"] == 2
    told = [f["sentence"] for f in report.as_map()["findings"] if f["where"] == "archive"]
    assert "At least 2 more like these." in told


def test_a_configuration_is_looked_up_once_however_many_devices_were_replaced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each object is the first of another new device, which knows of no configuration before."""
    orders, configs = 20, 30
    chain, files = sm.Chain(sm.keys().gateway), sm.unpack(sm.honest())
    records = []
    for i in range(orders):
        records += [chain.sign(TYP_CONFIG, b"\x00\xa0", cfg=None), b"unreadable"]
        order = replacement(i, bytes(32), old=key_sha256(FOREIGN.public_key))
        files[paths.order(sm.sha256(order))] = order
    files[paths.frames(sm.STREAM, "2026-06-15/04")] = sm.seg(records)
    one = sm.Chain(sm.keys().gateway).sign(TYP_CONFIG, b"\x00\xa0", seq=0)
    for i in range(configs):
        files[paths.config(i.to_bytes(32, "big"))] = one
    read, reading = Counter[str](), Opened.read

    def counting(self: Opened, path: str) -> bytes:
        read[path] += 1
        return reading(self, path)

    monkeypatch.setattr(Opened, "read", counting)
    sm.check(sm.repack(files, by=sm.keys().collector))
    times = [read[path] for path in files if paths.CONFIG.fullmatch(path)]
    assert len(times) > configs
    assert max(times) <= 3


def test_calculation_reads_each_point_a_few_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 18,000 points this is what a configuration takes longest for."""
    config, made, make = sm.configuration(), Counter[str](), Point.from_map

    def counting(fields: dict[str, object]) -> Point:
        made[str(fields["id"])] += 1
        return make(fields)

    monkeypatch.setattr(Point, "from_map", counting)
    Recomputation().configure(b"any", config)
    assert made["pot-01.voltage"] <= 5, "live and month, each for itself and for its inputs"
