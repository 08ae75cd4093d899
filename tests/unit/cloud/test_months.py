"""Closing a month: refused with a reason, or an archive that the verifier passes.

The desk is plain lists in memory; its keys, frames and configuration are the evidence room's small
plant. What comes out is judged by the verifier, not by this code.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from cloud.api.services import MonthRefusedError
from cloud.collector.desk import PlantKeys
from cloud.months import Months
from cloud.store.objects import Appended, StoredObject
from evidence import checkpoint, cose, merkle
from evidence.blocks import compress
from evidence.cbor import encode
from evidence.chain import Head
from evidence.findings import Report, Verdict
from evidence.frame import TYP_CLOSE, TYP_CONFIG, TYP_FRAME, Gap, encode_body, header_of
from evidence.keys import certificate_to_pem, key_sha256
from evidence.log import Entry, Kind, encode_entry
from evidence.receipt import CloseRequest, encode_close
from evidence.verifier.run import verify
from tests.unit.cloud.evidence_examples import ManualClock
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.small_plant import MONTH

AFTER_NS = sm.START_NS + 40 * 86_400 * sm.SECOND


@dataclass
class Desk:
    """One plant's evidence in memory; its gateway answers a close unless it is away."""

    away: bool = False
    chain: sm.Chain = field(default_factory=lambda: sm.Chain(sm.keys().gateway))
    kinds: list[tuple[Kind, int]] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    log: list[bytes] = field(default_factory=list)
    asked: list[CloseRequest] = field(default_factory=list)
    kept: dict[str, bytes] = field(default_factory=dict)
    plant: str = sm.PLANT

    def take(self, kind: Kind, data: bytes, at_ns: int) -> None:
        """Log an object the chain has just signed."""
        seq = len(self.chain.objects) - 1
        self.kinds.append((kind, at_ns))
        self.places.append(len(self.log))
        key = key_sha256(sm.keys().gateway.public_key)
        self.log.append(sm.entry(kind, data, len(self.log), seq=seq, certificate=key))

    def deliver(self, *, frames: bool = True) -> "Desk":
        """The gateway's enrolment, a configuration and the small plant's frames."""
        self.log.append(sm.enrolment())
        config = sm.configuration()
        self.take(Kind.CONFIG, self.chain.sign(TYP_CONFIG, compress(encode(config))), 0)
        for body in sm.bodies(config) if frames else ():
            self.take(Kind.FRAME, self.chain.sign(TYP_FRAME, encode_body(body)), body.t0_ns)
            if body.gap is not None:
                self.tell_gap(body.gap)
        return self

    def tell_gap(self, gap: Gap) -> None:
        """Log the gap that the chain's newest frame tells of."""
        told = {"from_ns": gap.from_ns, "to_ns": gap.to_ns, "reason": gap.reason}
        key = key_sha256(sm.keys().gateway.public_key)
        of_frame: dict[str, Any] = {"seq": len(self.chain.objects) - 1, "certificate": key}
        data, at = self.chain.objects[-1], len(self.log)
        self.log.append(sm.entry(Kind.GAP, data, at, detail=told, **of_frame))

    # -- PlantEvidence ----------------------------------------------------------------------------

    @property
    def size(self) -> int:
        return len(self.log)

    def streams(self) -> Sequence[str]:
        return [sm.STREAM] if self.chain.objects else []

    def head(self, stream: str) -> Head:
        return Head(len(self.chain.objects), sm.sha256(self.chain.objects[-1]))

    def configs(self, stream: str) -> Mapping[bytes, int]:
        found = {}
        for seq, data in enumerate(self.chain.objects):
            if header_of(cose.parse(data)).typ == TYP_CONFIG:
                found[sm.sha256(data)] = seq
        return found

    def span(self, stream: str, from_ns: int, to_ns: int) -> tuple[int, int]:
        at = [o.at_ns for o in self.objects(stream)]
        first_frame = next((ns for ns in at if ns), 0)
        inside = [i for i, ns in enumerate(at) if from_ns <= (ns or first_frame) < to_ns]
        return (inside[0], inside[-1] + 1) if inside and first_frame else (0, 0)

    def objects(
        self, stream: str, first: int = 0, stop: int | None = None
    ) -> Iterator[StoredObject]:
        at = 0
        for seq, (data, (kind, ns)) in enumerate(zip(self.chain.objects, self.kinds, strict=True)):
            at = max(at, ns)
            if first <= seq and (stop is None or seq < stop):
                yield StoredObject(seq, kind, at, at, self.places[seq], sm.sha256(data), data)

    def entries(self, first: int = 0, stop: int | None = None) -> Iterator[tuple[int, bytes]]:
        yield from list(enumerate(self.log))[first:stop]

    def key_files(self) -> Mapping[str, bytes]:
        gateway = certificate_to_pem(sm.keys().certificates["gateway"])
        return {"gateway-edge.crt": gateway, **self.kept}

    def compact_range(self, size: int) -> merkle.CompactRange:
        return sm.tree_of(self.log[:size])

    # -- EvidenceDesk -----------------------------------------------------------------------------

    @property
    def signer(self) -> Any:
        return sm.keys().collector

    def evidence(self, plant: str) -> "Desk":
        if plant != sm.PLANT:
            raise LookupError(plant)
        return self

    def keys(self, plant: str) -> PlantKeys:
        keys = sm.keys()
        gateway = (sm.STREAM, key_sha256(keys.gateway.public_key))
        pem = {role: certificate_to_pem(c) for role, c in keys.certificates.items()}
        return PlantKeys(pem["root"], pem["collector"], {gateway: pem["gateway"]})

    def receipt(self, plant: str, stream: str) -> bytes | None:
        return None

    async def append_entry(self, plant: str, entry: Entry) -> Appended:
        at = sm.START_NS + len(self.log) * 10 * sm.SECOND  # the collector's own time of receipt
        self.log.append(encode_entry(replace(entry, received_ns=at)))
        tree = sm.tree_of(self.log)
        note = checkpoint.Checkpoint(plant, len(self.log), tree.root())
        text = checkpoint.sign(note, self.signer, self.signer.public_key)
        return Appended(len(self.log) - 1, text, tree.root())

    async def request_close(self, plant: str, stream: str, request: CloseRequest) -> None:
        self.asked.append(request)

    async def plant_close(
        self, plant: str, stream: str, statement_sha256: bytes, timeout_s: float
    ) -> bytes | None:
        if self.away:
            return None
        data = self.chain.sign(TYP_CLOSE, encode_close(self.asked[-1]))
        self.take(Kind.PLANT_CLOSE, data, 0)
        return data


