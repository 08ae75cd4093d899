"""Which meters and samples a visit looks at."""

from fractions import Fraction
from typing import Any
from unittest.mock import Mock
from weakref import WeakSet

import pytest

from cloud.visits import sheet
from cloud.visits.sheet import Known, Meter, Reason, meters, retained, to_visit
from edge.calc.screening.question import Result
from evidence.config_changes import config_changes
from evidence.documents.document import Document
from evidence.documents.standing import Logged
from evidence.drill import readings
from tests.unit.cloud.drill_examples import DEVICE, FLOW, MONTH, VOLUME, meter_config, statement


def row(**more: Any) -> dict[str, Any]:
    of = {"gateway": "edge-1", "device": DEVICE, "due": 1000, "readings": 1000, "bad": 0,
          "reserved": 0}  # fmt: skip
    return {"devices": [{**of, **more}], "certificates": [], "events": []}


def made(**more: Any) -> Meter:
    given: dict[str, Any] = {
        "configurations": {"edge-1": [meter_config()]}, "statement": statement("mini", MONTH),
        "row": row(), "departures": [],
    }  # fmt: skip
    (found,) = meters(Known(**{**given, **more}))
    return found


def test_a_meter_with_its_share_and_its_registers() -> None:
    found = made()
    assert [one.id for one in found.points] == [VOLUME, FLOW]  # totalisers first
    assert found.share == Fraction("259.80") / (Fraction("259.80") + Fraction("22.59"))
    assert (found.is_used, found.reasons) == (True, [])
    assert made(statement=None).share is None


def asked(question: str, where: str) -> Result:
    return Result(question, "mini", MONTH, where, "8 h", 1e-9)


OTHER = meter_config()
OTHER["points"][0]["scaling"] = {"raw_decimals": 2}
SO = {"en": "is read every 60 s", "zh": "每 60 s 采集一次"}
REASONS = [
    ({"row": row(readings=995, bad=4)}, []),  # 0.9 %
    ({"row": row(readings=995, bad=4, reserved=1)}, [Reason("quality", {"percent": "1.0"})]),
    ({"row": None}, []),
    ({"configurations": {"edge-1": [meter_config(), OTHER]}},
     [Reason("changed", {"n": "1", "what": f"points[{VOLUME}].scaling.raw_decimals"})]),
    ({"configurations": {"edge-1": [meter_config(k="0.25"), meter_config(k="0.26")]}},
     [Reason("changed", {"n": "1", "what": f"devices[{DEVICE}].meter.k.stated[0]"})]),
    ({"row": {**row(), "certificates": [{"device": DEVICE, "number": "7", "due": "2026-09-30"}]}},
     [Reason("certificate", {"number": "7", "due": "2026-09-30"})]),
    ({"row": {**row(), "events": [{"about": DEVICE}, {"about": "ac-1"}]}},
     [Reason("event", {"n": "1"})]),
    ({"screened": [asked("constant-values", FLOW), asked("ratio-range", f"{VOLUME} / ac.power"),
                   asked("last-digits", "ac.power")]},
     [Reason("screened", {"what": {"en": "Constant values, Ratio outside its range",
                          "zh": "数值长时间不变、比值超出范围"}})]),
    ({"departures": [{"about": FLOW, "sentence": SO}, {"about": "ac-1", "sentence": {}}]},
     [Reason("departure", {"what": SO})]),
]  # fmt: skip


@pytest.mark.parametrize(("given", "reasons"), REASONS)
def test_reasons_for_a_look(given: dict[str, Any], reasons: list[Reason]) -> None:
    found = made(**given).reasons
    assert [(one.what, dict(one.values)) for one in found] == [
        (one.what, dict(one.values)) for one in reasons
    ]


class Weak(dict[str, Any]):
    """A configuration of which one can see whether it is held."""

    __hash__ = object.__hash__


def test_configurations_without_end_are_not_held_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """20 of 20,000 points took half a gigabyte of the collector for one visit's page."""
    held, most, compared = WeakSet[Weak](), 0, list[None]()
    number = {bytes([n]): n for n in range(40)}

    def decode(payload: bytes) -> Weak:
        nonlocal most
        made = Weak(meter_config(k=f"0.{number[payload]:02}"))
        held.add(made)
        most = max(most, len(held))
        return made

    def changes(old: Any, new: Any) -> Any:
        compared.append(None)
        return config_changes(old, new)

    monkeypatch.setattr(readings, "decode_configuration", decode)
    monkeypatch.setattr(readings.cose, "parse", lambda data: Mock(payload=data))
    monkeypatch.setattr(sheet, "config_changes", changes)
    source = Mock(streams=lambda: ["edge-1"], configurations=lambda _: list(number))
    source.configuration = lambda sha256: sha256
    (found,) = meters(Known(sheet.decoded(source), None, None, ()))
    assert found.reasons[0].values["n"] == str(sheet.CONFIGS_MAX - 1) == str(len(compared))
    assert most <= readings.KEPT + 2
    reader = readings.PointReader(source, "edge-1", VOLUME)
    assert all(reader.place(sha256) for sha256 in number)
    assert most <= 2 * readings.KEPT + 3


def meter(name: str, share: str | None, *, used: bool = False, why: int = 0) -> Meter:
    part = None if share is None else Fraction(share)
    return Meter("edge-1", name, [], part, used, [Reason("event", {"n": "1"})] * why)


VISITS = [
    # 50 + 30 count 80 %; of the rest only what has a reason
    ([meter("a", "0.5"), meter("b", "0.3"), meter("c", "0.2"), meter("d", "0", why=1)], "abd"),
    ([meter("a", "0.5"), meter("b", "0.2"), meter("c", "0.2"), meter("d", "0.1")], "abc"),
    ([meter("a", None, used=True), meter("b", None), meter("c", None, why=2)], "ac"),
    ([meter("a", "0")], ""),
]


@pytest.mark.parametrize(("found", "names"), VISITS)
def test_the_largest_and_those_with_a_reason_are_visited(found: list[Meter], names: str) -> None:
    assert "".join(one.device for one in to_visit(found)) == names


def test_samples_must_be_there_until_their_day() -> None:
    def sample(until: str) -> Logged:
        body = {"until": until}
        document = Document("mini", "li", 0, "sample-retained", until, body)
        return Logged(0, 0, bytes(32), document, None)

    held = [sample("2026-11-27"), sample("2026-11-28"), sample("2027-01-01")]
    assert [one.document.about for one in retained(held, "2026-11-28")] == [
        "2026-11-28", "2027-01-01",
    ]  # fmt: skip
