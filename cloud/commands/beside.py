"""`stackproof cloud beside`: one month of several plants side by side, of their archives. Prints.

What the page of all plants shows of its own collector's, for archives of any.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloud.errors import CloudError
from cloud.review.across import Compared, Figures, Shared, compared, figures_of, shareable, shared
from cloud.review.limits import limits
from cloud.screening.makers import makers_of
from evidence.drill.archive import ArchiveSource
from evidence.errors import KeyFileError
from evidence.findings import shown
from evidence.screen.texts import LANGUAGES
from evidence.verifier.records import Archived, read_archived

EXIT_FINE = 0


def add_beside_command(commands: Any) -> None:  # noqa: ANN401 - argparse's own type is private
    """Add `beside` to the commands of `stackproof cloud`."""
    parser = commands.add_parser(
        "beside",
        help="one month of several plants' archives: figures far from peers', what they share",
        epilog="Archives' hashes, arithmetic, log and documents are checked; signatures of "
        "readings are stackproof verify's. Never a verdict. Exit status: 0 told, 2 cannot run.",
    )
    parser.add_argument("--lang", choices=LANGUAGES, default="en", help="语言，默认 en")
    parser.add_argument("archives", nargs="+", type=Path, metavar="ARCHIVE.tar")
    parser.set_defaults(run=_beside)


@dataclass(frozen=True)
class _Month:
    """What an archive has of a plant's month."""

    month: str
    figures: Figures
    documents: frozenset[tuple[str, str]]
    people: Sequence[Mapping[str, str]]
    unread: int


def _beside(args: argparse.Namespace) -> int:
    found = dict[str, _Month]()
    for path in args.archives:
        one = _read(path)
        if one.figures.plant in found:
            raise CloudError(f"{path}: another archive of {one.figures.plant} was given")
        found[one.figures.plant] = one
    months = {one.month for one in found.values()}
    if len(months) != 1:
        raise CloudError(f"they are of several months: {', '.join(sorted(months))}")
    rows = compared((one.figures for one in found.values()), limits())
    common = shared(
        {plant: one.documents for plant, one in found.items()},
        {plant: one.people for plant, one in found.items()},
    )
    for line in _lines(rows, common, sum(one.unread for one in found.values()), args.lang):
        print(shown(line))
    return EXIT_FINE


def _read(path: Path) -> _Month:
    try:
        file = path.open("rb")
    except OSError as error:
        raise KeyFileError(f"{path}: cannot be read: {error.strerror}") from error
    with file:
        source = ArchiveSource(file)
        figures = figures_of(source.plant, source.statement())
        archived = read_archived(file)
        makers, unread = makers_of(file)
    people = [
        {"role": one.role, "key": one.key_sha256.hex(), "name": one.name,
         "organisation": one.organisation}
        for one in archived.people.active.values()
    ]  # fmt: skip
    held = shareable(_rows(archived)) | set(makers)
    return _Month(source.month, figures, held, people, unread)


def _rows(archived: Archived) -> Iterator[Mapping[str, Any]]:
    """Documents as the API has them, as far as they may be shared."""
    for one in archived.standing.all():
        document = one.document
        yield {
            "kind": document.kind, "body": document.body,
            "ended_by": archived.standing.ended_by(one.sha256),
            "files": [{"sha256": file.sha256.hex()} for file in document.files],
        }  # fmt: skip


def _lines(rows: list[Compared], common: list[Shared], unread: int, language: str) -> Iterator[str]:
    # imported on use: the table of texts
    from cloud.api.item_words import figure_words
    from cloud.api.month_texts import told
    from cloud.api.rendering import STRINGS

    texts, least = STRINGS[language], limits()
    yield f"{texts['review.outliers']} · {texts['review.screening.no-verdict']}"
    yield told(language, "review.outliers.hint", score=least.score, peers=least.peers_min)
    for row in rows:
        yield (
            f"  {'! ' if row.is_far else ''}{row.plant}: {figure_words(language, row)} = "
            f"{row.value}; {_beside_peers(row, texts)}"
        )
    yield texts["review.shared"] + ("" if common else f": {texts['review.shared.none']}")
    for one in common:
        yield f"  {texts[f'review.shared.{one.what}']}: {one.name} · {', '.join(one.plants)}"
        yield (f"    {texts['review.screening.causes']}: "
               f"{texts[f'review.shared.causes.{one.what}']}")  # fmt: skip
    if unread:
        yield told(language, "review.shared.unread", n=unread)


def _beside_peers(row: Compared, texts: Mapping[str, str]) -> str:
    if row.median is None:
        return texts["review.peers.few"]
    alike = texts["review.peers.alike"] if row.is_far else "–"
    score = alike if row.score is None else row.score
    return f"{texts['review.median']} {row.median}, MAD {row.mad}, {texts['review.score']} {score}"
