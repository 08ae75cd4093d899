"""What a device profile is: one meter model's register map as frozen types.

Pure types, no I/O and no parsing; `firmware_configs.profile` loads them from TOML. The profile is
written once and read by both sides: the driver decodes by it, the simulator encodes by it, and
the two are separate implementations held together by the profile's hand-computed vectors.
"""

from dataclasses import dataclass
from pathlib import Path

from evidence.points import NO_RULES, Dtype, PointRules, Quantity, Role
from firmware_configs.row_source import FolderSource, TableSource

#: What a profile may be of.
PROTOCOLS = ("modbus", "opcua", "hj212", "dlt645", "table", "folder")

#: Modbus tables whose cells are 16-bit registers, and those whose cells are single bits.
REGISTER_TABLES = ("holding", "input")
BIT_TABLES = ("coil", "discrete")

#: How far a profile has been proven; it starts at the first and earns the next.
QUALITY_LEVELS = ("simulated", "bench", "field", "metrology")

#: Facts of the installation (site file) a register's value may have to be multiplied by.
RATIOS = ("ct_ratio", "vt_ratio", "pulse_weight")

#: What a `[[setting]]` can be: who the meter is, how it is set, and how often that was changed.
SETTINGS = (
    "serial", "maker", "model", "firmware", "hardware",
    "ct_ratio", "ct_primary", "ct_secondary", "vt_ratio", "vt_primary", "vt_secondary",
    "pulse_weight", "k_factor", "span_low", "span_high", "low_flow_cutoff", "damping",
    "unit_code", "constant", "totaliser_resets", "parameter_changes",
)  # fmt: skip

#: The leading digit of the five- and six-digit notation (40001, 400001).
DIGITS = {"coil": 0, "discrete": 1, "input": 3, "holding": 4}


@dataclass(frozen=True)
class Bits:
    """A part of a register: bits `low` to `high` of `holder`, both included, 0 the lowest."""

    holder: Dtype
    low: int
    high: int

    @property
    def width(self) -> int:
        """How many bits."""
        return self.high - self.low + 1

    def __str__(self) -> str:
        which = f"bit {self.low}" if self.width == 1 else f"bits {self.low}-{self.high}"
        return f"{which} of {self.holder.name.lower()}"


@dataclass(frozen=True)
class Item:
    """One item of HJ 212 messages.

    Attributes:
        factor: code of what is measured, such as "a05001".
        field: Rtd, Min, Avg, Max, Cou, or Flag (the mark itself, as the letter's ASCII code).
        command: CN of the message it stands in: 2011 real time, 2051 minutes, 2061 hour, 2031 day.
    """

    factor: str
    field: str
    command: int

    def __str__(self) -> str:
        return f"{self.factor}-{self.field} of CN {self.command}"


@dataclass(frozen=True)
class Identifier:
    """One data item of a DL/T 645-2007 meter.

    Attributes:
        di: data identifier, DI3 first.
        format: how the standard writes its digits, such as "XXXXXX.XX".
    """

    di: int
    format: str

    @property
    def digits(self) -> int:
        """BCD digits on the wire, an even number."""
        return self.format.count("X")

    @property
    def decimals(self) -> int:
        """Digits behind the point."""
        return self.format.partition(".")[2].count("X")

    def __str__(self) -> str:
        return f"DI {self.di:08X} {self.format}"


