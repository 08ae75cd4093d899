"""Objects of the spool as a file to be carried to the collector. I/O: reads the spool, writes it.

The file is `evidence.archive.export`'s; nothing is freed by exporting. Works beside the agent: all
of it is of one moment, but where the agent itself writes it. A ferry may write into the folder,
too, and is trusted with nothing else: what lies there under our names is taken away or left, and
never written into.
"""

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

from edge.errors import ExportError
from edge.spool_reader import SpoolReader, State
from evidence import cbor, cose
from evidence.archive.export import Span, write_export
from evidence.keys import Certificate, certificate_from_der, key_id, public_key
from evidence.owners import give


def export(
    spool: SpoolReader,
    owner: tuple[str, str],
    *,
    first: int | None = None,
    last: int | None = None,
    out: Path | None = None,
    holds: bool = True,
) -> tuple[Span, Path]:
    """Write objects of the spool to a file; what was written, and where.

    Args:
        spool: whose.
        owner: plant and gateway it must be of.
        first: seq of the first object; None for the oldest without a receipt.
        last: seq of the last one; None for the newest.
        out: file, or folder for one of the usual name; None for the working folder.
        holds: nothing of it is freed meanwhile. The spool's log cannot begin anew until then: not
            where a share may hang and the agent reads on for days.

    Raises:
        ExportError: the spool does not hold them, or the file cannot be written.
        SpoolError: the spool cannot be read.
        LimitError: more than one file can hold.
    """
    with spool.one_moment() if holds else contextlib.nullcontext():
        span = _span(spool, owner, first, last)
        path = Path() if out is None else out
        if path.is_dir():
            path /= f"{span.name}.tar"
        _write(spool, span, path)
    return span, path


def unsigned_note(spool: SpoolReader) -> str:
    """What to do about what cannot be exported because it is not signed; "" when all is."""
    count = spool.usage().unsigned
    if not count:
        return ""
    return (
        f"{count} frames or configurations behind seq {spool.head().next_seq - 1} are not signed "
        "yet and cannot be exported. The agent (stackproof edge run) signs them: what keeps it "
        "from that is the alarm of stackproof edge status. Export once more when it says 0 frames "
        "not signed"
    )


def _span(spool: SpoolReader, owner: tuple[str, str], first: int | None, last: int | None) -> Span:
    if spool.owner() not in (None, owner):
        raise ExportError(
            f"the spool is {'/'.join(spool.owner() or ())}'s, not {'/'.join(owner)}'s"
        )
    oldest, newest = spool.oldest_seq(), spool.head().next_seq - 1
    if oldest is None:
        unsigned = unsigned_note(spool)
        left = f"all of what is signed, and {unsigned}" if unsigned else "it all"
        raise ExportError(f"nothing waits for a receipt: the collector has {left}")
    span = Span(*owner, oldest if first is None else first, newest if last is None else last)
    if not oldest <= span.first <= span.last <= newest:
        under = spool.receipted_seq() + 1
        hint = " (what is before is under receipt: the collector has it)" if oldest else ""
        if oldest > under:
            hint = f" (seq {under} to {oldest - 1} were let go by the ring without a receipt)"
        raise ExportError(
            f"the spool holds seq {oldest} to {newest}{hint}; --from {span.first} --to {span.last} "
            "asks for others"
        )
    return span


def _write(spool: SpoolReader, span: Span, path: Path) -> None:
    if path.exists():
        raise ExportError(f"{path}: exists already; remove it or name another with --out")
    part = path.with_name(f"{path.name}.part")
    try:
        part.unlink(missing_ok=True)  # of one that was killed; or a ferry's link to what is ours
        with open(part, "wb", opener=_new) as file:
            write_export(
                file,
                span,
                _signers(spool, span),
                spool.span(span.first, span.last),
                object_bytes=spool.size_of(span.first, span.last),
            )
            file.flush()
            os.fsync(file.fileno())
            give(part, opened=file.fileno())  # a relay takes it out of its folder
        part.replace(path)
        _sync(path.parent)
    except OSError as error:
        raise ExportError(f"{path}: cannot be written: {error.strerror}") from error
    finally:
        with contextlib.suppress(OSError):  # it is in its place; or what went wrong is said
            part.unlink()


def _sync(folder: Path) -> None:
    """A name in it survives a power cut from here on."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _new(path: str, flags: int) -> int:
    """A file that was not there, through no link; readings of a plant are nobody's else here."""
    return os.open(path, flags | os.O_EXCL | os.O_NOFOLLOW, 0o640)


def _signers(spool: SpoolReader, span: Span) -> Sequence[Certificate]:
    """Certificates of the keys that signed these objects."""
    ders = cbor.decode(spool.get(State.CERTIFICATES) or cbor.encode([]))
    known = [(key_id(public_key(c)), c) for c in map(certificate_from_der, ders)]
    used = {kid for kid, _ in known}
    if len(used) > 1:  # a second pass over the objects, only where the key was changed
        used = {cose.parse(data).kid for data in spool.span(span.first, span.last)}
    found = [certificate for kid, certificate in known if kid in used]
    if not found:
        raise ExportError("the spool knows no certificate of the keys that signed these objects")
    return found
