"""The tamper corpus: every kind of tampering there is a test for, one list.

Each is built once a run, and judged once by our verifier: several tests look at the same bytes.
"""

import atexit
import re
import shutil
import tempfile
from functools import cache
from pathlib import Path

from evidence.findings import Report
from evidence.kept import kept_in
from evidence.verifier.run import verify
from tests.attacks import (
    by_accident,
    by_bombs,
    by_both,
    by_certificates,
    by_closing,
    by_compression,
    by_configuration,
    by_container,
    by_counters,
    by_details,
    by_documents,
    by_keys,
    by_newer,
    by_operators,
    by_orders,
    by_persons,
    by_points,
    by_rewriting,
    by_settings,
    by_signed_figures,
    by_stamps,
    by_strangers,
    by_time,
)
from tests.attacks.forging import WITNESSES, Kind

KINDS: list[Kind] = [
    *by_accident.KINDS,
    *by_strangers.KINDS,
    *by_operators.KINDS,
    *by_both.KINDS,
    *by_certificates.KINDS,
    *by_closing.KINDS,
    *by_compression.KINDS,
    *by_configuration.KINDS,
    *by_keys.KINDS,
    *by_orders.KINDS,
    *by_points.KINDS,
    *by_settings.KINDS,
    *by_time.KINDS,
    *by_stamps.KINDS,
    *by_newer.KINDS,
    *by_details.KINDS,
    *by_documents.KINDS,
    *by_persons.KINDS,
    *by_signed_figures.KINDS,
    *by_container.KINDS,
    *by_counters.KINDS,
    *by_rewriting.KINDS,
    *by_bombs.KINDS,
]


def file_name(kind: Kind) -> str:
    """The archive's file name: the kind's name in plain letters."""
    return re.sub(r"[^a-z0-9]+", "-", kind.name.lower()).strip("-") + ".tar"


@cache
def _folder() -> Path:
    made = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, made)
    return Path(made)


@cache
def archive(kind: Kind) -> Path:
    """The kind's archive as a file, to be read only."""
    file = _folder() / file_name(kind)
    file.write_bytes(kind.build())
    return file


@cache
def kept(kind: Kind) -> list[Path]:
    """What the reviewer kept, as files beside the archive, to be read only."""
    made = []
    for name, make in kind.kept:
        made.append(archive(kind).with_suffix(f".{name}"))
        made[-1].write_bytes(make())
    return made


@cache
def report(kind: Kind) -> Report:
    """What our verifier says of it to a reviewer with the kind's trust and a witnesses' key."""
    held = kept_in({str(file): file.read_bytes() for file in kept(kind)})
    with archive(kind).open("rb") as file:
        return verify(file, trust=kind.trust, kept=held, witnesses=WITNESSES)
