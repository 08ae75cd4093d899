"""A month sealed again after the collector's certificate was renewed, for a late signature."""

import datetime as dt
from pathlib import Path

import pytest

from cloud.collector.desk import PlantKeys
from evidence.findings import Verdict
from evidence.keys import certificate_to_pem, issue
from tests.unit.cloud.month_examples import AFTER_NS, ARCHIVE, ROOT_KEY, Desk, judged, months
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.small_plant import MONTH, signer

DAY_NS = 86_400 * sm.SECOND


@pytest.mark.parametrize(("seed", "told"), [(None, False), (44, True)], ids=["same key", "new key"])
async def test_a_renewed_collector_seals_again_what_it_closed(
    tmp_path: Path, seed: int | None, told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(tmp_path / "evidence").deliver()
    desk.away = True
    folder = tmp_path / "archives"
    folder.mkdir()
    await months(desk, folder).close(sm.PLANT, MONTH, closing="final")
    assert judged(folder / ARCHIVE).verdict is Verdict.PASSED
    who = sm.keys()
    key = who.collector if seed is None else signer(seed)
    since = dt.datetime.fromtimestamp(AFTER_NS // sm.SECOND, dt.UTC) + dt.timedelta(days=10)
    made = issue(
        "collector", sm.PLANT, "collector", key.public_key, not_before=since, days=365,
        issuer=(ROOT_KEY, who.certificates["root"]),
    )  # fmt: skip
    desk.enrol("collector", made, "collector-new.crt")
    own = PlantKeys(desk.reader.key_files()["root.crt"], certificate_to_pem(made), {})
    monkeypatch.setattr(Desk, "keys", lambda *_: own)
    monkeypatch.setattr(Desk, "signer", key)
    desk.sign_close()
    await months(desk, folder, AFTER_NS + 12 * DAY_NS).seal(sm.PLANT, MONTH)
    report = judged(folder / ARCHIVE)
    assert report.verdict is Verdict.PASSED, report.findings
    assert ("N-KEY" in sm.codes(report)) == told
    assert "W-NO-PLANT-SIGNATURE" not in sm.codes(report)
    desk.shut()
