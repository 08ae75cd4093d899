"""docs/commissioning.md, from its manual page to a record, by the commands that stand there."""

import asyncio
import io
import json
import re
import shlex
import sys
from pathlib import Path

import pytest

from edge.cli import main as edge
from firmware_configs.cli import main as profile
from simulators.cli import main as sim
from tests.integration.drivers.modbus_responder import Responder
from tests.integration.edge.brokers import free_port
from tests.unit.edge.sites import HEAD, write_keys

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs/commissioning.md").read_text()

#: the device of the example: 1234.5 at 40101, low word first; nothing anywhere else
WORDS = dict.fromkeys(range(300), 0) | {100: 0x5000, 101: 0x449A}


def blocks(language: str, heading: str) -> list[str]:
    text = TEXT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def commands(heading: str) -> list[list[str]]:
    lines = [line for block in blocks("sh", heading) for line in block.splitlines()]
    return [shlex.split(line, comments=True) for line in lines if line.startswith("stackproof ")]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> pytest.CaptureFixture[str]:
    return capsys


async def test_every_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_keys(tmp_path / "keys")
    async with Responder(words=WORDS) as device:
        here = f"127.0.0.1:{device.port}"

        async def run(words: list[str], *more: str) -> int:
            room = {"edge": edge, "profile": profile, "sim": sim}[words[1]]
            typed = [word.replace("192.0.2.7", here) for word in words[2:]]
            return await asyncio.to_thread(room, [*typed, *more])

        # 1: the second command scans units
        scan = commands("1. Who is there")[1]
        assert await run(scan, "--units", "1-2", "--json") == 0
        assert [unit["unit"] for unit in json.loads(said.readouterr().out)["units"]] == [1, 2]
        # 2: the display's number stands under CDAB, as the table says
        (read,) = commands("2. Find the value before you write anything")
        assert await run(read, "--json") == 0
        told = json.loads(said.readouterr().out)
        assert told["words"] == ["5000", "449a", "0000", "0000"]
        found = [(t["type"], t["order"]) for t in told["takings"] if t["value"] == 1234.5]
        assert found == [("f32", "CDAB")]
        # 3: the profile and the device as written
        flow, table = blocks("toml", "3. Write the profile")
        (tmp_path / "flow.toml").write_text(flow)
        head = HEAD.replace(":1883", f":{free_port()}")
        text = head + table.replace("192.0.2.7", here) + "[statement]\n"
        (tmp_path / "SITE.toml").write_text(text)
        check, new, traffic = commands("3. Write the profile")
        assert await run(check) == 0
        assert await run([word.replace("SITE.toml", "NEW.toml") for word in new]) == 0
        assert await run(traffic) == 0
        assert "FC 3 unit 1 holding 0x0064 (40101 in 40001 notation) x 2" in said.readouterr().out
        # 4: nothing of the device fails (the broker is nowhere), and both ways to read agree
        doctor, point, watch = commands("4. Let it be looked at")
        assert await run(doctor, "--json") == 1
        told = json.loads(said.readouterr().out)
        assert told["verdict"] == "fails: broker at tcp"
        assert await run(point, "--json") == 0
        assert json.loads(said.readouterr().out)["value"] == "1234.5"
        assert await run(watch, "--for", "0.2") == 0
        assert "flow-1.mass_flow  1234.5 t/h  good" in said.readouterr().out
        # 5: the person reads 1234 from the display
        monkeypatch.setattr(sys, "stdin", io.StringIO("display\n1234\n"))
        (record,) = commands("5. Put it on paper")
        assert await run(record) == 0
        assert "record.html: SHA-256 " in said.readouterr().out
        page = (tmp_path / "record.html").read_text()
        assert re.search(
            r'<td class="n">1234<br><small>[^<]+</small></td><td class="n">0.5</td>', page
        )
        # and home: the words as they came (replaying it: tests/integration/simulators)
        record, _ = commands("Take the meter home")
        assert await run(record, "--rounds", "1") == 0
        assert "1 answers, 0 exceptions, 0 silences" in said.readouterr().out
        assert '"words":"5000 449a"' in (tmp_path / "flow-1.jsonl").read_text()
        assert {question.code for question in device.questions} == {3}
