"""Files beside the readings that a collector could bend with its own key: none passes unsaid."""

from collections.abc import Callable

import pytest

from evidence.archive import paths
from evidence.findings import Verdict
from tests.unit.evidence import sealed_month as sm


def resealed(change: Callable[[sm.Files], None]) -> bytes:
    """The honest archive, changed, with manifests and seal made anew by the genuine collector."""
    files = sm.unpack(sm.honest())
    change(files)
    return sm.repack(files, by=sm.keys().collector)


def replace(path: str, old: bytes, new: bytes) -> Callable[[sm.Files], None]:
    def change(files: sm.Files) -> None:
        assert old in files[path]
        files[path] = files[path].replace(old, new)

    return change


@pytest.mark.parametrize("place", [b"Serial: 1\n%b", b"%b\n", b"%b%b"])
def test_a_certificate_stands_alone_in_its_file(place: bytes) -> None:
    def change(files: sm.Files) -> None:
        pem = files[paths.ROOT_CERTIFICATE]
        files[paths.ROOT_CERTIFICATE] = place.replace(b"%b", pem)

    report = sm.check(resealed(change))
    assert "E-CERTIFICATE" in sm.codes(report)


@pytest.mark.parametrize("recompute", [True, False])
@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("cets-ag-04.01-v01-2024", b"0.02", b"0.01"),
        ("gwp", b'"6630"', b'"6629"'),
        ("ipcc-2006", b'"0.143"', b'"0.142"'),
    ],
)
def test_rules_and_their_tables_are_compared_also_without_recomputation(
    name: str, old: bytes, new: bytes, recompute: bool
) -> None:
    change = resealed(replace(paths.rules(name), old, new))
    assert "E-RULES" in sm.codes(sm.check(change, recompute=recompute))


def test_the_tables_of_the_rule_set_are_there_and_no_others() -> None:
    rules = {path for path in sm.unpack(sm.honest()) if path.startswith("data/rules/")}
    tables = [
        "cets-04.01",
        "counter-checks",
        "gwp",
        "ipcc-2006",
        "ipcc-2019",
        "ndrc-2013",
        "physics",
        "statement-checks",
    ]
    assert rules == {paths.rules(name) for name in ("cets-ag-04.01-v01-2024", *tables)}

    def lose(files: sm.Files) -> None:
        del files[paths.rules("gwp")]

    def gain(files: sm.Files) -> None:
        files[paths.rules("my-own")] = b"format = 1\n"

    assert "E-RULES" in sm.codes(sm.check(resealed(lose)))
    assert "E-FILE-EXTRA" in sm.codes(sm.check(resealed(gain)))


def test_another_format_text_is_said() -> None:
    def change(files: sm.Files) -> None:
        files[paths.FORMAT_TEXT] = b"lies"

    report = sm.check(resealed(change))
    assert report.verdict is Verdict.PASSED
    assert any(paths.FORMAT_TEXT in sentence for sentence in report.not_checked)
    assert not any(paths.FORMAT_TEXT in s for s in sm.check(sm.honest()).not_checked)
