"""A verification package: one file with a year's statement and all that checks it. File I/O.

A bag (BagIt) in the container that archives have: the same archives and options, the same bytes.
With a key its tag manifest is sealed as an archive's is.
"""

import json
import tempfile
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path

from cloud.closing.kept import file_sha256
from cloud.outputs.book import book_of
from cloud.outputs.errors import OutputError
from cloud.outputs.layout import Layout, sector_layout
from cloud.outputs.materials import materials_of
from cloud.outputs.sheets import headline_of
from cloud.outputs.words import LANGUAGES, word
from cloud.outputs.xlsx_write import sheets_bytes, workbook_bytes
from cloud.year.sealed_year import SealedYear
from cloud.year.tables import footprint_rows, material_rows, statement_rows
from edge.calc.statements.footprint import footprint
from evidence.archive.bag import CHUNK, BagWriter, seal
from evidence.keys import Signer
from evidence.version import VERSION

TRUST_BYTES_MAX = 1 << 20


def write_package(
    year: SealedYear,
    target: Path,
    *,
    layout: Layout | None = None,
    trust: bytes = b"",
    signer: Signer | None = None,
    with_archives: bool = False,
) -> str:
    """Write the package; its SHA-256 in hex.

    Args:
        year: what it is of.
        target: the file; whole or not at all.
        layout: of the workbook; None for that of the sector.
        trust: PEM of root certificates to put in.
        signer: who seals it.
        with_archives: pack the archives themselves, not only their hashes.

    Raises:
        OutputError: it cannot be written, or an archive changed meanwhile.
    """
    part = target.with_name(f".{target.name}.part")
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".package-") as staging:
            bag = BagWriter(Path(staging))
            for path, data in _contents(year, layout, trust).items():
                bag.add(f"data/{path}", [data])
            if with_archives:
                _add_archives(bag, year)
            with part.open("wb") as file:
                bag.pack(
                    file,
                    f"{year.name}-package",
                    _info(year),
                    lambda sha256: _sealed(sha256, signer),
                )
        part.replace(target)
        return file_sha256(target)
    except OSError as error:
        raise OutputError(f"{target}: cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)


def _contents(year: SealedYear, layout: Layout | None, trust: bytes) -> dict[str, bytes]:
    told = {**year.as_map(), "footprint": footprint(year.outputs)}
    sheets = [
        ("年度 Year", statement_rows(year)),
        ("工序 Footprint", footprint_rows(year, told["footprint"])),
        ("材料 Materials", material_rows([(m, materials_of(m)) for m in year.months])),
    ]
    book = book_of(year.months, layout or sector_layout(year.newest.rules.sector))
    sums = "".join(f"{m.sha256}  {year.files[m.month].name}\n" for m in year.months)
    files = {f"README.{language}.md": _readme(year, language) for language in LANGUAGES}
    files["year.json"] = (json.dumps(told, ensure_ascii=False, indent=1) + "\n").encode()
    files |= {"year.xlsx": sheets_bytes(sheets), "workbook.xlsx": workbook_bytes(book)}
    files["archives.sha256"] = sums.encode()
    return files | ({"trust.pem": trust} if trust else {})


def _readme(year: SealedYear, language: str) -> bytes:
    text = resources.files("cloud.year").joinpath(f"readme.{language}.md").read_text("utf-8")
    names = [year.files[month.month].name for month in year.months]
    lacking = year.statement["months_lacking"]
    warned = [word("band.simulated", language)] if year.simulated else []
    warned += [word("year.lacking", language, months=" ".join(lacking))] if lacking else []
    warned += [
        word("year.interim", language, month=month.month)
        for month in year.months
        if month.closing == "interim"
    ]
    warned += [headline_of(month) for month in year.months if month.state.beside_total("en")]
    return text.format(
        plant=year.newest.plant["name"],
        year=year.statement["year"],
        version=VERSION,
        count=len(year.months),
        months=" ".join(month.month for month in year.months),
        warnings="".join(f"\n**{text}**\n" for text in warned),
        verify="\n".join(f"stackproof verify {name} --trust trust.pem" for name in names),
        files=" ".join(names),
    ).encode()


def _add_archives(bag: BagWriter, year: SealedYear) -> None:
    for month in year.months:
        path = year.files[month.month]
        if bag.add(f"data/archives/{path.name}", _chunks(path)) != month.sha256:
            raise OutputError(f"{path}: was changed while it was packed")


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def _info(year: SealedYear) -> dict[str, str]:
    return {
        "Source-Organization": str(year.newest.plant["id"]),
        "External-Identifier": f"{year.name}-package",
        "External-Description": f"verification package of {year.statement['year']}",
        "Bag-Software-Agent": f"stackproof {VERSION}",
    }


def _sealed(sha256: bytes, signer: Signer | None) -> Mapping[str, bytes]:
    return {} if signer is None else {"seal/seal.cose": seal(sha256, signer)}
