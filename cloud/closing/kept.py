"""A sealed archive that stands in the archive folder, read again: its small files only.

The collector wrote it, but nothing here is believed: whoever takes a signature over from it checks
that signature. What cannot be read counts as not there, and is said in the log. File I/O.
"""

import errno
import hashlib
import json
import logging
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evidence.archive import paths, ustar
from evidence.errors import EvidenceError, MalformedError
from evidence.log_lines import about

log = logging.getLogger("stackproof.cloud.months")

_FILE_BYTES_MAX = 32 * 1024 * 1024
_FIXED = (
    paths.STATEMENT, paths.SEAL, paths.TIMESTAMP, paths.TIMESTAMP_SEAL, paths.LOG_CHECKPOINT,
)  # fmt: skip
#: plant, month, and what marks one that was replaced; ids of plants may end like a month
NAME = re.compile(r"(.+)-(\d{4}-\d{2})(\.replaced-[0-9a-f]{12})?\.tar", re.ASCII)


@dataclass(frozen=True)
class KeptArchive:
    """An archive's small files.

    Attributes:
        files: path in the bag -> bytes, of statement, seal, time stamp, checkpoint and receipts.
        statement: statement.json, parsed.
    """

    files: Mapping[str, bytes]
    statement: Mapping[str, Any]

    @property
    def sha256(self) -> bytes:
        """SHA-256 of the statement."""
        return hashlib.sha256(self.files[paths.STATEMENT]).digest()

    @property
    def closing(self) -> str:
        """How it was closed: "interim" or "final"."""
        return str(self.statement["input"]["closing"])

    def receipt(self, stream: str) -> bytes | None:
        """A stream's receipt, None where there is none."""
        return self.files.get(paths.receipt(stream))


def file_sha256(path: Path) -> str:
    """Of a whole file, in hex; OSError when it cannot be read."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def keep_beside(target: Path, statement_sha256: bytes | None) -> Path:
    """Give an archive a second name: its statement's hash, or its own.

    Its own where the statement's is not known, or another archive of that statement has the name.

    Raises:
        OSError: the disk refuses; it says what was to be kept, and under which name.
    """
    own = bytes.fromhex(file_sha256(target))
    for sha256 in (statement_sha256 or own, own):
        kept = target.with_name(f"{target.stem}.replaced-{sha256.hex()[:12]}.tar")
        try:
            os.link(target, kept)
        except FileExistsError:
            if file_sha256(kept) != own.hex():
                continue
        except OSError as error:
            told = (
                f"{error.strerror}: {target.name} stands there, and cannot be kept as {kept.name}"
            )
            raise OSError(error.errno, told) from error
        return kept  # perhaps of a close that was interrupted here and comes again
    raise FileExistsError(errno.EEXIST, f"another file has the name {kept.name}")


def read_kept(path: Path) -> KeptArchive | None:
    """The archive at a path; None when there is none, or none that can be read."""
    try:
        with path.open("rb") as file:
            files = {}
            for member in ustar.members(file):
                name = member.name.partition("/")[2]
                if name in _FIXED or paths.RECEIPT.fullmatch(name):
                    if member.size > _FILE_BYTES_MAX:
                        raise MalformedError(f"{name} has {member.size} bytes")
                    file.seek(member.offset)
                    files[name] = file.read(member.size)
        return _kept(files)
    except FileNotFoundError:
        return None
    except (OSError, EvidenceError) as error:
        match = NAME.fullmatch(path.name)
        of = about("" if match is None else match[1])
        log.warning("%s stands there and cannot be read: %s", path, error, extra=of)
        return None


def _kept(files: Mapping[str, bytes]) -> KeptArchive:
    try:
        statement = json.loads(files[paths.STATEMENT])
        if not isinstance(statement["input"]["closing"], str):
            raise MalformedError("its statement does not say how it was closed")
    except (KeyError, TypeError, ValueError) as error:
        raise MalformedError(f"it has no statement that can be read: {error!r}") from error
    return KeptArchive(files, statement)
