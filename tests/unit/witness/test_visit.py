"""A witness visits a log: it cosigns what continues its notes, and nothing else.

The logs are those of tests/attacks: the honest month's, and the same written again.
"""

import base64
import io
from pathlib import Path

import pytest

from evidence import merkle
from evidence.checkpoint import parse
from evidence.cosignature import note_time_s, verify_cosigned
from evidence.documents.document import decode_document
from evidence.errors import KeyFileError
from evidence.findings import Verdict
from evidence.kept import kept_in, notes_in
from evidence.verifier.run import verify
from tests.attacks.by_rewriting import rewritten
from tests.attacks.forging import FOREIGN, TRUST
from tests.unit.evidence import sealed_month as sm
from witness.config import Watched
from witness.errors import ForkError, NotAskedError, WitnessConfigError
from witness.notebook import Notebook, alone, read_notes
from witness.visit import Visited, visit

AT_S = 1_796_284_800  # 2026-12-03T08:00Z
QIN = sm.signer(61)
NAME = f"stackproof/{sm.PLANT}/witness/qin"
FIRST = sm.month().entries
OTHER = tuple(sm.records(sm.unpack(rewritten())["data/log/entries.seg"]))


class Shown:
    """A collector that shows so many entries of a log."""

    def __init__(self, entries: tuple[bytes, ...], size: int, *, is_deaf: bool = False) -> None:
        self.entries, self.size, self.is_deaf = entries, size, is_deaf
        self.sent: list[bytes] = []

    def checkpoint(self, plant: str) -> str:
        return sm.log_note(self.entries[: self.size])

    def consistency(self, plant: str, old: int, new: int) -> list[bytes]:
        leaves = [merkle.leaf_hash(entry) for entry in self.entries[:new]]
        return merkle.consistency_path(leaves, old)

    def log(self, plant: str, document: str) -> int:
        if self.is_deaf:
            raise NotAskedError("it does not answer")
        self.sent.append(base64.b64decode(document))
        return self.size


def watched(*, is_sent: bool = True) -> Watched:
    return Watched(
        "https://collector.example", "t", "qin", (sm.keys().collector.public_key,), (sm.PLANT,),
        is_sent, None,
    )  # fmt: skip


def visited(book: Notebook, asked: Shown, at_s: int = AT_S, *, is_sent: bool = True) -> Visited:
    of = watched(is_sent=is_sent)
    return visit(sm.PLANT, of, asked=asked, notebook=book, signer=QIN, now_s=at_s)


@pytest.fixture
def book(tmp_path: Path) -> Notebook:
    return Notebook(tmp_path, sm.PLANT)


def test_what_continues_is_cosigned_kept_and_sent(book: Notebook) -> None:
    asked = Shown(FIRST, 4)
    assert visited(book, asked) == Visited(sm.PLANT, None, 4, 4)
    asked.size = 9
    assert visited(book, asked, AT_S + 86_400) == Visited(sm.PLANT, 4, 9, 9)
    assert visited(book, asked, AT_S + 2 * 86_400).before == 9  # nothing new: seen again
    notes = list(notes_in(book.notes.read_bytes()))
    assert [note_time_s(note, NAME) for note in notes] == [AT_S + n * 86_400 for n in range(3)]
    collectors = [sm.keys().collector.public_key]
    sizes = [verify_cosigned(n, NAME, QIN.public_key, collectors).checkpoint.size for n in notes]
    assert sizes == [4, 9, 9]
    document = decode_document(asked.sent[1], QIN.public_key)
    assert (document.kind, document.person, document.body) == (
        "log-cosigned", "qin", {"checkpoint": notes[1]},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("size", "then", "said"), [(9, 9, "does not continue"), (7, 9, "does not continue"),
                               (9, 7, "it went back")],
)  # fmt: skip
def test_a_fork_is_not_cosigned_and_both_are_kept(
    book: Notebook, size: int, then: int, said: str
) -> None:
    visited(book, Shown(FIRST, size))
    held = book.notes.read_bytes()
    asked = Shown(OTHER, then)
    for _ in range(2):
        with pytest.raises(ForkError, match=said) as caught:
            visited(book, asked)
        assert str(book.notes) in str(caught.value)
        assert str(book.refused) in str(caught.value)
    assert (book.notes.read_bytes(), asked.sent) == (held, [])
    assert read_notes(book.refused) == [sm.log_note(OTHER[:then])]


def test_what_is_kept_is_what_verify_takes(book: Notebook) -> None:
    for size in (3, 8):
        visited(book, Shown(FIRST, size), is_sent=False)
    kept = kept_in({"n": book.notes.read_bytes()})
    for archive, verdict in ((sm.honest(), Verdict.PASSED), (rewritten(), Verdict.FAILED)):
        assert verify(io.BytesIO(archive), trust=TRUST, kept=kept).verdict is verdict


def test_a_full_file_is_put_away_and_the_next_goes_on(
    book: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("witness.notebook.NOTES_MAX", 3)
    for size in range(1, 8):
        visited(book, Shown(FIRST, size), is_sent=False)
    files = [book.notes.with_suffix(f".{n}.note") for n in (1, 2)] + [book.notes]
    sizes = [[parse(note)[0].size for note in read_notes(file)] for file in files]
    assert sizes == [[1, 2, 3], [3, 4, 5], [5, 6, 7]]
    with pytest.raises(ForkError):
        visited(book, Shown(OTHER, 8))


def test_a_note_is_kept_before_it_is_sent(book: Notebook) -> None:
    with pytest.raises(NotAskedError, match="cosigned and kept, but not logged there"):
        visited(book, Shown(FIRST, 4, is_deaf=True))
    assert len(read_notes(book.notes)) == 1


def test_a_checkpoint_by_another_key_or_of_another_plant_is_no_fork(book: Notebook) -> None:
    visited(book, Shown(FIRST, 4))

    class Strange(Shown):
        def checkpoint(self, plant: str) -> str:
            return sm.log_note(FIRST[:5], FOREIGN)

    class Sisters(Shown):
        def checkpoint(self, plant: str) -> str:
            return sm.log_note(FIRST[:5], plant="sister-smelter")

    for asked in (Strange(FIRST, 5), Sisters(FIRST, 5)):
        with pytest.raises(NotAskedError, match="is no checkpoint of this collector"):
            visited(book, asked)
    assert not book.refused.exists()


def test_notes_that_somebody_changed_stop_it(book: Notebook) -> None:
    visited(book, Shown(FIRST, 4))
    whole = book.notes.read_bytes()
    book.notes.write_bytes(whole[:-5])
    with pytest.raises(KeyFileError, match="restore it"):
        visited(book, Shown(FIRST, 5))
    book.notes.write_bytes(sm.log_note(FIRST[:4], FOREIGN).encode())
    with pytest.raises(KeyFileError, match="by none of the collector's keys"):
        visited(book, Shown(FIRST, 5))


def test_two_witnesses_do_not_write_one_folder(tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    said = pytest.raises(WitnessConfigError, match="another witness runs with it")
    with alone(folder), said, alone(folder):
        pass
    with alone(folder):
        pass
