"""Time zones by the exact names, and the rules, of the IANA database in the package tzdata.

Not the machine's: its folder knows "localtime", "right/…" and, on some disks, "asia/SHANGHAI", and
may be years old. So a name means the same to everybody. Pure but for the package's files.
"""

import functools
from importlib.resources import files
from zoneinfo import ZoneInfo

#: of the list, and no place: what a machine has that was never told where it is
_NO_PLACE = "Factory"


@functools.cache
def zone_names() -> frozenset[str]:
    """Every name there is, as it is spelt."""
    return frozenset(files("tzdata").joinpath("zones").read_text().split()) - {_NO_PLACE}


@functools.lru_cache(maxsize=64)
def time_zone(name: str) -> ZoneInfo:
    """The zone of a name; ValueError, with the right spelling if there is one, for any other."""
    if name not in zone_names():
        raise ValueError(f"{name!r} is no IANA time zone{_hint(name)}")
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def _hint(name: str) -> str:
    """What was meant, or else an example."""
    wanted = name.removeprefix("posix/").removeprefix("right/").replace(" ", "_").casefold()
    meant = [known for known in zone_names() if known.casefold() == wanted]
    return f": write {meant[0]}" if meant else ", such as Asia/Shanghai"
