"""A site file of which only the devices need be written yet. I/O: reads it."""

from dataclasses import dataclass
from pathlib import Path

from edge.commissioning.target import TargetError
from edge.errors import SiteConfigError
from edge.site.config import Site, read_site
from firmware_configs.fields import Problem

#: tables of a site file that an engineer with a laptop may not have written yet
LATER = ("plant", "gateway", "uplink", "statement")


@dataclass(frozen=True)
class SitePart:
    """What stands in it.

    Attributes:
        site: as far as it is written; stand-ins for the rest.
        unwritten: which of `LATER` are not there at all.
        others: how many other problems it has, all outside its devices.
    """

    site: Site
    unwritten: tuple[str, ...]
    others: int

    @property
    def problems(self) -> int:
        """How many `stackproof edge check` will tell."""
        return self.others + len(self.unwritten)


def read_part(path: Path, only: str = "", *, is_rest_right: bool = False) -> SitePart:
    """A site whose devices are right; the rest may still have to be written.

    Args:
        path: of the site file.
        only: device, or point of it, that is meant; others may still have to be written too.
        is_rest_right: what is written beside devices must be right too.

    Raises:
        SiteConfigError: something is wrong with the devices, with the file as a whole, or with
            what must be right of the rest.
        TargetError: it is no file but reads as a device's host and port.
    """
    if ":" in str(path) and not path.exists():
        url = f"modbus+tcp://{path}"
        raise TargetError(f"{path} is no site file; a device's url is such as {url}")
    site, problems = read_site(path)
    unwritten = [p for p in problems if p.key in LATER and p.reason.startswith("is missing")]
    others = [p for p in problems if p not in unwritten]
    name = only.partition(".")[0]
    is_known = any(device.id == name for device in site.devices)

    def is_hard(problem: Problem) -> bool:
        if problem.key.startswith("device"):
            return not is_known or problem.reason.startswith(f"{name}: ")
        return is_rest_right or problem.key in ("", "format")

    if hard := [p for p in others if is_hard(p)]:
        raise SiteConfigError(hard)
    return SitePart(site, tuple(p.key for p in unwritten), len(others))
