"""Whatever an archive holds, the verifier answers with findings and never with an exception."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from evidence import cbor
from evidence.archive import bag, paths
from evidence.blocks import compress
from evidence.findings import CODES, Report, Verdict
from evidence.recompute import statement_bytes
from tests.property.evidence.test_frame_property import replaced, spoil, values
from tests.unit.evidence import sealed_month as sm

HONEST = sm.unpack(sm.honest())
STATED: dict[str, Any] = json.loads(sm.month().statement)
CONFIG = sm.configuration()

#: the forger here holds the collector's key: the packer makes these anew. Beside them it may
#: change the text of the format, the spelling of a certificate's PEM, and add a witness's line.
MADE_ANEW = {bag.BAG_INFO, bag.MANIFEST, bag.TAG_MANIFEST, paths.SEAL}

changes = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 2**16), st.integers(0, 255)), min_size=1, max_size=5
)
json_values = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.text(max_size=9),
        st.sampled_from(["1e999999", "-0", "0.5", "9" * 40, "2026-06", "edge-1"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)  # fmt: skip
path = st.lists(st.integers(0, 40), max_size=7)


def sane(report: Report) -> None:
    """The report can be printed, and its verdict follows from its findings."""
    assert set(sm.codes(report)) <= set(CODES)
    kinds = {code[0] for code in sm.codes(report)}
    failed, open_ = "E" in kinds, "C" in kinds
    wanted = Verdict.FAILED if failed else Verdict.CANNOT_DECIDE if open_ else Verdict.PASSED
    assert report.verdict is wanted
    json.dumps(report.as_map())
    for finding in report.findings:
        assert (finding.where + finding.sentence).isprintable()


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(HONEST)), changes)
def test_any_file_may_hold_any_bytes(name: str, edits: list[tuple[int, int, int]]) -> None:
    files = HONEST | {name: spoil(HONEST[name], edits)}
    report = sm.check(sm.repack(files, by=sm.keys().collector))
    sane(report)
    if report.verdict is Verdict.PASSED and files[name] != HONEST[name]:
        assert name in MADE_ANEW or name.endswith((".md", ".crt", "/checkpoint"))


@settings(max_examples=100, deadline=None)
@given(path, json_values)
def test_any_figure_of_a_statement_may_be_anything(where: list[int], new: Any) -> None:
    try:
        data = statement_bytes(replaced(STATED, where, new))
    except (TypeError, ValueError):
        return  # cannot be written in the one form
    sane(sm.check(sm.build(sm.contents(sm.make_month(sm.items(), statement=data)))))


@settings(max_examples=100, deadline=None)
@given(path, st.one_of(values, json_values))
def test_any_part_of_a_configuration_may_be_anything(where: list[int], new: Any) -> None:
    try:
        item = sm.config_item(replaced(CONFIG, where, new))
    except (TypeError, ValueError):
        return  # cannot be written at all
    month = sm.make_month([item, *sm.items()[1:]])
    sane(sm.check(sm.build(sm.contents(month))))


@settings(max_examples=40, deadline=None)
@given(values)
def test_a_configuration_may_be_no_configuration(new: Any) -> None:
    item = sm.Item(sm.items()[0].typ, compress(cbor.encode(new)), "2026-06-15/04")
    sane(sm.check(sm.build(sm.contents(sm.make_month([item, *sm.items()[1:]])))))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 8), path, values)
def test_any_part_of_a_log_entry_may_be_anything(index: int, where: list[int], new: Any) -> None:
    entries = list(sm.month().entries)
    try:
        entries[index] = cbor.encode(replaced(cbor.decode(entries[index]), where, new))
    except (TypeError, ValueError):
        return
    note = sm.log_note(entries)
    report = sm.check(sm.build(sm.contents(sm.month(), log_entries=entries, checkpoint=note)))
    sane(report)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=3000))
def test_any_bytes_are_no_archive(data: bytes) -> None:
    report = sm.check(data)
    assert sm.codes(report) == {"E-CONTAINER"}


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(HONEST)), st.binary(max_size=60), max_size=6))
def test_any_files_may_be_missing_or_other(other: dict[str, bytes]) -> None:
    files = {p: d for p, d in HONEST.items() if p not in other or len(other[p]) % 2}
    files |= {p: d for p, d in other.items() if len(d) % 2}
    if files:
        sane(sm.check(sm.repack(files, manifest=False)))


def test_paths_that_are_asked_for_are_in_the_honest_archive() -> None:
    assert set(paths.FIXED) - set(HONEST) == {paths.TIMESTAMP, paths.TIMESTAMP_SEAL}
