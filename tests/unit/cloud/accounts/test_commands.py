"""`stackproof cloud accounts`: what it asks, what it prints, how it ends."""

import json
import re
from dataclasses import asdict
from typing import Any

import pytest

from cloud.accounts.security_log import Event, chained
from cloud.cli import main
from evidence.documents.actions import ACTIONS
from evidence.documents.plainly import plain_body
from tests.unit.cloud.fake_collector import FakeCollector

INVITE = ["accounts", "invite", "--id", "li-wei", "--name", "李伟", "--organisation", "铝业"]


def rows(count: int) -> list[dict[str, Any]]:
    made = [chained("", 1, 0, Event("invited", "li-wei", "collector", "127.0.0.1", "role=audit"))]
    for n in range(2, count + 1):
        made.append(chained(made[-1].hash, n, n * 10**9, Event("sign-in", "li-wei", "li-wei")))
    return [asdict(row) for row in made]


def test_a_link_for_an_administrator_is_printed_alone(
    collector: FakeCollector, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    collector.answer("administrators", {"link": "/invited/abc"}, 201)
    assert main([*INVITE, "--role", "security", config]) == 0
    out, err = capsys.readouterr()
    assert out == f"http://127.0.0.1:{collector.server_port}/en/invited/abc\n"
    assert "works once" in err
    order = {"account": "li-wei", "name": "李伟", "organisation": "铝业", "role": "security"}
    assert collector.asked[-1][2] == order
    base = ["--base", "https://c.example/", "--lang", "zh", "--json"]
    assert main([*INVITE, "--role", "audit", *base, config]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {"account": "li-wei", "link": "https://c.example/zh/invited/abc"}
    collector.answer("administrators/li-wei/link", {"link": "/invited/def"}, 201)
    assert main(["accounts", "link", "--id", "li-wei", config]) == 0
    assert capsys.readouterr().out.endswith("/en/invited/def\n")


def test_other_roles_are_not_invited_from_here(
    collector: FakeCollector, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*INVITE, "--role", "accountant", config])
    assert ended.value.code == 2
    collector.answer("administrators", {"detail": "This id is, or was, somebody's"}, 409)
    assert main([*INVITE, "--role", "audit", config]) == 1
    assert "somebody's" in capsys.readouterr().err


def test_the_list(
    collector: FakeCollector, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    row = {"account": "ann", "role": "reviewer", "region": "37", "plants": [], "state": "active"}
    works = {**row, "account": "bob", "role": "operator", "region": "", "plants": ["mini", "maxi"]}
    chief = {**row, "account": "chief", "role": "security", "region": "", "state": "invited"}
    nation = {**row, "account": "dai", "region": ""}
    collector.answer("accounts", [row, works, chief, nation])
    assert main(["accounts", "list", config]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "ann: reviewer 37, active", "bob: operator mini,maxi, active", "chief: security, invited",
        "dai: reviewer *, active", "4 account(s)",
    ]  # fmt: skip
    assert main(["accounts", "list", "--json", config]) == 0
    assert json.loads(capsys.readouterr().out) == {"accounts": [row, works, chief, nation]}


def test_the_log_for_people_and_as_syslog(
    collector: FakeCollector, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    made = rows(3)
    collector.answer("security-log?after=0&count=1000", {"rows": made[:2]})
    collector.answer("security-log?after=2&count=1000", {"rows": made[2:]})
    collector.answer("security-log?after=3&count=1000", {"rows": []})
    assert main(["accounts", "log", config]) == 0
    assert capsys.readouterr().out.splitlines()[:2] == [
        "1 1970-01-01 00:00:00 UTC li-wei: invited by collector from 127.0.0.1 role=audit",
        "2 1970-01-01 00:00:02 UTC li-wei: sign-in",
    ]
    assert main(["accounts", "log", "--syslog", "--after", "2", config]) == 0
    line = r"<86>1 1970-01-01T00:00:03\.000000Z \S+ stackproof - sign-in \[meta .*\n"
    assert re.fullmatch(line, capsys.readouterr().out)
    assert main(["accounts", "log", "--json", "--after", "2", config]) == 0
    assert json.loads(capsys.readouterr().out) == made[2]
    made[1]["account"] = "nobody"
    collector.answer("security-log?after=0&count=1000", {"rows": made[:2]})
    assert main(["accounts", "log", config]) == 1
    assert "row 2 does not follow row 1" in capsys.readouterr().err


def test_the_log_is_compared_with_what_the_plants_logs_say(
    collector: FakeCollector, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    made = rows(4)
    collector.answer("security-log?after=0&count=1000", {"rows": made})
    collector.answer("security-log?after=4&count=1000", {"rows": []})
    collector.answer(
        "health", {"served": ["mini"], "amiss": {"mini": {"clock": "x"}, "maxi": {"clock": "y"}}}
    )
    path = f"plants/mini/documents?kind={ACTIONS}"
    collector.answer(f"{path}&from=0", [])
    check = ["accounts", "log", "--check", config]
    assert main(check) == 2
    said = "no plant's log names any of the 4 row(s) yet\nnot served, and left out: maxi\n"
    assert capsys.readouterr().err == said
    body = {
        "number": 3, "chain": bytes.fromhex(made[2]["hash"]), "from_ns": 0, "to_ns": 3 * 10**9 + 1,
        "events": [{"what": "invited", "times": 1}, {"what": "sign-in", "times": 2}],
    }  # fmt: skip
    row = {"index": 7, "received_ns": 4 * 10**9, "body": plain_body(ACTIONS, body)}
    collector.answer(f"{path}&from=0", [row])
    collector.answer(f"{path}&from=8", [])
    assert main(check) == 0
    said = "1 of 1 entries of the plants' logs name rows that are kept, and all of these agree; "
    assert capsys.readouterr().out == f"{said}1 newer row(s) are in no plant's log yet\n"
    collector.answer("security-log?after=0&count=1000", {"rows": made[:2]})
    collector.answer("security-log?after=2&count=1000", {"rows": []})
    assert main(check) == 1
    said = "the security log ends with row 2, and entry 7 of plant mini's log (1970-01-01 00:00:04"
    assert capsys.readouterr().err.startswith(said)
    assert main([*check, "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told.pop("finding").startswith(said)
    assert told == {
        "entries": 1, "compared": 0, "newest": 2, "behind": 0, "plants_left_out": ["maxi"],
    }  # fmt: skip
