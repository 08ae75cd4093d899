"""Who and what made the PDFs of a sealed month, by their own word. Reads the archive given.

Each PDF is read in a process of its own (`cloud.records.pdf.apart`).
"""

import time
from collections.abc import Callable, Iterator
from typing import BinaryIO

from cloud.records.media import PDF, is_of_type
from cloud.records.pdf.apart import read_apart
from evidence.archive import paths, ustar
from evidence.documents.document import FILE_BYTES_MAX
from evidence.documents.observed.paper import Paper

AUTHOR, PRODUCER = "author", "producer"
#: PDFs of a month that are read, and seconds after which no other is begun
PDFS_MAX, READ_S = 200, 300.0

Maker = tuple[str, str]


def makers_of(
    archive: BinaryIO, read: Callable[[bytes], Paper] = read_apart, read_s: float = READ_S
) -> tuple[list[Maker], int]:
    """Authors and programs of the attached PDFs, each once; and how many were not read.

    Args:
        archive: a sealed month that was verified; seekable.
        read: reads one PDF.
        read_s: seconds after which no other is begun.
    """
    found, unread, begun_s = set[Maker](), 0, time.monotonic()
    for number, data in enumerate(_pdfs(archive)):
        if number >= PDFS_MAX or time.monotonic() - begun_s > read_s:
            unread += 1
            continue
        paper = read(data)
        unread += bool(paper.unread)
        found |= {(AUTHOR, paper.author.strip()), (PRODUCER, paper.producer.strip())}
    return sorted(one for one in found if one[1]), unread


def _pdfs(archive: BinaryIO) -> Iterator[bytes]:
    """Attached files that are PDFs, one in memory at a time."""
    archive.seek(0)
    for member in ustar.members(archive):
        path = member.name.partition("/")[2]
        if not path.startswith(paths.RECORD_FILES) or member.size > FILE_BYTES_MAX:
            continue
        archive.seek(member.offset)
        data = archive.read(member.size)
        if is_of_type(data, PDF):
            yield data
