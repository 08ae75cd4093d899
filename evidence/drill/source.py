"""Where a month's evidence is read from: a running store, or a sealed archive. The one interface.

What is read from it is bounded: whoever asks for objects asks for an hour of them at most.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from evidence.documents.standing import Standing
from evidence.log import Entry


class Source(Protocol):
    """The evidence of one plant in one month.

    Every call raises an EvidenceError (a store its own StoreError) where something is damaged.
    """

    @property
    def plant(self) -> str:
        """Plant id."""

    @property
    def month(self) -> str:
        """Which month, as "2026-10", in the plant's time zone."""

    def streams(self) -> Sequence[str]:
        """Gateway ids that have objects, sorted."""

    def objects(self, stream: str, from_ns: int, to_ns: int) -> Iterator[bytes]:
        """Signed objects of frames with from_ns <= t0 < to_ns, in order; others may be among them.

        Both instants are whole quarter hours of UTC.
        """

    def configurations(self, stream: str) -> Sequence[bytes]:
        """SHA-256 of the stream's configurations, oldest first, and what was in force before."""

    def configuration(self, sha256: bytes) -> bytes:
        """A signed configuration; MalformedError when it is not here."""

    def root(self) -> bytes:
        """PEM of the plant's root certificate."""

    def gateways(self) -> Sequence[bytes]:
        """PEM of the gateways' certificates."""

    def entry(self, stream: str, seq: int) -> tuple[int, Entry] | None:
        """Index and entry of the log that names an object; None when none does."""

    def statement(self) -> Mapping[str, Any] | None:
        """The statement.json of the month's archive; None while there is none."""

    def standing(self) -> Standing:
        """What persons signed."""
