"""Where objects stand, what the log says of forks, and what an archive leaves out."""

import dataclasses

import pytest

from evidence.findings import Verdict
from evidence.keys import key_sha256
from evidence.log import Kind
from tests.unit.evidence import sealed_month as sm

CONFIG = sm.configuration()
EARLY, LATE = "2026-06-15/04", "2026-06-15/05"


def placed(hours: list[str]) -> set[str]:
    """What fails when the honest objects, and a configuration signed again, stand so."""
    stream = sm.items(CONFIG, sm.bodies(CONFIG, anew_at=10))
    again = dataclasses.replace(sm.config_item(CONFIG), hour=stream[1].hour)
    stream = [*stream[:2], again, *stream[2:]]
    month = sm.make_month(
        [dataclasses.replace(item, hour=h) for item, h in zip(stream, hours, strict=True)]
    )
    configs = {sm.sha256(month.objects[i]): month.objects[i] for i in (0, 2)}
    report = sm.check(sm.build(sm.contents(month, configs=configs)))
    return {f"{f.code} {f.where}" for f in report.findings if f.code[0] in "EC"}


def test_objects_that_are_no_frames_stand_with_the_frame_before() -> None:
    honest = [i.hour for i in sm.items()]
    assert honest == [EARLY, EARLY, EARLY, LATE, LATE, LATE]
    good = [EARLY, EARLY, EARLY, EARLY, LATE, LATE, LATE]
    assert placed(good) == set()


@pytest.mark.parametrize(
    ("hours", "where"),
    [
        (["2026-06-15/03", EARLY, EARLY, EARLY, LATE, LATE, LATE], "edge-1 seq 1"),
        ([EARLY, EARLY, EARLY, EARLY, LATE, LATE, "2026-06-15/06"], "edge-1 seq 6"),
    ],
)
def test_an_object_in_another_hour_is_found(hours: list[str], where: str) -> None:
    assert placed(hours) == {f"E-FRAME-PLACE {where}"}


def test_a_configuration_with_the_frame_after_it_is_found() -> None:
    """It is put between the two hours, after a frame of the first: it belongs there."""
    stream = sm.items(CONFIG, sm.bodies(CONFIG, anew_at=25))
    again = dataclasses.replace(sm.config_item(CONFIG), hour=LATE)
    month = sm.make_month([*stream[:3], again, *stream[3:]])
    configs = {sm.sha256(month.objects[i]): month.objects[i] for i in (0, 3)}
    report = sm.check(sm.build(sm.contents(month, configs=configs)))
    found = [f for f in report.findings if f.code[0] == "E"]
    assert [(f.code, f.where) for f in found] == [("E-FRAME-PLACE", "edge-1 seq 3")]
    assert found[0].sentence == f"It stands in hour {LATE}, the frame before it in {EARLY}."


@pytest.mark.parametrize(("is_true", "codes"), [(True, {"W-FORK"}), (False, {"W-FORK", "E-LOG"})])
def test_a_fork_names_what_the_log_has_accepted(is_true: bool, codes: set[str]) -> None:
    held = sm.month().objects[3]
    told = {"prev": sm.sha256(sm.month().objects[2]), "held": sm.sha256(held)}
    told |= {} if is_true else {"held": bytes(32)}
    by = key_sha256(sm.keys().gateway.public_key)

    def fork(index: int) -> bytes:
        return sm.entry(
            Kind.REJECT, b"other", index, seq=3, certificate=by, verdict="fork", detail=told
        )

    report = sm.check(sm.build(sm.contents(sm.make_month(sm.items(), between={5: fork}))))
    assert sm.codes(report) & {"W-FORK", "E-LOG"} == codes
    assert report.verdict is (Verdict.PASSED if is_true else Verdict.FAILED)


def test_a_gateway_of_which_the_archive_says_nothing_is_told() -> None:
    by = key_sha256(sm.keys().gateway.public_key)

    def other(index: int) -> bytes:
        return sm.entry(Kind.FRAME, b"x", index, stream="edge-2", seq=9, certificate=by)

    report = sm.check(sm.build(sm.contents(sm.make_month(sm.items(), between={2: other}))))
    assert report.verdict is Verdict.PASSED
    assert (
        "Gateway edge-2: the log here accepted 1 objects of it, and none is in this archive."
        in report.not_checked
    )
