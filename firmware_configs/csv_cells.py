"""What a spreadsheet's cell says, in the words of a profile; what it may mean twice is refused.

Excel writes 0,5 where the profile has 0.5, manuals write UINT16 where it has u16, and 0013 in a
column of addresses is 13 to one reader and 19 to another. Pure.
"""

import re

#: a table's digit set off from the number: 4:03001, 3x0001; 0x would be hexadecimal
_SET_OFF = re.compile(r"([134])(?::|[xX])(\d{4,5})")
#: 41,010 and R41,010; 1,000 may be a number with decimals
_GROUPED = re.compile(r"[Rr]?([1-4]\d{1,2})[, ](\d{3})")
_BARE_HEX = re.compile(r"(?:\$|#|&[hH])?([0-9A-Fa-f]+)[hH]?")
_POINT = re.compile(r"(\d+)\.0+")
_DECIMAL_COMMA = re.compile(r"\d,\d")
_INTEGER = re.compile(r"(u|unsigned_|s|signed_|)(?:int|integer)_?(8|16|32|64)(?:_t)?")
#: how manuals call them, spaces and hyphens as underscores
_SYNONYMS = {
    "float": "f32", "float32": "f32", "real": "f32", "real32": "f32", "single": "f32",
    "float64": "f64", "real64": "f64", "double": "f64", "lreal": "f64",
    "floatingpoint": "f32", "ieee754": "f32", "doublefloat": "f64",
}  # fmt: skip


def whole_number(cell: str) -> int:
    """42 or 0x2A; of a manual's 4:03001 the number 403001, as 40001 notation has it.

    Raises:
        ValueError: it is neither; with what to write where that can be told.
    """
    if match := _SET_OFF.fullmatch(cell):
        return int(match[1] + match[2])
    try:
        return int(cell, 0)
    except ValueError:
        reason = f"{cell!r} is no whole number such as 42 or 0x2A"
        raise ValueError(reason + _instead(cell)) from None


def _instead(cell: str) -> str:
    if match := _POINT.fullmatch(cell):
        return f"; write {int(match[1])}"
    if cell.isascii() and cell.isdigit():  # begins with 0, or int would have taken it
        return f"; without the leading 0 if it is decimal, 0x{cell} if it is hexadecimal"
    if match := _GROUPED.fullmatch(cell):
        return f"; write {match[1]}{match[2]}"
    if (match := _BARE_HEX.fullmatch(cell)) and not cell.isdigit():
        return f"; if it is hexadecimal write 0x{match[1]}"
    return ""


def type_name(cell: str) -> str:
    """The profile's word for a manual's UINT16, INT32, FLOAT, DOUBLE, ...; others as they are."""
    plain = re.sub(r"[\s-]+", "_", cell.lower())
    if match := _INTEGER.fullmatch(plain):
        return ("u" if match[1].startswith("u") else "i") + match[2]
    return _SYNONYMS.get(plain.replace("_", ""), plain)


def words(cell: str) -> list[str]:
    """The parts of a list, between which stand spaces, commas or semicolons."""
    return cell.replace(";", " ").replace(",", " ").split()


def whole_numbers(cell: str) -> list[int]:
    """A list of them; ValueError as `whole_number`."""
    return [whole_number(part) for part in words(cell)]


def limits(cell: str) -> list[str]:
    """The two ends of a range; a comma that may be a decimal comma is none between them.

    Raises:
        ValueError: such a comma.
    """
    if _DECIMAL_COMMA.search(cell):
        raise ValueError(
            f"{cell!r}: is the comma a decimal comma or between the limits? Write a point for "
            "decimals and a space between the limits: 0.5 100"
        )
    return words(cell)


def states(cell: str) -> dict[str, str]:
    """What the raw values of a state mean: 0 = stopped; 1 = running.

    Raises:
        ValueError: a part without "=", or a value that stands there twice.
    """
    separated = cell if ";" in cell or "\n" in cell else cell.replace(",", ";")
    found: dict[str, str] = {}
    for part in filter(str.strip, separated.replace("\n", ";").split(";")):
        raw, equals, meaning = (text.strip() for text in part.partition("="))
        if not equals or raw in found:
            raise ValueError(f"{part.strip()!r}: write each value once: 0 = stopped; 1 = running")
        found[raw] = meaning
    return found
