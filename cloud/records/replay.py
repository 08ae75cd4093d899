"""A plant's documents made again from its log, as every start and every month does. Reads disk."""

from collections.abc import Sequence

from cloud.collector.desk import PlantEvidence
from cloud.errors import StoreError
from cloud.records.papers import Papers
from evidence.errors import EvidenceError
from evidence.log import decode_entry
from evidence.suites import PublicKey


def papers_of(
    evidence: PlantEvidence, collectors: Sequence[PublicKey], stop: int | None = None,
    root: bytes = b"",
) -> Papers:  # fmt: skip
    """The documents of the log's entries before `stop` (all when None), each verified again.

    `root` as of `Papers`.

    Raises:
        StoreError: a document is missing or altered, or this program would not have taken it.
    """
    papers = Papers(evidence.plant, collectors, root)
    for sha256, index in evidence.records.items():
        if stop is not None and index >= stop:
            break
        ((_, entry),) = evidence.entries(index, index + 1)
        try:
            papers.replay(index, decode_entry(entry), evidence.document(sha256))
        except EvidenceError as error:
            raise StoreError(
                f"the document of log entry {index}, SHA-256 {sha256.hex()}, cannot be taken "
                f"again: {error}"
            ) from error
    return papers
