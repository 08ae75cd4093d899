"""What one place of a device gave, looked at from all sides. `look_text` says it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from edge.commissioning.orders import Taking
from edge.commissioning.value import Shown


@dataclass(frozen=True)
class Neighbour:
    """What stands at an address one lower or higher.

    Attributes:
        address: as on the wire.
        words: what stands there; () when it gave nothing.
        text: the value the profile's row would take there, or why there is none; of a bare place
            that gave registers "".
        takings: those words as the type that was asked for, under every order.
    """

    address: int
    words: tuple[int, ...]
    text: str
    takings: tuple[Taking, ...] = ()


@dataclass(frozen=True)
class Look:
    """One point, or one place that no site file names.

    Attributes:
        point: its id; "" of a bare place.
        device: device id, or the URL.
        place: where it stands, in the device's own words.
        asked: what was sent, and how fast the answer came.
        table: of a Modbus place; "" otherwise.
        address: of a Modbus place, as on the wire.
        words: 16-bit words, or bits, as they came; () when nothing did.
        raw: the value's own bytes, least significant first; b"" when there are none.
        shown: value, unit and quality; None of a bare place.
        takings: the words under every type and order.
        taken: which of them the profile takes, as an index; None when none of them is.
        neighbours: one address lower and higher.
        said: what else the device says of it, name -> text (status, source time, data type).
        trouble: why there is no value; "" when there is one.
        advice: what to do about it.
    """

    point: str
    device: str
    place: str
    asked: str = ""
    table: str = ""
    address: int | None = None
    words: tuple[int, ...] = ()
    raw: bytes = b""
    shown: Shown | None = None
    takings: tuple[Taking, ...] = ()
    taken: int | None = None
    neighbours: tuple[Neighbour, ...] = ()
    said: Mapping[str, str] = field(default_factory=dict)
    trouble: str = ""
    advice: str = ""

    @property
    def is_fine(self) -> bool:
        """There is a value that may be used."""
        return not self.trouble and (self.shown is None or self.shown.quality.usable)
