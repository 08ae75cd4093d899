"""Step 5: how far one stream has been followed."""

from dataclasses import dataclass, field

from evidence.archive import paths
from evidence.chain import Head
from evidence.errors import EvidenceError
from evidence.receipt import decode_receipt
from evidence.suites import PublicKey
from evidence.verifier.clocks import Times
from evidence.verifier.completeness import Held
from evidence.verifier.gaps import Gaps
from evidence.verifier.meter_settings import SettingsCheck
from evidence.verifier.opened import Opened


@dataclass
class StreamView:
    """How far one stream has been followed.

    Attributes:
        first: seq of its first object in the archive, None before it.
        head: where it stands.
        hour: of the segment being read, "YYYY-MM-DD/HH".
        frame_hour: where the newest frame belongs; "" before the first.
        early_hour: where objects stand that came before the first frame; "" when there are none.
        t0_ns: of the newest frame.
        last_ns: newest tick seen.
        receipt: seq of the object that its receipt names, None without a sound one.
        receipted: anchor of that object, (0, b"") if it has none; None when it is not here.
        times: what the clocks say of its frames.
        held: how much of it is here.
        gaps: what is missing between its ticks.
        settings: what its meters said of themselves.
        manual: how many of its frames say that a person typed them.
    """

    held: Held
    gaps: Gaps
    settings: SettingsCheck
    first: int | None = None
    head: Head = field(default_factory=Head)
    hour: str = ""
    frame_hour: str = ""
    early_hour: str = ""
    t0_ns: int = 0
    last_ns: int = -1
    receipt: int | None = None
    receipted: tuple[int, bytes] | None = None
    times: Times = field(default_factory=Times)
    manual: int = 0


def receipted_seq(archive: Opened, stream: str, collector: PublicKey | None) -> int | None:
    """Which object a stream's receipt names, None without a sound one: step 7 says why."""
    path = paths.receipt(stream)
    if collector is None or path not in archive:
        return None
    try:
        return decode_receipt(archive.read(path), collector).seq
    except EvidenceError:
        return None
