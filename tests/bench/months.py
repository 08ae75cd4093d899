"""A whole month at the collector: counting it for the checklist, closing and sealing it, its page.

    ./run bench months [--days N] [--json]

The readings are those of `stackproof sim month`: 500 points a second. Its signed objects are laid
into a collector's evidence, as an import would, under certificates made here; the month that is
closed must have the figures that the simulator sealed. (It does not verify: its frames name the log
of the simulator.) Counting and closing are a process each: CPU, wall clock and the most memory held
are what the operating system says.
"""

import argparse
import asyncio
import datetime as dt
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID

from cloud.accounts.roles import VISITOR
from cloud.api import month_texts
from cloud.api.month_view import MonthView
from cloud.api.rendering import render
from cloud.closing.kept import read_kept
from cloud.closing.months import Months
from cloud.collector.desk import PlantKeys
from cloud.database.objects import Appended
from cloud.database.reader import PlantReader
from cloud.month.book import MonthBook
from cloud.month.expected import Expected
from cloud.month.facts import Facts
from cloud.month.reader import FactsReader
from evidence import cose
from evidence.archive import paths, ustar
from evidence.frame import (
    TYP_CLOSE,
    TYP_CONFIG,
    TYP_COSIGNATURE,
    TYP_FRAME,
    TYP_ROTATE,
    decode_body,
    header_of,
)
from evidence.keys import (
    Certificate,
    FileSigner,
    certificate_from_pem,
    certificate_to_der,
    certificate_to_pem,
    issue,
    key_sha256,
    public_key,
)
from evidence.log import Entry, Kind
from evidence.receipt import CloseRequest
from evidence.records import read_records
from tests.bench.evidence_month import DAYS, MONTH, Shape, run, sim_month
from tests.unit.cloud.evidence_examples import ManualClock
from tests.unit.cloud.kept import evidence_in, kept_in
from tests.unit.cloud.month.month_facts import NoCollector
from tests.unit.evidence.log_entries import sha256

KINDS = {
    TYP_FRAME: Kind.FRAME, TYP_CONFIG: Kind.CONFIG, TYP_COSIGNATURE: Kind.COSIGNATURE,
    TYP_CLOSE: Kind.PLANT_CLOSE, TYP_ROTATE: Kind.ROTATE,
}  # fmt: skip
ROOT, COLLECTOR = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2))
SINCE, VALID_DAYS = dt.datetime(2026, 1, 1, tzinfo=dt.UTC), 700
COMMIT, PAGES = 512, 9
AFTER_NS = int(dt.datetime(2026, 12, 2, tzinfo=dt.UTC).timestamp()) * 10**9


class Desk:
    """One plant's evidence on disk; its gateway is away."""

    def __init__(self, root: Path, plant: str) -> None:
        self.plant, self.signer = plant, FileSigner(COLLECTOR)
        self._slice = evidence_in(root)
        self.store = self._slice.open_plant(plant, self.signer, [self.signer.public_key])

    @property
    def reader(self) -> PlantReader:
        return self.store.reader

    def commit(self) -> None:
        self._slice.commit()

    def shut(self) -> None:
        self._slice.close()

    def plants(self) -> Sequence[str]:
        return [self.plant]

    def evidence(self, plant: str) -> PlantReader:
        if plant != self.plant:
            raise LookupError(plant)
        return self.reader

    def keys(self, plant: str) -> PlantKeys:
        files = self.evidence(plant).key_files()
        return PlantKeys(files["root.crt"], files["collector.crt"], {})

    def receipt(self, plant: str, stream: str) -> bytes | None:
        return None

    async def look_for_keys(self, plant: str) -> Sequence[str]:
        return ()

    async def append_entry(
        self, plant: str, entry: Entry, documents: int | None = None
    ) -> Appended:
        index = self.store.stage(entry)
        self.commit()
        committed = self.evidence(plant).committed
        return Appended(index, committed.checkpoint, committed.state.tree.root())

    async def request_close(self, plant: str, stream: str, request: CloseRequest) -> None:
        """The gateway is away."""

    async def plant_close(self, *_: Any) -> bytes | None:
        return None


