"""What a person should do about what a Modbus device did not do. Pure."""

from edge.commissioning.modbus_asking import Answer

_EXCEPTIONS = {
    1: "the device does not know this function: the value stands in another table (holding "
    "registers are read with FC 3, input registers with FC 4); look into the manual",
    2: "the device has no value at this address: many manuals count from 1, or write 4xxxx for the "
    "table; check address_notation, table and type of the row",
    3: "the device does not give so many registers at once: lower max_registers_per_read in the "
    "profile, or check the type of the row",
    4: "the device reports a fault of its own: look at its display",
    6: "the device is busy: try again, and ask it less often (pause_ms in the profile)",
    10: "the gateway has no way to this unit: check the unit id and the gateway's own routing",
    11: "the gateway has asked and nobody answered: check the unit id, and the wiring, baud rate "
    "and parity behind it",
}


def of_refusal(answer: Answer, unit: int) -> str:
    """A sentence for an answer that holds no value."""
    if answer.exception:
        return _EXCEPTIONS.get(answer.exception, "look up this exception in the device's manual")
    if answer.is_silent:
        return (
            f"nobody answers as unit {unit}: check the unit id (stackproof edge scan shows who is "
            "there), power and cabling; on a serial line baud rate, parity, and A against B"
        )
    return "what came is no answer to the question: another protocol or another master is there"
