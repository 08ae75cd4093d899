"""Plant and collector in two namespaces, or a relay between them; the link fails in every way.

Days of frames wait at the plant when the agent starts on a slow link. Nothing is lost, order is
kept, newest values are not held up by what waited, and what came late is said to have.
"""

import datetime as dt
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from tests.namespaces import has_namespaces
from tests.system.apart import ENDED_S, TICKS, Apart, apart
from tests.system.links import FAULTS, PlantLink, by_namespaces, by_relay
from tests.unit.edge.sites import PLANT

EVERY_S = 900
DAY_FRAMES = 86_400 // TICKS
LATE_S = 900  # FORMAT.md, N-LATE
#: how old newest values are while a backlog drains, on a machine that keeps up: a tick a second,
#: and one more on its way
AGE_S = 2.0
#: and how long none may come, on any machine
GAP_NS = 20 * 1_000_000_000

Opened = Callable[[], AbstractContextManager[PlantLink]]


def drains_while_live(made: Apart) -> float:
    """Start without a link, which then is slow; seconds until all that waited is under receipt."""
    made.link.fail("down")
    made.start_agent()
    made.link.mend()
    made.link.fail("slow")
    made.wait("live values", lambda: made.gateway()["tick_ns"] is not None)
    took_s = made.wait("end of the backlog", made.is_drained)
    assert len(made.ages_s) >= 10, "the backlog was gone when values came"
    assert len(made.ticks) >= took_s / 2, "newest values waited behind the backlog"
    assert np.median(made.ages_s) <= 1.5 * AGE_S, made.ages_s
    assert np.diff(sorted(made.ticks)).max() <= GAP_NS, "newest values stood still meanwhile"
    made.link.mend()
    return took_s


def fails(made: Apart, fault: str, seconds: float) -> float:
    """One fault for so long; seconds from its end until everything is under receipt."""
    made.link.fail(fault)
    time.sleep(seconds)
    made.link.mend()
    mended_s = time.time()
    return made.wait("recovery", lambda: made.is_drained(mended_s))


def late_frames(made: Apart) -> tuple[int, int]:
    """How many frames the verifier says came late, and how many were late when the agent started.

    Of this month alone, which the archive is of.
    """
    now = dt.datetime.now(ZoneInfo("Asia/Shanghai"))
    month = now.strftime("%Y-%m")
    done = made.ask("cloud", "month", "close", "cloud.toml", "--plant", PLANT, "--month", month,
                    "--interim")  # fmt: skip
    report = json.loads(made.ask("verify", done.strip(), "--trust", "keys/root.crt", "--json"))
    assert report["verdict"] == "passed", report
    said = [f["sentence"].split()[0] for f in report["findings"] if f["code"] == "N-LATE"]
    began_s = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0).timestamp()
    ends_s = [at_s + TICKS for at_s in made.waiting if at_s >= began_s]
    late_s = made.waiting[-1] + ENDED_S - LATE_S
    return sum(map(int, said)), sum(end_s < late_s for end_s in ends_s)


def check(made: Apart) -> None:
    verdict = made.judge()
    assert verdict.mistakes == []
    assert verdict.undelivered == 0
    assert verdict.ticks == sorted(verdict.ticks)
    assert set(verdict.ticks) >= {at + n for at in made.waiting for n in range(TICKS)}
    reasons = [reason for _, reason in verdict.gaps]
    assert reasons.count("restart") == made.gaps + 1, "and before the agent's own"
    assert set(reasons) <= {"restart", "overrun"}, "a machine that is too slow says so"
    fsck = subprocess.run(made.command("cloud", "fsck", "cloud.toml"), cwd=made.folder, check=False)
    assert fsck.returncode == 0
    assert "Traceback" not in made.log("edge") + made.log("cloud")


def link_here() -> Opened:
    """Two namespaces wherever they can be made."""
    return by_namespaces if has_namespaces("tc") else by_relay


def test_root_has_namespaces() -> None:
    """Left out means: what is tested here and at the diode went by a relay and a forwarder."""
    tried = subprocess.run(["unshare", "--net", "--mount", "true"], check=False)
    if os.geteuid() or tried.returncode:
        pytest.skip("needs root, whom the kernel lets make namespaces")
    if not all(shutil.which(name) for name in ("ip", "nft", "tc")):
        pytest.skip("needs ip, nft and tc")
    assert link_here() is by_namespaces


@pytest.mark.timeout(150)
def test_two_days_wait_and_the_link_fails_for_a_moment(tmp_path: Path) -> None:
    opened = link_here()
    with opened() as link, apart(tmp_path, link, frames=72, every_s=2_400) as made:
        drains_while_live(made)
        for fault in ("down", "reset", "half open", "lossy"):
            fails(made, fault, 0.7)
        said, came = late_frames(made)
        assert said == came
        check(made)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("opened", [by_namespaces, by_relay])
def test_ten_days_wait_and_every_fault_lasts(tmp_path: Path, opened: Opened) -> None:
    """A frame of every quarter hour of them: what they are about is time, not how many wait."""
    if opened is by_namespaces and not has_namespaces("tc"):
        pytest.skip("needs root, ip, nft and tc")
    with opened() as link, apart(tmp_path, link, frames=960, every_s=EVERY_S) as made:
        figures = {"backlog": drains_while_live(made)}
        assert np.quantile(made.ages_s, 0.9) <= 1.5 * AGE_S
        ages_s = np.quantile(made.ages_s, [0, 0.5, 0.95, 1]).round(2).tolist()
        figures |= {fault: fails(made, fault, 30) for fault in FAULTS}
        sys.stdout.write(f"seconds until all was under receipt: {figures}; ages: {ages_s}\n")
        said, came = late_frames(made)
        assert said == came
        check(made)


@pytest.mark.long
@pytest.mark.timeout(1_800)
def test_every_frame_of_a_day_waits(tmp_path: Path) -> None:
    """Ten seconds in each, none left out, as a site has them that was cut off for a day."""
    opened = link_here()
    with opened() as link, apart(tmp_path, link, frames=DAY_FRAMES, every_s=TICKS) as made:
        made.wait_s = 1_500
        took_s = drains_while_live(made)
        ages_s = np.quantile(made.ages_s, [0, 0.5, 0.95, 1]).round(2).tolist()
        sys.stdout.write(f"seconds until all was under receipt: {took_s}; ages: {ages_s}\n")
        said, sure = late_frames(made)
        assert sure <= said, "and some that became so while they waited for those before"
        check(made)