def months(desk: Desk, folder: Path, now_ns: int = AFTER_NS) -> Months:
    return Months(desk, folder, ManualClock(now_ns))  # type: ignore[arg-type]  # plain lists


def files(folder: Path) -> dict[str, int]:
    """Name -> bytes of everything in the archive folder."""
    return {path.name: path.stat().st_size for path in folder.iterdir()}


def judged(folder: Path) -> Report:
    with (folder / f"{sm.PLANT}-{MONTH}.tar").open("rb") as file:
        return verify(file, trust=frozenset({key_sha256(sm.keys().root.public_key)}))


@pytest.mark.parametrize("closing", ["interim", "final"])
async def test_a_closed_month_verifies(closing: str, tmp_path: Path) -> None:
    desk = Desk().deliver()
    facts = await months(desk, tmp_path).close(sm.PLANT, MONTH, closing=closing)
    report = judged(tmp_path)
    assert report.verdict is Verdict.PASSED, report.findings
    codes = {finding.code for finding in report.findings}
    assert ("N-INTERIM" in codes) == (closing == "interim")
    assert "W-NO-PLANT-SIGNATURE" not in codes
    assert facts["signed_by"] == [sm.STREAM]
    (row,) = months(desk, tmp_path).list(sm.PLANT)
    assert files(tmp_path) == {f"{sm.PLANT}-{MONTH}.tar": row["bytes"]}
    assert (row["month"], row["archive"]) == (MONTH, facts["archive"])


async def test_a_gateway_that_is_away_does_not_hold_the_month_up(tmp_path: Path) -> None:
    desk = Desk(away=True).deliver()
    facts = await months(desk, tmp_path).close(sm.PLANT, MONTH, closing="interim")
    assert facts["signed_by"] == []
    report = judged(tmp_path)
    assert report.verdict is Verdict.PASSED
    assert "W-NO-PLANT-SIGNATURE" in {finding.code for finding in report.findings}


async def test_an_interim_close_may_be_repeated(tmp_path: Path) -> None:
    desk = Desk().deliver()
    for _ in range(2):
        await months(desk, tmp_path).close(sm.PLANT, MONTH, closing="interim")
        assert judged(tmp_path).verdict is Verdict.PASSED
    assert [request.seq for request in desk.asked] == [5, 6]  # the second holds the first's close


@pytest.mark.parametrize(
    ("desk", "asked", "reason"),
    [
        (Desk().deliver(), ("other", MONTH, "interim"), "no plant of this collector"),
        (Desk().deliver(), (sm.PLANT, "2026-13", "interim"), "not a month"),
        (Desk().deliver(), (sm.PLANT, MONTH, "weekly"), "not a month"),
        (Desk().deliver(), (sm.PLANT, "1999-01", "interim"), "no readings in 1999-01"),
        (Desk().deliver(frames=False), (sm.PLANT, MONTH, "interim"), "no readings"),
        (Desk(), (sm.PLANT, MONTH, "interim"), "0 gateways"),
    ],
)
async def test_what_cannot_be_closed_says_why(
    desk: Desk, asked: tuple[str, str, str], reason: str, tmp_path: Path
) -> None:
    plant, month, closing = asked
    before = list(desk.log)
    with pytest.raises(MonthRefusedError, match=reason):
        await months(desk, tmp_path).close(plant, month, closing=closing)
    assert desk.log == before
    assert files(tmp_path) == {}


async def test_an_archive_folder_that_is_a_file_is_refused_before_the_close_is_logged(
    tmp_path: Path,
) -> None:
    desk = Desk().deliver()
    before = list(desk.log)
    (tmp_path / "taken").write_text("")
    with pytest.raises(MonthRefusedError, match=r"taken cannot take archives \(File exists\)"):
        await months(desk, tmp_path / "taken").close(sm.PLANT, MONTH, closing="interim")
    assert desk.log == before


async def test_a_month_that_is_not_over_is_only_closed_as_interim(tmp_path: Path) -> None:
    desk = Desk().deliver()
    now = months(desk, tmp_path, now_ns=sm.START_NS + 60 * sm.SECOND)
    with pytest.raises(
        MonthRefusedError, match=r"is not over in Asia/Shanghai; close it as interim"
    ):
        await now.close(sm.PLANT, MONTH, closing="final")
    await now.close(sm.PLANT, MONTH, closing="interim")
    assert judged(tmp_path).verdict is Verdict.PASSED
