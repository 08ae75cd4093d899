"""What becomes of a site order: state by state, what none may change, and a power cut anywhere."""

import json
import os
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge.cli import main
from edge.errors import SiteConfigError, SpoolError
from edge.remote.folder import OrderFolder, read_state
from edge.remote.rules import forbidden, passed_over
from edge.remote.start import start_of
from edge.remote.state import (
    BY_HAND,
    CUT_SHORT,
    Answer,
    Given,
    State,
    Trial,
    begun,
    counts,
    healthy,
    refused,
    rolled_back,
    staged,
)
from edge.remote.told import order_lines, orders_of
from edge.remote.trial import lacks, needed, patience_ns
from edge.site.devices import DeviceConfig
from evidence.points import Provenance
from firmware_configs.toml import parse_toml
from tests.unit.edge.drivers.row_specs import row_spec, table
from tests.unit.edge.remote.ordered import HAND, NEW, site_folder, stage
from tests.unit.edge.sites import GATEWAY, PLANT, problems, replaced

GIVEN = Given(3, "hand")
STAGED = staged(State(2, Given(2, "hand")), GIVEN, answered=("ac-1",), heard=True)


def test_an_order_that_comes_healthy_stays() -> None:
    assert counts(STAGED) == GIVEN
    assert (STAGED.judged, STAGED.last) == (3, Answer(3, "staged"))
    trial = begun(STAGED, "hand")
    assert trial.trial == Trial(GIVEN, begun=True, answered=("ac-1",), heard=True)
    stays = healthy(trial)
    assert (stays.in_force, stays.trial, stays.last) == (GIVEN, None, Answer(3, "in force"))
    assert begun(stays, "hand") == stays, "no start changes it"


def test_a_trial_is_begun_once() -> None:
    gone = begun(begun(STAGED, "hand"), "hand")
    assert (counts(gone), gone.last) == (Given(2, "hand"), Answer(3, "rolled back", CUT_SHORT))
    assert begun(gone, "hand") == gone
    assert gone.judged == 3, "its number is used up"


def test_whoever_changes_the_site_file_at_the_gateway_has_the_last_word() -> None:
    gone = begun(State(2, Given(2, "hand")), "other")
    assert (counts(gone), gone.last) == (None, Answer(2, "set aside", BY_HAND))
    both = begun(STAGED, "other")
    assert (counts(both), both.judged) == (None, 3)


def test_refusals_are_remembered_and_change_nothing_else() -> None:
    state = refused(State(2, Given(2, "hand")), 5, "why")
    answer = Answer(5, "refused", "why")
    assert state == State(5, Given(2, "hand"), None, answer, answer)
    assert rolled_back(state, "no trial") == state
    assert healthy(state) == state


LOGGER = """[[device]]
id = "cems-1"
url = "hj212://0.0.0.0:9212?mn=0102030405060708090A0B0C&from=10.0.0.9"
"""


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ('"800/5"', '"400/5"', []),
        ('name = "North works"', 'name = "South works"', []),
        (f'id = "{PLANT}"', 'id = "south-works"', ["plant.id"]),
        ("simulated = true", "simulated = false", ["plant.simulated"]),
        (f'id = "{GATEWAY}"', 'id = "edge-2"', ["[gateway]"]),
        ('collector = "file:keys/collector.crt"', 'collector = "file:other.crt"', ["[uplink]"]),
        ("orders = true", "orders = false", ["[remote]"]),
        ("[remote]", '[metrics]\nlisten = "0.0.0.0:1"\n[remote]', ["[metrics]"]),
        ("[remote]", f"{LOGGER}[remote]", ["where a device calls (0.0.0.0:9212)"]),
    ],
)
def test_what_no_order_may_change(old: str, new: str, names: list[str]) -> None:
    ordered = replaced(HAND, {old: new})
    assert forbidden(parse_toml(HAND.encode()), parse_toml(ordered.encode())) == names


def row_device(**changes: Any) -> DeviceConfig:
    made = row_spec("sqlite+ro:///var/lims.db", table())
    device = DeviceConfig(
        "lims", made.url, made.profile, Provenance.METER_DIRECT, 10**9, 1.0, {}, made.points
    )
    return replace(device, **changes)


def test_no_order_changes_how_rows_are_read_that_are_delivered_once() -> None:
    # a trial that reads another database, or fewer pots, moves the place up to where rows were
    # delivered: what stands before it would never be read by the file that counts again
    here = row_device()
    assert passed_over([here], [row_device(interval_ns=5, timeout_s=9.0)]) == []
    for changed in (
        row_device(url="sqlite+ro:///var/other.db"),
        row_device(points=here.points[1:]),
        row_device(profile=replace(here.profile, revision="2")),
        row_device(profile=replace(here.profile, rows=None)),
    ):
        assert passed_over([here], [changed]) == passed_over([changed], [here]) == ["lims"]
        assert passed_over([here], [replace(changed, id="lims-2")]) == []
    meter = replace(here, profile=replace(here.profile, rows=None))
    assert passed_over([meter], [replace(meter, url="modbus+tcp://127.0.0.1?unit=2")]) == []


