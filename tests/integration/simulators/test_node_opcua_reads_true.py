"""node-opcua (JavaScript) reads our OPC UA servers true: every node of every profile."""

import asyncio
import json
import math
from pathlib import Path
from typing import Any

import pytest

from evidence.points import exact
from firmware_configs.profile import list_profiles, load_profile
from simulators.opcua_gateway import OpcUaGateway
from tests.integration.drivers.opcua_others import FOLDER
from tests.npm import install_locked

pytestmark = pytest.mark.asyncio

SERVED = [name for name in list_profiles() if load_profile(name).protocol == "opcua"]
AT_MS = 1_793_534_400_123
POTS = 2
#: OPC UA Part 6, 5.1.2: built-in types by the name of ours
TYPES = {
    "u8": "Byte", "u16": "UInt16", "u32": "UInt32", "u64": "UInt64", "i8": "SByte",
    "i16": "Int16", "i32": "Int32", "i64": "Int64", "f32": "Float", "f64": "Double",
}  # fmt: skip


async def read(folder: Path, url: str, namespace: str, nodes: list[str]) -> list[dict[str, Any]]:
    process = await asyncio.create_subprocess_exec(
        "node", "read_nodes.mjs", str(folder), url, namespace, *nodes, cwd=FOLDER,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    (line,) = (line for line in out.splitlines() if line.startswith(b"["))  # beside warnings
    found: list[dict[str, Any]] = json.loads(line)
    return found


@pytest.mark.parametrize("name", SERVED)
async def test_every_node(name: str, tmp_path: Path) -> None:
    await asyncio.to_thread(install_locked, FOLDER)
    profile = load_profile(name)
    gateway = OpcUaGateway(profile, host="127.0.0.1", port=0, pots=POTS)
    await gateway.start()
    try:
        shown = {row: 2.0 + at for at, row in enumerate(gateway.rows)}
        await gateway.publish(shown, AT_MS * 1_000_000)
        (namespace,) = {str(register.namespace) for register in profile.registers}
        nodes = [
            str(register.node).format(ns="{ns}", n=n)
            for register in profile.registers
            for n in (range(1, POTS + 1) if "{n" in register.name else [0])
        ]
        found = await read(tmp_path, gateway.url, namespace, nodes)
    finally:
        await gateway.stop()
    assert len(found) == len(shown)
    for (row, value), node in zip(shown.items(), found, strict=True):
        register = gateway.rows[row]
        raw = (value - float(exact(register.offset))) / float(exact(register.scale))
        raw *= 10**register.decimals
        assert math.isclose(float(node["value"]), raw, rel_tol=1e-6), row
        told = (node["type"], node["status"], node["source_ms"])
        assert told == (TYPES[register.type_name], "Good", AT_MS), row
