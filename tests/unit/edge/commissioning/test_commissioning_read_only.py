"""Every call of the commissioning commands that could put something on a wire or a disk.

Whatever goes to a device goes through the drivers, whose own calls stand in `test_read_only.py`.
"""

from pathlib import Path

import edge.commissioning as package
from tests.unit.edge.drivers.test_read_only import SENDING, sending

FOLDER = Path(package.__file__).parent
EDGE = FOLDER.parent

PLACES = {
    "commissioning/doctor_machine.py": ["file.write(b'\\x00' * 4096)"],  # removed when closed
    "commissioning/page/server.py": ["self.wfile.write(answer.body)"],  # to a browser here
    "commands/commission.py": [],
    "commands/commissioning.py": [],
    "commands/record.py": ["file.write(text)"],  # the record, opened with "x"
    "uplink/hello.py": [
        "writer.write(upgrade_request(route, key))",
        "writer.write(_packed(connect_packet(client_id), route))",
        "writer.write(_packed(_DISCONNECT, route))",
        "writer.write(frame(frames.pings[-1], secrets.token_bytes(4), PONG))",
    ],
}
#: asyncio.run is no program's
HARMLESS = "asyncio.run("


def test_every_call_that_could_send_stands_here() -> None:
    files = [*FOLDER.rglob("*.py"), *(EDGE / name for name in PLACES)]
    found = {
        path.relative_to(EDGE).as_posix(): [t for t in sending(path) if not t.startswith(HARMLESS)]
        for path in files
    }
    named = {name: calls for name, calls in found.items() if calls or name in PLACES}
    assert "write" in SENDING
    assert named == PLACES


def test_no_protocol_library_is_touched() -> None:
    for path in FOLDER.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        for library in ("asyncua", "pymodbus", "paho", "sqlite3", "socket.socket"):
            assert f"import {library}" not in text, path
            assert f"from {library}" not in text, path
