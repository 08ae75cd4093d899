"""A device that no site file names yet: a URL, and a profile without a register. Pure."""

from pathlib import Path

from edge.drivers.base import DeviceSpec
from firmware_configs.model import Profile

NAME = "URL"


def bare_spec(url: str, timeout_s: float) -> DeviceSpec:
    """The spec of whatever answers at a URL."""
    return DeviceSpec(NAME, url, _NO_PROFILE, (), timeout_s)


def plain(error: Exception) -> str:
    """A DeviceError's sentence without the device that nobody has named."""
    return str(error).removeprefix(f"device {NAME}: ")


_NO_PROFILE = Profile(
    id="none/none",
    path=Path(),
    vendor="none",
    model="none",
    revision="0",
    title="no profile",
    protocol="modbus",
    quality_level="simulated",
    source="",
    firmware="",
    address_notation="0-based",
    word_order="big",
    byte_order="big",
    max_registers_per_read=125,
    hole_limit=0,
    pause_ms=0,
    reports=None,
    probe=None,
    registers=(),
    settings=(),
    vectors=(),
    caveats=(),
)
