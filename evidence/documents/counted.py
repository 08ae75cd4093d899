"""What stands, as figures are made of it. Pure."""

from collections.abc import Collection

from evidence.documents.people import PERSON, PERSON_END
from evidence.documents.standing import APPROVE, WITHDRAW, Standing
from evidence.recompute import Paper

_NO_FIGURES = (PERSON, PERSON_END, APPROVE, WITHDRAW)


def papers_that_stand(standing: Standing, among: Collection[bytes] | None = None) -> list[Paper]:
    """Every document that stands, and whether somebody else's approval of it stands.

    Args:
        standing: of a plant.
        among: hashes of the documents that an archive holds; None for all.
    """
    return [
        Paper(
            logged.sha256.hex(),
            logged.document.kind,
            logged.document.about,
            logged.document.body,
            is_approved=bool(standing.approvals(logged.sha256)),
        )
        for logged in standing.all()
        if logged.document.kind not in _NO_FIGURES
        and standing.ended_by(logged.sha256) is None
        and (among is None or logged.sha256 in among)
    ]