def test_a_door_that_is_open_already_may_be_used_otherwise() -> None:
    here = parse_toml((HAND + LOGGER).encode())
    ordered = parse_toml((HAND + LOGGER.replace("10.0.0.9", "10.0.0.8")).encode())
    assert forbidden(here, ordered) == []
    assert forbidden(here, parse_toml(HAND.encode())) == [], "and be closed"


def test_healthy_is_what_answered_before_and_is_still_there() -> None:
    trial = Trial(GIVEN, begun=True, answered=("ac-1", "gas-1", "gone"), heard=True)
    intervals = {"ac-1": 10**9, "gas-1": 100 * 10**9, "new": 10**12}
    assert needed(trial, intervals) == {"ac-1", "gas-1"}
    assert patience_ns(trial, intervals, 120) == 300 * 10**9, "three ticks of the slowest"
    assert patience_ns(replace(trial, answered=("ac-1",)), intervals, 120) == 120 * 10**9
    assert lacks(trial, intervals, {"ac-1", "gas-1"}, is_heard=True) == ""
    said = "gas-1 answered before and has not since; the broker was reached before and is not"
    assert lacks(trial, intervals, {"ac-1"}, is_heard=False) == said
    quiet = replace(trial, answered=(), heard=False)
    assert lacks(quiet, intervals, set(), is_heard=False) == ""


# -- on disk ----------------------------------------------------------------------------------


class PowerCutError(BaseException):
    """Nothing runs any more."""


STEPS = 12  # an order and three states, each: flush the file, name it, flush the folder


