"""QR codes on a scan of stamped sheets, page by page. Has a process started that reads it."""

from collections.abc import Sequence

from cloud.outputs.errors import OutputError
from cloud.records.pdf.apart import Limits, read_apart

#: a month has 32 sheets of one parameter; several may come in one file
LIMITS = Limits(pages=200, seconds=180)
_WHY = {
    "password": "it needs a password",
    "time": f"it was not read within {LIMITS.seconds} s",
    "memory": "it is too large",
    "missing": "its reader is not installed: pip install 'stackproof[cloud]'",
}


def codes_on(scan: bytes) -> Sequence[Sequence[str]]:
    """What the QR codes of each page say.

    Args:
        scan: a PDF, JPEG or PNG.

    Raises:
        OutputError: it is none, has too many pages, or its reader died.
    """
    paper = read_apart(scan, LIMITS)
    if paper.unread:
        why = _WHY.get(paper.unread, "it is no PDF, JPEG or PNG, or a broken one")
        raise OutputError(f"the scan cannot be read: {why}")
    if paper.pages > paper.pages_read:
        raise OutputError(f"the scan has {paper.pages} pages; at most {LIMITS.pages} are read")
    return paper.codes
