"""How the doctor's findings read."""

from argparse import Namespace

import pytest

from edge.commands.commissioning import _print
from edge.commissioning.doctor_text import as_map, lines, verdict
from edge.commissioning.findings import LAYERS, failed, fine, has_failed, skipped, warning

FOUND = [
    warning("this machine", "clock", "nothing keeps this clock right", "let chrony keep it"),
    fine("ac-1", "tcp", "accepts"),
    failed("ac-1", "value", "ac-1.power is -1 kW", "look"),
    failed("ac-1", "register", "refused", "mend"),
]


def test_subjects_layers_and_what_to_do() -> None:
    assert list(lines(FOUND)) == [
        "this machine",
        "  clock       warning  nothing keeps this clock right",
        "              do       let chrony keep it",
        "ac-1",
        "  tcp         fine     accepts",
        "  value       FAILED   ac-1.power is -1 kW",
        "              do       look",
        "  register    FAILED   refused",
        "              do       mend",
        "",
        "fails: ac-1 at register",
    ]


def test_a_warning_is_no_failure() -> None:
    assert not has_failed(FOUND[:2])
    assert verdict(FOUND[:2]) == "nothing fails; 1 warning"
    assert verdict(FOUND[1:2]) == "nothing fails"


def test_what_was_not_looked_at_is_not_called_fine() -> None:
    unlooked = skipped("broker", "protocol", "is not looked at: --laptop was said", "once more")
    assert not has_failed([unlooked])
    assert verdict([*FOUND[:2], unlooked]) == (
        "nothing that was looked at fails; 1 warning; not looked at: broker at protocol"
    )
    assert verdict([*FOUND, unlooked]).endswith("at register; not looked at: broker at protocol")


def test_for_programs() -> None:
    told = as_map(FOUND[2:])
    assert told["verdict"] == "fails: ac-1 at register"
    assert told["checks"][0] == {
        "subject": "ac-1", "layer": "value", "state": "failed",
        "sentence": "ac-1.power is -1 kW", "todo": "look",
    }  # fmt: skip
    assert {check["layer"] for check in told["checks"]} <= set(LAYERS)


def test_what_a_server_says_steers_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    found = [failed("lims", "protocol", "the database says: \x1b[2Jno\r\nlims", "look")]
    _print(Namespace(json=False), None, lines(found))
    assert capsys.readouterr().out.splitlines()[:2] == [
        "lims",
        r"  protocol    FAILED   the database says: \x1b[2Jno\r\nlims",
    ]