@dataclass(frozen=True)
class Register:
    """One value a device offers.

    Attributes:
        name: unique in the profile; may hold "{n}" or "{n:02}" in an OPC UA profile.
        table: Modbus table (holding, input, coil, discrete); None otherwise.
        address: Modbus address as on the wire, 0-based, first register; None otherwise.
        node: OPC UA node id template with {ns} and {n}; None otherwise.
        namespace: URI that {ns} stands for; None when the node gives its own index.
        dtype: number type of the point; of what is no bit field and no BCD, also on the wire.
            Coils and discrete inputs are u8 with 0 or 1.
        decimals: raw integer × 10^-decimals is the engineering value; 0 for floats.
        point_decimals: decimals of the fixed-point count after installation ratios.
        quantity: what it is, with unit and reference state.
        role: gauge, totaliser or state.
        applies: which of `RATIOS` multiply it, when the profile `reports` secondary values.
        invalid: raw values that mean "no value"; compare with the decoded raw number (a signed
            type's pattern 0x8000 in the file stands here as -32768), but of bit fields and BCD
            with the whole pattern that stands in the cells.
        range_min: least credible engineering value, decimal string, or None.
        range_max: greatest credible engineering value, decimal string, or None.
        states: (raw value, name) for role state, ascending.
        source: page, table or public place the row was taken from.
        scale: decimal string, anything of the device's own beside decimals.
        offset: decimal string in engineering units, added after scale.
        word_order: Modbus, order of the words of a longer value: big or little.
        byte_order: Modbus, order of the bytes inside a word: big (the standard) or little.
        bits: the part of a register it is, or None.
        is_bcd: each four bits are a decimal digit.
        rolls_at: raw count at which a totaliser starts at 0 again, when its maker says so; None:
            at the end of its type.
        written: Modbus, the address as the manual writes it (the profile's `address_notation`).
        item: HJ 212, which item of which message; None otherwise.
        identifier: DL/T 645, which data item and how its digits stand; None otherwise.
        column: of a row of a table or file; None for meters.
        rules: limits its readings are held against beside the range.
        marks: (raw value, quality code) of a state, what it says of others; ascending.
        speaks_of: names of the registers it says it of.
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
    word_order: str = "big"
    byte_order: str = "big"
    bits: Bits | None = None
    is_bcd: bool = False
    rolls_at: int | None = None
    written: int | None = None
    item: Item | None = None
    identifier: Identifier | None = None
    column: str | None = None
    rules: PointRules = NO_RULES
    marks: tuple[tuple[int, int], ...] = ()
    speaks_of: tuple[str, ...] = ()

    @property
    def holder(self) -> Dtype:
        """Type of all its cells together."""
        return self.bits.holder if self.bits else self.dtype

    @property
    def place(self) -> str:
        """Where it is in the device, in the device's own words; OPC UA templates unfilled."""
        if self.node is not None:
            return self.node
        if self.item is not None:
            return str(self.item)
        if self.identifier is not None:
            return str(self.identifier)
        if self.column is not None:
            return f"column {self.column}"
        return self.taken

    @property
    def words(self) -> int:
        """Cells of the table it takes: 16-bit registers, or 1 for a bit."""
        return max(1, self.holder.size // 2)

    @property
    def type_name(self) -> str:
        """As the file writes it: "u32", "bcd32"."""
        return f"bcd{8 * self.dtype.size}" if self.is_bcd else self.holder.name.lower()

    @property
    def taken(self) -> str:
        """Where and how a Modbus value is taken, as it is signed; what is usual is not said.

        "holding 0x0BB8" alone: most significant word and byte first, a plain number.
        """
        how = [
            str(self.bits) if self.bits else "",
            self.type_name if self.is_bcd else "",
            "low word first" if self.words > 1 and self.word_order == "little" else "",
            "low byte first" if self.byte_order == "little" else "",
        ]
        return ", ".join([f"{self.table} 0x{self.address or 0:04X}", *filter(None, how)])


@dataclass(frozen=True)
class Setting:
    """Something a meter tells about itself: identity, or how it is set. Never a point.

    Attributes:
        name: unique among the profile's settings.
        means: one of `SETTINGS`.
        unit: as the manual writes it ("pulses/m3"), "" when it has none.
        register: where it stands and, if it is a number, how. A text's dtype is a stand-in.
        is_text: it is an ASCII text.
        text_words: 16-bit registers of a Modbus text, two characters each; otherwise 0.
    """

    name: str
    means: str
    unit: str
    register: Register
    is_text: bool = False
    text_words: int = 0

    @property
    def words(self) -> int:
        """Cells it takes."""
        return self.text_words or self.register.words


@dataclass(frozen=True)
class Vector:
    """A hand-computed pair: these words on the wire mean this value.

    Attributes:
        register: name of the register, "" when it is of a setting.
        setting: name of the setting, "" when it is of a register.
        words: 16-bit words in address order, as the wire gives them.
        value: decimal string in the register's unit, before installation ratios; or the text.
    """

    register: str
    setting: str
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
        protocol: one of `PROTOCOLS`.
        quality_level: one of `QUALITY_LEVELS`.
        source: manual and revision the map comes from.
        firmware: firmware range it holds for, or "".
        address_notation: Modbus, how the file counts: "0-based", "1-based" or "40001"; else "".
        word_order: Modbus, of the registers that do not say otherwise: big or little.
        byte_order: Modbus, likewise.
        max_registers_per_read: Modbus, 1..125.
        hole_limit: Modbus, unused registers a batch read may bridge.
        pause_ms: Modbus, quiet time the device wants between two requests.
        reports: "primary" or "secondary" (installation ratios still to be applied), or None.
        probe: register that identifies the meter, or None.
        registers: in the order of the file.
        settings: in the order of the file.
        vectors: in the order of the file.
        caveats: in the order of the file.
        rows: of a table or folder, what its rows are and how they are got; None for meters.
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
    address_notation: str
    word_order: str
    byte_order: str
    max_registers_per_read: int
    hole_limit: int
    pause_ms: int
    reports: str | None
    probe: str | None
    registers: tuple[Register, ...]
    settings: tuple[Setting, ...]
    vectors: tuple[Vector, ...]
    caveats: tuple[Caveat, ...]
    rows: TableSource | FolderSource | None = None

    def register(self, name: str) -> Register:
        """The register called `name`; KeyError names those there are."""
        for register in self.registers:
            if register.name == name:
                return register
        known = " ".join(r.name for r in self.registers)
        raise KeyError(f"{self.id} has no register {name!r}; it has: {known}")
