"""One look at every call of every driver that could put something on a wire or on a disk.

Each stands here, with the gate inside it or the list of what the library is asked for. A new driver
fails until its one place stands here too. What reaches servers is watched by `tests/recording.py`;
what each gate lets through is tested beside each driver.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import edge.drivers as package

FOLDER = Path(package.__file__).parent

SENDING = {
    "write", "writelines", "write_eof", "send", "sendall", "sendto", "sendmsg", "sendfile",
    "sock_sendall", "sock_sendto", "pwrite", "writev", "execute", "executemany", "executescript",
    "callproc", "commit", "write_text", "write_bytes", "unlink", "rename", "replace", "mkdir",
    "rmdir", "remove", "touch", "truncate", "chmod", "symlink_to", "system", "run", "Popen",
}  # fmt: skip

#: every call by one of these names
PLACES = {
    "_blueprint/wire.py": ["self._writer.write(only_reads(question))"],
    "connection.py": ["self._transport.write(self._gate(packet))"],
    "dlt645/bus.py": ["self._wire.send(build_question(address, di, follow_up))"],
    "dlt645/wire.py": ["self._end.send(frame)"],
    "folder/driver.py": [
        "thread.run(self._folder.open, self._spec.timeout_s)",
        "thread.run(self._folder.listing, self._spec.timeout_s)",
        "thread.run(work, LOAD_S)",
    ],
    "hj212/listener.py": ["connection.writer.write(only_acks(ack))"],
    "modbus/rtu_wire.py": ["self._end.send(self._question)"],
    "modbus/tcp_wire.py": ["self._connection.send(request(self._number, unit, read))"],
    "serial_line.py": ["os.write(self._fd, self._gate(frame))"],
    "table/database.py": [
        "cursor.execute(statement)",  # of Dialect.read_only
        "cursor.execute(asked, *(() if after is None else ((after,),)))",
        "made.execute(statement)",  # of Dialect.opening
    ],
    "table/driver.py": [
        "thread.run(database.open, self._spec.timeout_s + _GRACE_S, database.check)",
        "thread.run(lambda: database.fetch(self._select, self._source.key, after), "
        "self._spec.timeout_s + _GRACE_S, database.check)",
    ],
}

#: what is called on an object of a protocol library that connects
LIBRARIES = {
    "opcua/session.py": {
        "connect", "connect_and_get_server_endpoints", "disconnect", "set_user", "set_password",
        "set_security", "read", "browse", "browse_next", "create_subscription",
        "create_monitored_items",
    },
}  # fmt: skip


def calls(path: Path) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield node


def sending(path: Path) -> list[str]:
    found = []
    for call in calls(path):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        # a text's, a time's or a record's `replace`, a list's `remove`; a path's has one argument
        is_data = name == "replace" and len(call.args) != 1
        is_data |= name == "remove" and not ast.unparse(call).startswith("os.")
        if name in SENDING and not is_data:
            found.append((call.lineno, ast.unparse(call)))
    return [text for _, text in sorted(found)]


def shown(path: Path) -> str:
    return path.relative_to(FOLDER).as_posix()


def test_every_call_that_could_send_stands_here() -> None:
    found = {shown(path): sending(path) for path in FOLDER.rglob("*.py")}
    assert {name: texts for name, texts in found.items() if texts} == PLACES


def test_files_are_opened_for_reading_only() -> None:
    modes = {"O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_APPEND"}
    for path in FOLDER.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        named = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        # a serial line that is asked on is opened both ways; `Mouth.send` has the gate
        assert named & modes <= ({"O_RDWR"} if shown(path) == "serial_line.py" else set()), path
        for call in calls(path):
            if isinstance(call.func, ast.Name) and call.func.id == "open":
                mode = [ast.unparse(argument) for argument in call.args[1:2]]
                assert mode in ([], ["'rb'"], ["'r'"]), f"{path}:{call.lineno}"


def test_libraries_are_asked_for_nothing_but_reading() -> None:
    for name, allowed in LIBRARIES.items():
        tree = ast.parse((FOLDER / name).read_text(encoding="utf-8"))
        used = {
            node.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute)
            and ast.unparse(node.value) in {"client", "client.uaclient", "self._client",
                                            "self._client.uaclient"}
        }  # fmt: skip
        state = {
            "uaclient", "protocol", "state", "name",
            "description", "application_uri", "session_timeout", "secure_channel_timeout",
            "observer", "security_policy", "user_certificate", "user_private_key",
        }  # fmt: skip
        private = {attribute for attribute in used if attribute.startswith("_")}
        assert private <= {
            "_supervisor_task", "_stale_watchdog_task", "_renew_channel_task", "_publish_task",
        }  # fmt: skip
        assert used - private - state == allowed, name


def test_the_look_itself_finds_what_it_should(tmp_path: Path) -> None:
    path = tmp_path / "driver.py"
    path.write_text("def f(w, p):\n    w.write(b'x')\n    p.replace('a', 'b')\n    p.replace(q)\n")
    assert sending(path) == ["w.write(b'x')", "p.replace(q)"]
