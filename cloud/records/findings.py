"""What a plant's documents of samples show, with the PDFs that are attached to them; JSON-ready.

PDFs are read one at a time, each once: a file never changes. Any thread.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cloud.records.pdf.apart import read_apart
from evidence.documents.observed.observe import may_be_measured, observe
from evidence.documents.observed.paper import Paper
from evidence.documents.observed.pdfs import observe_pdfs, pdfs_of
from evidence.documents.observed.stories import RESULT, Stories, stories_of
from evidence.documents.standing import Standing

#: PDFs of one answer, the newest; what was read and is remembered
PDFS_MAX, KEPT_MAX = 200, 1_000
#: seconds after which no other PDF is begun; the next time those are read
READ_S = 60.0
#: seconds to wait for PDFs that are read for somebody else; then only what was read before is told
TURN_S = 2.0

#: SHA-256 of an attached file -> its bytes
Files = Callable[[bytes], bytes]


class PdfShelf:
    """PDFs that were read, the newest of them."""

    def __init__(self, read: Callable[[bytes], Paper] = read_apart) -> None:
        """With what reads one."""
        self._read, self._turn = read, threading.Lock()
        self._kept: OrderedDict[bytes, Paper] = OrderedDict()

    def papers(
        self, wanted: Iterable[bytes], files: Files, read_s: float = READ_S
    ) -> dict[bytes, Paper]:
        """What was read of files, by their SHA-256, and now of others while there is time.

        Args:
            wanted: SHA-256 of the files, the most wanted first.
            files: their bytes.
            read_s: seconds after which no other is begun; one takes 30 at most.
        """
        names, begun_s = list(wanted), time.monotonic()
        if self._turn.acquire(timeout=TURN_S):
            try:
                for sha256 in names:
                    if sha256 not in self._kept and time.monotonic() - begun_s < read_s:
                        self._kept[sha256] = self._read(files(sha256))
                found = self._known(names)
                while len(self._kept) > KEPT_MAX:
                    self._kept.popitem(last=False)
            finally:
                self._turn.release()
            return found
        return self._known(names)

    def _known(self, names: Iterable[bytes]) -> dict[bytes, Paper]:
        """What was read already."""
        return {sha256: paper for sha256 in names if (paper := self._kept.get(sha256)) is not None}


def findings(
    standing: Standing,
    others: Iterable[Stories],
    shelf: PdfShelf,
    files: Files,
    month: str = "",
    *,
    read_s: float = READ_S,
) -> Mapping[str, Any]:
    """What a plant's documents of samples show.

    Args:
        standing: the plant's documents.
        others: stories of the other plants here.
        shelf: what was read of PDFs.
        files: the plant's attached files.
        month: "YYYY-MM" of the samples that are told of; "" for all.
        read_s: as for `PdfShelf.papers`.

    Returns:
        `findings`, each with `code`, `sample`, `months`, `documents`, `sentence`, `causes`;
        `samples`, each with its source, period and steps as the log first had them; `results`,
        each with why it may not count as measured; `pdfs_not_read`, how many.
    """
    pdfs = pdfs_of(standing)
    papers = shelf.papers([one.sha256 for one in pdfs[: -PDFS_MAX - 1 : -1]], files, read_s)
    found = [*observe(standing, others), *observe_pdfs(standing, papers)]
    return {
        "month": month,
        "findings": [one.plain() for one in found if month in ("", *one.months)],
        "samples": list(_samples(standing, month)),
        "results": list(_results(standing, month)),
        "pdfs_read": len(papers),
        "pdfs_not_read": len(pdfs) - len(papers),
    }


def _samples(standing: Standing, month: str) -> Iterable[Mapping[str, Any]]:
    for story in stories_of(standing).values():
        if month not in ("", *story.months):
            continue
        from_ns, to_ns = story.period or (None, None)
        yield {
            "sample": story.sample,
            "source": story.source,
            "from_ns": from_ns,
            "to_ns": to_ns,
            "steps": [
                {
                    "kind": step.kind,
                    "typed_ns": step.typed_ns,
                    "day": str(step.document.body.get("report_day", "")),
                    "logged_ns": step.log_ns,
                    "person": step.document.person,
                    "document": step.sha256.hex(),
                }
                for step in story.steps
            ],
        }


def _results(standing: Standing, month: str) -> Iterable[Mapping[str, Any]]:
    for story in stories_of(standing).values():
        for step in story.of(RESULT):
            if month not in ("", *story.months):
                continue
            period = story.period or (0, 1)
            why = may_be_measured(standing, step.sha256, period)
            yield {
                "sample": story.sample,
                "document": step.sha256.hex(),
                "may_be_measured": not why,
                "why_not": list(why),
            }
