"""Addresses of databases: every mistake named before anything is connected, and no secret shown."""

import sys
from pathlib import Path
from types import ModuleType

import pytest

from edge.drivers.base import DeviceError
from edge.drivers.table import place
from edge.drivers.table.database import DatabaseError, Login
from edge.drivers.table.place import parse_place
from tests.unit.edge.drivers.row_specs import row_spec, table


def parsed(url: str) -> place.Place:
    return parse_place(row_spec(url, table()))


def test_a_file() -> None:
    made = parsed("sqlite+ro:///var/lib/lims/a%20b.db?after=17")
    assert made.shown == "/var/lib/lims/a b.db"
    assert made.after == 17
    assert parsed("sqlite+ro:///x.db?after=AB-7").after == "AB-7"
    assert parsed("sqlite+ro:///x.db").after is None


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("sqlite+ro://", "names no file"),
        ("sqlite+ro://host/x.db", "names no file"),
        ("sqlite+ro:///", "names no file"),
        ("sqlite+ro:///x.db#a", "names no file"),
        ("sqlite+ro:///x.db?mode=rwc", "unknown option 'mode'"),
        ("sqlite+ro:///x.db?after=1&after=2", "twice"),
        ("sqlite+ro:///x.db?after=", "no key"),
        ("sqlite+ro:///x%00.db", "cannot be printed"),
        ("sqlite+ro:///x%ff.db", "invalid start byte"),
        ("postgresql+ro://h", "names no database"),
        ("postgresql+ro://h/a/b", "names no database"),
        ("postgresql+ro://h/lims", "credentials must be file:"),
        ("postgresql+ro://h/lims?credentials=secret", "credentials must be file:"),
        ("postgresql+ro://u:p@h/lims?credentials=file:/x", "never part of a url"),
        ("postgresql+ro://h/lims?credentials=file:/x&tls=maybe", "tls 'maybe'"),
        ("postgresql+ro://h/lims?credentials=file:/x&colour=red", "unknown option 'colour'"),
        ("postgresql+ro://h:0/lims?credentials=file:/x", "port 0"),
    ],
)
def test_what_cannot_work_is_said(url: str, reason: str) -> None:
    with pytest.raises(DeviceError, match=reason) as caught:
        parsed(url)
    assert caught.value.retry is False
    assert url in str(caught.value)


def test_a_module_that_is_not_installed_is_named_with_what_to_install() -> None:
    with pytest.raises(DeviceError, match=r"needs the Python module oracledb: pip install"):
        parsed("oracle+ro://h/lims?credentials=file:/x")


@pytest.mark.parametrize(
    ("version", "tls", "is_taken"),
    [((1, 1, 3, "final"), "on", False), ((1, 1, 3, "final"), "off", True),
     ((1, 2, 0, "final"), "on", True)],
)  # fmt: skip
def test_a_module_that_goes_on_without_tls_is_not_used_for_it(
    monkeypatch: pytest.MonkeyPatch, version: tuple[object, ...], tls: str, is_taken: bool
) -> None:
    """Before 1.2 it tells the password to whoever answers and offers no TLS."""
    module = ModuleType("pymysql")
    module.__dict__["VERSION"] = version
    monkeypatch.setitem(sys.modules, "pymysql", module)
    url = f"mysql+ro://h/lims?credentials=file:/x&tls={tls}"
    if is_taken:
        assert parsed(url).shown == "h:3306/lims"
        return
    with pytest.raises(DeviceError, match=r"pymysql: pip install 'pymysql>=1\.2'"):
        parsed(url)


def credentials(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "lims.credentials"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_credentials_are_two_lines_of_a_file_that_is_the_owners_alone(tmp_path: Path) -> None:
    assert place._credentials(credentials(tmp_path, "reader\ns3cret word\n")) == (
        "reader", "s3cret word",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "mode", "reason"),
    [
        ("reader\ns3cret\n", 0o640, "owner alone"),
        ("reader\ns3cret\n", 0o604, "owner alone"),
        ("reader\n", 0o600, "two lines"),
        ("reader\ns3cret\nmore\n", 0o600, "two lines"),
        ("\ns3cret\n", 0o600, "two lines"),
        ("a\n" + "s3cret" * 400, 0o600, "two lines"),
    ],
)
def test_others_are_refused_without_what_stands_in_them(
    tmp_path: Path, text: str, mode: int, reason: str
) -> None:
    with pytest.raises(DatabaseError, match=reason) as caught:
        place._credentials(credentials(tmp_path, text, mode))
    assert "s3cret" not in str(caught.value)


def test_no_file_and_no_text(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="cannot be read: No such file"):
        place._credentials(tmp_path / "none")
    with pytest.raises(DatabaseError, match="owner alone"):
        place._credentials(tmp_path)
    binary = tmp_path / "b"
    binary.write_bytes(b"a\xff\nb\n")
    binary.chmod(0o600)
    with pytest.raises(DatabaseError, match="not UTF-8"):
        place._credentials(binary)


def test_a_login_shows_no_password() -> None:
    assert "s3cret" not in repr(Login("h", 1, "d", "u", "s3cret", 1.0, tls=True))