def lay(archive: Path, evidence: Path) -> str:
    """A month's signed objects into a collector's evidence; the plant's id."""
    with archive.open("rb") as file:
        members = {m.name.partition("/")[2]: m for m in ustar.members(file)}

        def read(name: str) -> bytes:
            file.seek(members[name].offset)
            return file.read(members[name].size)

        (gateway,) = [n for n in members if paths.GATEWAY_CERTIFICATE.fullmatch(n)]
        certificate = certificate_from_pem(read(gateway))
        segments = sorted(name for name in members if paths.FRAMES.fullmatch(name))
        plant = header_of(cose.parse(next(read_records(read(segments[0]))))).plant
        desk = Desk(evidence, plant)
        _enrol(desk, certificate)
        by = key_sha256(public_key(certificate))
        for number, data in enumerate(d for name in segments for d in read_records(read(name))):
            _stage(desk, by, data)
            if number % COMMIT == 0:
                desk.commit()
        desk.commit()
        desk.shut()
    return plant


def _enrol(desk: Desk, gateway: Certificate) -> None:
    """Certificates of a root made here: for itself, the collector, and the gateway's own key."""
    root = issue(
        "root", desk.plant, desk.plant, ROOT.public_key(), issuer=ROOT, not_before=SINCE,
        days=VALID_DAYS,
    )  # fmt: skip
    stream = str(gateway.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)
    rows = [("root", desk.plant, "", root)]
    for role, name, of, key in (
        ("collector", "collector", "", COLLECTOR.public_key()),
        ("gateway", stream, stream, public_key(gateway)),
    ):
        made = issue(
            role, desk.plant, name, key, issuer=(ROOT, root), not_before=SINCE, days=VALID_DAYS
        )
        rows.append((role, name, of, made))
    for role, name, of, certificate in rows:
        der, key_hash = certificate_to_der(certificate), key_sha256(public_key(certificate))
        detail = {"role": role, "name": name, "certificate_sha256": sha256(der)}
        file_name = f"gateway-{key_hash.hex()}.crt" if of else f"{role}.crt"
        desk.store.stage_key_file(file_name, certificate_to_pem(certificate))
        desk.store.stage(Entry(Kind.ENROL, 1, 0, of, None, key_hash, len(der), detail=detail))
    desk.commit()


def _stage(desk: Desk, by: bytes, data: bytes) -> None:
    """As the collector stages an object that the key `by` has signed; a month here has no gaps."""
    envelope = cose.parse(data)
    header, t0_ns, newest_ns = header_of(envelope), 0, 0
    if header.typ == TYP_FRAME:
        body = decode_body(envelope.payload)
        t0_ns = body.t0_ns
        newest_ns = max((section.last_ns for section in body.sections), default=0)
    entry = Entry(
        KINDS[header.typ], header.iat_s * 10**9, 0, header.stream, header.seq, sha256(data),
        len(data), by,
    )  # fmt: skip
    desk.store.stage_object(entry, data, t0_ns=t0_ns, newest_ns=newest_ns)


# -- what is measured, each in a process of its own ------------------------------------------------


