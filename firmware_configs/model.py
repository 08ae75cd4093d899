"""What a device profile is: one meter model's register map as frozen types.

Pure types, no I/O and no parsing; `firmware_configs.profile` loads them from TOML. The profile is
written once and read by both sides: the driver decodes by it, the simulator encodes by it, and
the two are separate implementations held together by the profile's hand-computed vectors.
"""

from dataclasses import dataclass
from pathlib import Path

from evidence.points import Dtype, Quantity, Role

#: Modbus tables whose cells are 16-bit registers, and those whose cells are single bits.
REGISTER_TABLES = ("holding", "input")
BIT_TABLES = ("coil", "discrete")

#: How far a profile has been proven; it starts at the first and earns the next.
QUALITY_LEVELS = ("simulated", "bench", "field", "metrology")

#: Facts of the installation (site file) a register's value may have to be multiplied by.
RATIOS = ("ct_ratio", "vt_ratio", "pulse_weight")


@dataclass(frozen=True)
class Register:
    """One value a device offers.

    Attributes:
        name: unique in the profile; may hold "{n}" or "{n:02}" in an OPC UA profile.
        table: Modbus table (holding, input, coil, discrete); None for OPC UA.
        address: Modbus address as on the wire, 0-based, first register; None for OPC UA.
        node: OPC UA node id template with {ns} and {n}; None for Modbus.
        namespace: URI that {ns} stands for; None when the node gives its own index.
        dtype: number type on the wire; coils and discrete inputs are u8 with 0 or 1.
        decimals: raw integer × 10^-decimals is the engineering value; 0 for floats.
        point_decimals: decimals of the fixed-point count after installation ratios.
        quantity: what it is, with unit and reference state.
        role: gauge, totaliser or state.
        applies: which of `RATIOS` multiply it, when the profile `reports` secondary values.
        invalid: raw values that mean "no value"; compare with the decoded raw number (a signed
            type's pattern 0x8000 in the file stands here as -32768).
        range_min: least credible engineering value, decimal string, or None.
        range_max: greatest credible engineering value, decimal string, or None.
        states: (raw value, name) for role state, ascending.
        source: page, table or public place the row was taken from.
        scale: decimal string, anything of the device's own beside decimals.
        offset: decimal string in engineering units, added after scale.
    """

    name: str
    table: str | None
    address: int | None
    node: str | None
    namespace: str | None
    dtype: Dtype
    decimals: int
    point_decimals: int
    quantity: Quantity
    role: Role
    applies: tuple[str, ...]
    invalid: tuple[int, ...]
    range_min: str | None
    range_max: str | None
    states: tuple[tuple[int, str], ...]
    source: str
    scale: str = "1"
    offset: str = "0"

    @property
    def words(self) -> int:
        """Cells of the table it takes: 16-bit registers, or 1 for a bit."""
        return max(1, self.dtype.size // 2)


@dataclass(frozen=True)
class Vector:
    """A hand-computed pair: these words on the wire mean this value.

    Attributes:
        register: name of the register.
        words: 16-bit words in address order, as the wire gives them.
        value: decimal string in the register's unit, before installation ratios.
    """

    register: str
    words: tuple[int, ...]
    value: str


@dataclass(frozen=True)
class Caveat:
    """Something a user of this model must know, with a link or "" when there is none public."""

    text: str
    link: str


@dataclass(frozen=True)
class Profile:
    """One meter model.

    Attributes:
        id: "vendor/model".
        path: the file it was read from.
        vendor: id of the maker, `[a-z0-9-]+`.
        model: id of the model, `[a-z0-9-]+`.
        revision: of this profile, goes into the signed configuration.
        title: one line for people.
        protocol: "modbus" or "opcua".
        quality_level: one of `QUALITY_LEVELS`.
        source: manual and revision the map comes from.
        firmware: firmware range it holds for, or "".
        word_order: Modbus, order of the 16-bit words of a longer value: big or little.
        byte_order: Modbus, order of the two bytes inside a word: big (the standard) or little.
        max_registers_per_read: Modbus, 1..125.
        hole_limit: Modbus, unused registers a batch read may bridge.
        pause_ms: Modbus, quiet time the device wants between two requests.
        reports: "primary" or "secondary" (installation ratios still to be applied), or None.
        probe: register that identifies the meter, or None.
        registers: in the order of the file.
        vectors: in the order of the file.
        caveats: in the order of the file.
    """

    id: str
    path: Path
    vendor: str
    model: str
    revision: str
    title: str
    protocol: str
    quality_level: str
    source: str
    firmware: str
    word_order: str
    byte_order: str
    max_registers_per_read: int
    hole_limit: int
    pause_ms: int
    reports: str | None
    probe: str | None
    registers: tuple[Register, ...]
    vectors: tuple[Vector, ...]
    caveats: tuple[Caveat, ...]

    def register(self, name: str) -> Register:
        """The register called `name`; KeyError names those there are."""
        for register in self.registers:
            if register.name == name:
                return register
        known = " ".join(r.name for r in self.registers)
        raise KeyError(f"{self.id} has no register {name!r}; it has: {known}")
