"""Drivers: one folder a protocol, one file in it touches the protocol's library.

`DRIVERS` names every driver by the scheme of a device's URL; `open_driver` imports the one that
is wanted and no other, so a site with Modbus meters alone never loads an OPC UA stack. The table
is the whole list: nothing is discovered or loaded from elsewhere, because what reads the meter
belongs to what is trusted. The contract is in `edge.drivers.base`. No I/O here.
"""

import importlib

from edge.drivers.base import DeviceError, DeviceSpec, Driver
from evidence.points import Provenance

__all__ = ["DRIVERS", "PROVENANCES", "READS_SETTINGS", "open_driver", "protocol_of"]

#: scheme of a device's URL -> "module:class"
DRIVERS: dict[str, str] = {
    "dlt645+serial": "edge.drivers.dlt645.driver:Dlt645Driver",
    "dlt645+tcp": "edge.drivers.dlt645.driver:Dlt645Driver",
    "hj212": "edge.drivers.hj212.driver:Hj212Driver",
    "modbus+tcp": "edge.drivers.modbus.driver:ModbusDriver",
    "modbus+rtu-tcp": "edge.drivers.modbus.driver:ModbusDriver",
    "modbus+rtu": "edge.drivers.modbus.driver:ModbusDriver",
    "modbus+listen": "edge.drivers.modbus.overhear:ListenDriver",
    "opc.tcp": "edge.drivers.opcua.driver:OpcUaDriver",
    "sqlite+ro": "edge.drivers.table.driver:TableDriver",
    "postgresql+ro": "edge.drivers.table.driver:TableDriver",
    "mysql+ro": "edge.drivers.table.driver:TableDriver",
    "oracle+ro": "edge.drivers.table.driver:TableDriver",
    "mssql+ro": "edge.drivers.table.driver:TableDriver",
    "folder": "edge.drivers.folder.driver:FolderDriver",
}

_TABLE = (Provenance.VIA_DATABASE.value, Provenance.TYPED.value)
#: scheme -> what a device's provenance may be, where the source itself rules something out
PROVENANCES: dict[str, tuple[str, ...]] = {
    "sqlite+ro": _TABLE,
    "postgresql+ro": _TABLE,
    "mysql+ro": _TABLE,
    "oracle+ro": _TABLE,
    "mssql+ro": _TABLE,
    "folder": (Provenance.FILE.value, Provenance.TYPED.value),
}

#: schemes whose drivers read the settings a profile names (`edge.drivers.base.ReadsSettings`)
READS_SETTINGS = frozenset(
    {"modbus+tcp", "modbus+rtu-tcp", "modbus+rtu", "dlt645+tcp", "dlt645+serial", "opc.tcp"}
)


def protocol_of(scheme: str) -> str:
    """What a profile calls the protocol that a known scheme's driver speaks."""
    return DRIVERS[scheme].split(".")[2]


def open_driver(spec: DeviceSpec) -> Driver:
    """The driver for a device, not yet connected.

    Raises:
        DeviceError: with `retry` False: no driver has this scheme, or the URL, profile or a
            point is not of the driver's form.
    """
    scheme = spec.url.partition("://")[0].lower()
    if scheme not in DRIVERS:
        raise DeviceError(
            f"device {spec.id}: no driver for url {spec.url!r}; "
            f"known: {' '.join(f'{known}://' for known in sorted(DRIVERS))}",
            retry=False,
        )
    module, _, name = DRIVERS[scheme].partition(":")
    driver: Driver = getattr(importlib.import_module(module), name)(spec)
    return driver