@pytest.fixture
def cut(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """Cuts the power before the n-th thing that is done to the disk; 0: never."""
    left = [0]

    def before(work: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                raise PowerCutError
            return work(*args, **kwargs)

        return counted

    monkeypatch.setattr(os, "fsync", before(os.fsync))
    for name in ("replace", "unlink"):
        monkeypatch.setattr(Path, name, before(getattr(Path, name)))

    def at(step: int) -> None:
        left[0] = step

    yield at
    left[0] = 0


def test_power_cut_at_any_step(tmp_path: Path, cut: Callable[[int], None]) -> None:
    """The agent starts on the old file or the new one, whole, and stays there."""
    seen = set()
    for step in range(1, STEPS + 2):
        path = site_folder(tmp_path / str(step))
        cut(step)
        is_cut = True
        try:
            stage(path)
            start = start_of(path)
            start.keep(healthy(start.state))
            is_cut = False
        except PowerCutError:
            pass
        cut(0)
        first = start_of(path)  # it may still be on trial, if it was only staged
        settled = start_of(path)
        again = start_of(path)
        assert (settled.hand, settled.state) == (again.hand, again.state), "it never loops"
        assert settled.config["points"] == again.config["points"]
        if first.state.trial is None:
            assert first.state == settled.state
        seen.add((is_cut, settled.state.in_force is not None))
        assert is_cut == (step <= STEPS), f"STEPS is not what is done to the disk: {step}"
    assert seen == {(True, False), (True, True), (False, True)}


def test_an_order_that_cannot_be_opened_goes_and_it_reads_on(tmp_path: Path) -> None:
    path = site_folder(tmp_path)
    old, new = start_of(path).config, replaced(NEW, {'"stackproof/gas-meter"': '"none/none"'})
    stage(path, 1, new)
    start = start_of(path)
    assert start.config["points"] == old["points"]
    assert start.state.last is not None
    assert (start.state.last.outcome, start.state.trial) == ("rolled back", None)
    stage(path, 2)
    start = start_of(path)
    assert start.config["points"] != old["points"]
    start.keep(healthy(start.state))
    (tmp_path / "state/site-orders/2.order").write_bytes(b"bent")
    start = start_of(path)
    assert start.config["points"] == old["points"]
    lines = order_lines(orders_of(tmp_path / "state/site-orders"))
    assert lines[0].endswith("this gateway counts; the next has number 3 or higher")
    assert lines[1].startswith("site order 2: set aside: ")


def test_an_order_outlives_a_start_without_what_neither_file_can_help(tmp_path: Path) -> None:
    path = site_folder(tmp_path)
    stage(path)
    start = start_of(path)
    start.keep(healthy(start.state))
    away = (tmp_path / "keys/collector.crt").rename(tmp_path / "keys/away.crt")
    with pytest.raises(SiteConfigError):
        start_of(path)
    away.rename(tmp_path / "keys/collector.crt")
    assert start_of(path).state.in_force == start.state.in_force


def test_a_disk_that_refuses_a_trial_does_not_end_the_readings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = site_folder(tmp_path)
    old = start_of(path).config
    stage(path)

    def full(folder: OrderFolder, state: State) -> State:
        raise SpoolError("state.json: cannot be written: No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(OrderFolder, "keep", full)
        start = start_of(path)
    assert start.config["points"] == old["points"], "the file before, and no loop of starts"
    reason = "state.json: cannot be written: No space left on device"
    assert (start.state.trial, start.state.last) == (None, Answer(1, "rolled back", reason))
    assert start_of(path).config["points"] != old["points"], "the next start tries it"


def test_what_a_power_cut_left_of_orders_goes(tmp_path: Path) -> None:
    path = site_folder(tmp_path)
    stage(path)
    folder = tmp_path / "state/site-orders"
    (folder / "7.part").write_bytes(b"half of an ord")
    (folder / "6.order").mkdir()  # nothing can take it away: that ends nothing
    start = start_of(path)
    assert start.state.trial is not None
    start.keep(healthy(start.state))
    (folder / "6.order").rmdir()
    start.keep(start.state)
    assert {file.name for file in folder.iterdir()} == {"state.json", "1.order"}


def test_a_damaged_state_stops_orders_and_no_reading(tmp_path: Path) -> None:
    path = site_folder(tmp_path)
    stage(path)
    folder = tmp_path / "state/site-orders"
    (folder / "state.json").write_bytes(b"{}")
    with pytest.raises(SpoolError, match="is damaged"):
        read_state(folder)
    start = start_of(path)
    assert (start.folder, start.state) == (None, State())
    assert "is damaged" in order_lines(orders_of(folder))[0]


def test_a_state_of_another_program_is_left_as_it_is(tmp_path: Path) -> None:
    """The first programs wrote no format; after a way back a newer one's may be there."""
    path = site_folder(tmp_path)
    stage(path)
    file = tmp_path / "state/site-orders/state.json"
    said = json.loads(file.read_bytes())
    assert said.pop("format") == 1
    file.write_text(json.dumps(said))
    assert read_state(file.parent).judged == 1
    newer = json.dumps({"format": 2, "numbers": [1]})
    file.write_text(newer)
    assert start_of(path).folder is None
    told = order_lines(orders_of(file.parent))[0]
    assert "state.json: has format 2, and this program knows 1: no order counts until" in told
    assert "damaged" not in told
    assert file.read_text() == newer


def test_commands_tell_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = site_folder(tmp_path)

    def said(*arguments: str, status: int = 0) -> str:
        assert main([arguments[0], str(path), *arguments[1:]]) == status
        out, err = capsys.readouterr()
        return out + err

    assert "number 1 or higher" in said("order")
    assert "no order is in force" in said("order", "--file", status=2)
    stage(path)
    start = start_of(path)
    assert "order 1 is on trial" in said("order")
    start.keep(healthy(start.state))
    assert "order 1 is in force; the next has number 2 or higher" in said("order")
    assert '"in_force": 1' in said("order", "--json")
    assert said("order", "--file") == NEW
    assert "the agent runs on the site file of order 1, not on this one" in said("check")
    path.write_text(HAND.replace("orders = true", "orders = false"))
    assert "remote.orders: is not true" in said("order", status=2)
    assert "not on this one" not in said("check")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"orders = true": "orders = 1"}, "remote.orders: must be true or false"),
        ({"orders = true": ""}, "remote.orders: must be true or false"),
        (
            {"orders = true": "orders = true\nhealthy_s = 1"},
            "remote.healthy_s: 1 is not in 2..3600",
        ),
        ({'root = "file:keys/root.crt"\n': ""}, "remote.orders: needs root"),
        (
            {'url = "mqtt://127.0.0.1:1883"': 'mode = "one-way"'},
            "remote.orders: nothing comes down to a one-way site",
        ),
    ],
)
def test_what_the_site_file_may_say_of_orders(
    changes: dict[str, str], problem: str, tmp_path: Path
) -> None:
    (said,) = problems(tmp_path, replaced(HAND, changes))
    assert ": ".join(said).startswith(problem)


def test_without_the_word_of_the_site_file_no_order_counts(tmp_path: Path) -> None:
    path = site_folder(tmp_path)
    stage(path)
    path.write_text(HAND.replace("orders = true", "orders = false"))
    assert start_of(path).folder is None


def test_a_support_archive_has_the_file_in_force_and_none_of_its_secrets(tmp_path: Path) -> None:
    """The one at the gateway names others, or none."""
    path, out = site_folder(tmp_path), tmp_path / "s.tar.gz"
    (tmp_path / "ordered.words").write_text("walls have ears\n")
    stage(path, 1, f'{NEW}\n# "file:ordered.words" says walls have ears\n')
    main(["support", str(path), "--out", str(out), "--log", str(path)])
    with tarfile.open(out) as archive:
        file = archive.extractfile("site-ordered.toml")
        assert file is not None
        told = file.read().decode()
    assert told.startswith(NEW[:40])
    assert told.endswith('# "file:ordered.words" says [taken out]\n')
