"""What a visit says of its comparisons must follow from its own figures. Pure. RECORDS.md "Kinds".

Whether the log says so too is for who has the log: the collector, before it takes one.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from evidence.documents.document import Document
from evidence.errors import MalformedError

AGREES, DIFFERS, NO_READING = "agrees", "differs", "no-reading"
#: what stands beside a face that was compared, and beside no other
COMPARED = ("reading", "allowed", "frame", "frame_sha256")


def check_visit(document: Document) -> None:
    """Hold the meters of a visit, whose fields fit, against themselves and its files.

    Raises:
        MalformedError: a result does not follow from face, reading and what is allowed; a photo is
            none of its files.
    """
    files = {file.sha256 for file in document.files}
    for row in document.body["meters"]:
        if "photo" in row and row["photo"] not in files:
            raise MalformedError(f"the photo of {row['point']} is none of its files")
        if not _follows(row):
            raise MalformedError(f"the result for {row['point']} does not follow from its figures")


def _follows(row: Mapping[str, Any]) -> bool:
    if row.get("result") not in (AGREES, DIFFERS):
        return not any(name in row for name in COMPARED)
    if not all(name in row for name in COMPARED):
        return False
    is_within = abs(Fraction(row["face"]) - Fraction(row["reading"])) <= Fraction(row["allowed"])
    return is_within is (row["result"] == AGREES)
