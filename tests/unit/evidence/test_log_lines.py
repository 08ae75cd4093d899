"""Log lines of a program, as somebody's collector of logs reads them."""

import datetime as dt
import json
import subprocess
import sys

PROGRAM = """
import logging
import sys
import threading
import warnings
from evidence.log_lines import about, complain, start_logging, teller
always = start_logging("info", "{form}")
always |= about("north", "edge-1")
log = logging.getLogger("stackproof.edge")
log.debug("not said")
lost = "%s: lost, 温度"
log.warning(lost, "ac-1", extra=about(device="ac-1") | {"color_message": "!"})
try:
    raise ValueError("by a defect")
except ValueError:
    log.exception("ended")
teller("{form}", "stackproof.cloud")("ready: 100 %", extra=about(device="ac-2"))
complain("{form}", "edge", ["the disk is gone"])
"""
#: what nobody thought of: a library's warning, a thread's end, and its own
ENDING = """
warnings.warn("old")
threads = [threading.Thread(target=one, name=one.__name__) for one in (next, sys.exit)]
for one in threads:
    one.start()
    one.join()
raise ValueError("by another defect")
"""
#: as a server may say, with a line of its own and ESC [ 2 J, CSI 2 J
FORGING = r"""
said = "away\n2026-11-29 02:00:00,000 INFO stackproof: SOUND\r\x1b[2J\x9b2J\u2028"
log.error("InfluxDB: %s", said)
teller("text", "stackproof.cloud")(said)
raise SystemExit(1)
"""


def lines(form: str, stdout: str, ending: str = "") -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.replace("{form}", form) + ending],
        capture_output=True, check=False, encoding="utf-8", env={"PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    assert (done.stdout, done.returncode) == (stdout, int(bool(ending)))
    return done.stderr.splitlines()


def test_json_is_one_object_a_line() -> None:
    said = [json.loads(line) for line in lines("json", "", ENDING)]
    at = [dt.datetime.fromisoformat(one.pop("at")) for one in said]
    assert all(one.utcoffset() == dt.timedelta(0) for one in at)
    traceback = said[1].pop("exc_info")
    assert traceback.endswith("ValueError: by a defect")
    of = {"logger": "stackproof.edge", "plant": "north", "gateway": "edge-1"}
    warned, thread, ended = said[4:]
    assert "UserWarning: old" in warned["message"]
    assert thread.pop("exc_info").endswith("TypeError: next expected at least 1 argument, got 0")
    assert (thread["level"], thread["message"]) == ("ERROR", "thread next: ended by a defect")
    assert ended.pop("exc_info").endswith("ValueError: by another defect")
    bad = {"level": "CRITICAL", "message": "ended by a defect", **of, "logger": "stackproof"}
    assert ended == bad
    assert said[:4] == [
        {"level": "WARNING", "message": "ac-1: lost, 温度", "device": "ac-1", **of},
        {"level": "ERROR", "message": "ended", **of},
        {
            "level": "INFO",
            "message": "ready: 100 %",
            "device": "ac-2",
            **of,
            "logger": "stackproof.cloud",
        },
        {"level": "ERROR", "message": "the disk is gone", **of},
    ]


def test_text_is_for_people() -> None:
    first, *_, last = lines("text", "ready: 100 %\n")
    assert first.endswith(" WARNING stackproof.edge: ac-1: lost, 温度")
    assert last == "the disk is gone"


def test_no_line_is_forged_and_no_terminal_steered() -> None:
    forged = r"away\n2026-11-29 02:00:00,000 INFO stackproof: SOUND\r\x1b[2J\x9b2J\u2028"
    said = lines("text", f"ready: 100 %\n{forged}\n", FORGING)
    assert said[-3] == "ValueError: by a defect"  # a traceback has its lines
    assert said[-1].endswith(f" ERROR stackproof.edge: InfluxDB: {forged}")
