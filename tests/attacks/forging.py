"""What a forger does to an archive: take it apart, change files, pack it again.

`Kind` is one kind of tampering with who does it and why, and what a verifier must call it. Changes
are functions on path -> bytes; `packed` tells with whose key the result is sealed. Nothing here is
I/O; the archives are those of the small plant of tests/unit/evidence.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from evidence.archive import paths
from evidence.findings import Verdict
from evidence.keys import FileSigner, Trusted, key_sha256
from evidence.recompute import statement_bytes
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.documents import papers as pp

Change = Callable[[sm.Files], None]

#: a key of nobody in the plant
FOREIGN = sm.signer(90)
ROOT_SHA256 = key_sha256(sm.keys().root.public_key)
#: another plant, whose root the same reviewer trusts too
SISTER_SEED = 70
SISTER = sm.keys(SISTER_SEED, "sister-smelter")
#: as from a file of both plants' root certificates
TRUST: frozenset[Trusted] = frozenset(
    {(sm.PLANT, ROOT_SHA256), ("sister-smelter", key_sha256(SISTER.root.public_key))}
)

#: the key that a reviewer has from the reviewers' organisation
WITNESSES = frozenset({key_sha256(pp.ORGANISATION.public_key)})

SEG_4 = paths.frames(sm.STREAM, "2026-06-15/04")
SEG_5 = paths.frames(sm.STREAM, "2026-06-15/05")


@dataclass(frozen=True)
class Kind:
    """One kind of tampering.

    Attributes:
        name: unique, also the name of its file.
        story: one sentence: who does it, and why.
        build: makes the archive's bytes.
        codes: must be among the findings; the E- and C- codes found are these and no others,
            unless `more`.
        verdict: what it comes to.
        more: other E- codes may stand beside them (spoilt bytes are many things at once).
        trust: roots the reviewer trusts; None: none given.
        is_bomb: meant to exhaust memory or time.
        kept: (name, what makes it) of each file that the reviewer kept.
    """

    name: str
    story: str
    build: Callable[[], bytes]
    codes: frozenset[str]
    verdict: Verdict = Verdict.FAILED
    more: bool = False
    trust: frozenset[Trusted] | None = TRUST
    is_bomb: bool = False
    kept: tuple[tuple[str, Callable[[], bytes]], ...] = ()


def kind(name: str, story: str, build: Callable[[], bytes], *codes: str, **other: Any) -> Kind:
    """A kind; the verdict follows from its codes unless it is given."""
    letters = {code[0] for code in codes}
    verdict = Verdict.FAILED
    if "E" not in letters:
        verdict = Verdict.CANNOT_DECIDE if "C" in letters else Verdict.PASSED
    return Kind(name, story, build, frozenset(codes), **({"verdict": verdict} | other))


def packed(
    change: Change, by: FileSigner | None = None, *, manifest: bool = True
) -> Callable[[], bytes]:
    """The honest archive, changed; manifests made anew if wanted, sealed anew if a key is given."""

    def build() -> bytes:
        files = sm.unpack(sm.honest())
        change(files)
        return sm.repack(files, by=by, manifest=manifest)

    return build


def both(*changes: Change) -> Change:
    """One change after another."""

    def apply(files: sm.Files) -> None:
        for change in changes:
            change(files)

    return apply


def edit_objects(path: str, change: Callable[[list[bytes]], list[bytes]]) -> Change:
    """Change the records of a record file."""

    def apply(files: sm.Files) -> None:
        files[path] = sm.seg(change(sm.records(files[path])))

    return apply


def edit_entries(change: Callable[[list[bytes]], list[bytes]]) -> Change:
    """Change the entries of the log, not its checkpoint."""
    return edit_objects(paths.LOG_ENTRIES, change)


def resign_log(files: sm.Files) -> None:
    """The collector signs whatever the entries are now."""
    files[paths.LOG_CHECKPOINT] = sm.log_note(sm.records(files[paths.LOG_ENTRIES])).encode()


def edit_statement(change: Callable[[dict[str, Any]], None]) -> Change:
    """Change the statement and write it in its one form."""

    def apply(files: sm.Files) -> None:
        statement = json.loads(files[paths.STATEMENT])
        change(statement)
        files[paths.STATEMENT] = statement_bytes(statement)

    return apply


def replace(path: str, data: bytes) -> Change:
    """Put other bytes under a path."""

    def apply(files: sm.Files) -> None:
        files[path] = data

    return apply


def delete(path: str) -> Change:
    """Take a file out."""

    def apply(files: sm.Files) -> None:
        del files[path]

    return apply


def flip(path: str, at: int, bit: int = 0) -> Change:
    """Flip one bit of a file; `at` may count from its end."""

    def apply(files: sm.Files) -> None:
        data = bytearray(files[path])
        data[at] ^= 1 << bit
        files[path] = bytes(data)

    return apply


def flip_object(path: str, index: int, at: int) -> Change:
    """Flip a bit inside an object and make its record's checksum right again."""

    def change(items: list[bytes]) -> list[bytes]:
        data = bytearray(items[index])
        data[at] ^= 1
        return [*items[:index], bytes(data), *items[index + 1 :]]

    return edit_objects(path, change)


def move_total(statement: dict[str, Any]) -> None:
    """One tonne instead of what was emitted."""
    statement["output"]["totals"]["total_t"] = "1.00"


def less_metal(statement: dict[str, Any]) -> None:
    """A little less metal than was weighed, wherever it stands."""
    for part, key in (("pfc", "metal_t"), ("output", "aluminium_t")):
        statement["input"][part][key] = "5.4"