def count(evidence: Path, plant: str, folder: Path) -> dict[str, Any]:
    """The checklist's facts of all that is there."""
    desk, facts = Desk(evidence, plant), Facts(kept_in(folder))
    reader, began_s = FactsReader(facts), time.monotonic()
    told, (stream,) = Told("counted"), desk.reader.streams()
    while not reader.follow(desk.reader, 200):
        told.percent(100 * facts.position(plant, stream).next_seq // desk.reader.size)
    return {"count_s": time.monotonic() - began_s, "objects": desk.reader.size}


def close(evidence: Path, plant: str, folder: Path) -> dict[str, Any]:
    """Fold, log, pack and seal."""
    desk = Desk(evidence, plant)
    months, began_s = Months(desk, folder / "archives", ManualClock(AFTER_NS)), time.monotonic()
    steps, told = set[Any](), {phase: Told(phase) for phase in ("begin", "fold", "pack")}

    async def closing() -> Any:
        task = asyncio.create_task(months.close(plant, MONTH, closing="final"))
        while not task.done():
            await asyncio.wait([task], timeout=0.2)
            if (row := months.progress.row(plant, MONTH)) is not None:
                steps.add((row["phase"], row["percent"]))
                told[row["phase"]].percent(row["percent"])
        return task.result()

    facts = asyncio.run(closing())
    return {"close_s": time.monotonic() - began_s, "archive": facts["archive"], "told": len(steps)}


class Told:
    """Says every ten percent how far something is."""

    def __init__(self, what: str) -> None:
        self._what, self._next = what, 10

    def percent(self, done: int) -> None:
        """So far."""
        if done >= self._next:
            print(f"{self._what}: {done} %", file=sys.stderr, flush=True)
            self._next = done // 10 * 10 + 10


class NoPlans:
    """Nobody said what is due besides the meters."""

    def expected(self, plant: str, month: str) -> Sequence[Expected] | None:
        """None."""
        return None


def pages(plant: str, folder: Path) -> dict[str, Any]:
    """The month's page from the facts that were counted: median of nine, milliseconds."""
    book = MonthBook(Facts(kept_in(folder)), NoCollector([plant]), NoPlans(), folder / "archives")
    taken = []
    for _ in range(PAGES):
        began_s = time.monotonic()
        row = book.month(plant, MONTH, AFTER_NS)
        assert row is not None
        row = {**row, "progress": None, "refused": "", "counting": ""}
        page = render(
            "month.html", "zh", path="/", who=VISITOR, row=row, view=MonthView(row, "zh"),
            done=False, error="", may_close=False, has_records=False, told=month_texts.told,
            most=200,
        )  # fmt: skip
        taken.append((time.monotonic() - began_s) * 1000)
    return {"page_ms": sorted(taken)[PAGES // 2], "page_bytes": len(page.body)}


PARTS = {"count": count, "close": close}


def measure(days: int) -> dict[str, Any]:
    """Everything, of so many days of November 2026."""
    shape = Shape(days)
    with tempfile.TemporaryDirectory(prefix="stackproof-bench-") as name:
        folder, began_s = Path(name), time.monotonic()
        made = json.loads(run(sim_month(folder / "made", shape), is_loud=True)[0])
        sealed = Path(made["archive"])
        print(f"sealed in {time.monotonic() - began_s:.0f} s", file=sys.stderr, flush=True)
        plant, wanted = lay(sealed, folder / "evidence"), _output(sealed)
        sealed.unlink()
        found: dict[str, Any] = {"readings": shape.readings, "made_s": time.monotonic() - began_s}
        print(f"laid in; {found['made_s']:.0f} s so far", file=sys.stderr, flush=True)
        for part in PARTS:
            command = [sys.executable, "-m", __spec__.name, "--part", part, str(folder), plant]
            out, usage = run(command, is_loud=True)
            cpu_s = usage.ru_utime + usage.ru_stime
            peak = {f"{part}_cpu_s": cpu_s, f"{part}_peak_mb": usage.ru_maxrss * 1024 / 1e6}
            found |= json.loads(out) | peak
            print(f"{part}: {json.loads(out)} {peak}", file=sys.stderr, flush=True)
        found |= pages(plant, folder)
        archive = Path(found.pop("archive"))
        found["archive_mb"] = archive.stat().st_size / 1e6
        if _output(archive) != wanted:
            raise RuntimeError(f"{archive} has other figures than the simulator sealed")
        return found


def _output(archive: Path) -> Any:
    """The totals of a sealed month."""
    kept = read_kept(archive)
    assert kept is not None
    return kept.statement["output"]["totals"]


def main(argv: list[str]) -> int:
    """Measure and print; 0 unless something fails."""
    parser = argparse.ArgumentParser(prog="./run bench months")
    parser.add_argument("--days", type=int, default=DAYS, help="how much of it (%(default)s)")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--part", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.part:
        part, folder, plant = args.part
        print(json.dumps(PARTS[part](Path(folder) / "evidence", plant, Path(folder))))
        return 0
    found = measure(args.days)
    print(json.dumps(found) if args.json else _text(found))
    return 0


def _text(of: dict[str, Any]) -> str:
    return (
        f"{of['readings'] / 1e6:,.1f} M readings (made and laid in {of['made_s']:.0f} s)\n"
        f"counted for the checklist: {of['count_s']:.1f} s, peak {of['count_peak_mb']:.0f} MB\n"
        f"closed and sealed: {of['close_s']:.1f} s ({of['close_cpu_s']:.1f} s of CPU), peak "
        f"{of['close_peak_mb']:.0f} MB, {of['told']} steps of progress told; "
        f"{of['archive_mb']:,.0f} MB\n"
        f"the month's page: {of['page_ms']:.1f} ms, {of['page_bytes']:,} bytes"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
