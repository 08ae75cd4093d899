"""Orders of the root and the months whose archives hold them."""

from pathlib import Path

from evidence.archive import paths
from evidence.findings import Verdict
from evidence.keys import key_sha256
from evidence.orders import Revoke
from tests.unit.cloud.month_examples import ARCHIVE, Desk, judged, months
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.small_plant import MONTH


async def test_orders_are_those_that_the_log_knew_when_the_month_was_closed(
    desk: Desk, folder: Path
) -> None:
    desk.deliver()
    key = key_sha256(sm.keys(80).gateway.public_key)
    known = desk.order(Revoke(sm.PLANT, sm.STREAM, key, None, "never used"))
    await months(desk, folder).close(sm.PLANT, MONTH, closing="final")
    before = (folder / ARCHIVE).read_bytes()
    orders = {p for p in sm.unpack((folder / ARCHIVE).read_bytes()) if paths.ORDER.fullmatch(p)}
    assert orders == {f"data/keys/order-{sm.sha256(known).hex()}.cose"}
    assert judged(folder / ARCHIVE).verdict is Verdict.PASSED

    mine = key_sha256(sm.keys().gateway.public_key)
    desk.order(Revoke(sm.PLANT, sm.STREAM, mine, 7, "the device was stolen"))
    for is_lost in (False, True):
        if is_lost:
            (folder / ARCHIVE).unlink()
        await months(desk, folder).seal(sm.PLANT, MONTH)
        assert (folder / ARCHIVE).read_bytes() == before


async def test_an_order_that_waits_in_the_key_folder_is_of_the_month(
    desk: Desk, folder: Path
) -> None:
    """Whoever put it there has told nobody: without it the archive would say that all is well."""
    desk.deliver()
    mine = key_sha256(sm.keys().gateway.public_key)
    desk.offered = [Revoke(sm.PLANT, sm.STREAM, mine, 3, "the device was stolen")]
    desk.not_keys = ["keys/notes.crt: is no certificate"]
    facts = await months(desk, folder).close(sm.PLANT, MONTH, closing="interim")
    assert facts["keys"] == ["keys/notes.crt: is no certificate"]
    report = judged(folder / ARCHIVE)
    assert report.verdict is Verdict.FAILED
    assert "E-KEY-REVOKED" in sm.codes(report)
