"""What the commissioning page lets itself be asked, its words, and that text stays text."""

import json
import re
from pathlib import Path

import pytest

import edge.commissioning.page as package
from edge.commissioning.findings import LAYERS, State
from edge.commissioning.page.request import (
    Asked,
    UnaskableError,
    is_ours,
    parse_form,
    parse_path,
)
from edge.commissioning.page.tags import Markup, tag
from firmware_configs.model import QUALITY_LEVELS

FOLDER = Path(package.__file__).parent
TEXTS = json.loads((FOLDER / "strings.json").read_text(encoding="utf-8"))
#: keys that are put together: their first piece, and what follows it
MADE = {
    "level": QUALITY_LEVELS,
    "layer": LAYERS, "fix": LAYERS, "state": [state.name for state in State],
    "step": ("devices", "clock", "round-trip", "record"),
    "said": ("status", "source-time", "data-type", "sent-as", "display-name"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/T", Asked("en", "devices")),
        ("/T/", Asked("en", "devices")),
        ("/T/zh", Asked("zh", "devices")),
        ("/T/en/point/ac-1.power", Asked("en", "point", "ac-1.power")),
    ],
)
def test_addresses(path: str, asked: Asked) -> None:
    assert parse_path(path, "T") == asked


@pytest.mark.parametrize(
    "path",
    ["/", "/t/en", "/T2/en", "/T/fr/devices", "/T/en/point/a/b", "/T/en/point/%2e%2e",
     "/T/en/point/a?b", "/T/en/" + "x" * 300, "/T/en/ü"],
)  # fmt: skip
def test_what_is_no_address(path: str) -> None:
    with pytest.raises(UnaskableError):
        parse_path(path, "T")


def test_a_form() -> None:
    assert parse_form(b"face=12.5&by=%E6%9D%8E+Wei&tolerance=") == {
        "face": "12.5", "by": "李 Wei", "tolerance": "",
    }  # fmt: skip
    assert parse_form(b"") == {}


@pytest.mark.parametrize(
    "data",
    [b"face", b"face=1&face=2", b"a=%FF", b"\xff=1", b"a=" + b"1" * 4096,
     "&".join(f"f{n}=1" for n in range(17)).encode()],
)  # fmt: skip
def test_what_is_no_form(data: bytes) -> None:
    with pytest.raises(UnaskableError):
        parse_form(data)


@pytest.mark.parametrize(
    ("host", "origin", "ours"),
    [
        ("127.0.0.1:8610", None, True),
        ("localhost:9000", "http://localhost:9000", True),  # through ssh -L
        ("[::1]:8610", None, True),
        (None, None, False),
        ("evil.example:8610", None, False),  # DNS that was bent to 127.0.0.1
        ("127.0.0.1.evil.example", None, False),
        ("127.0.0.1:8610", "http://evil.example", False),
        ("127.0.0.1:8610", "http://127.0.0.1:8000", False),  # another program of this machine
        ("127.0.0.1:8610", "null", False),
        ("127.0.0.1:8610", "http://[::1", False),
    ],
)
def test_whose_request_it_is(host: str | None, origin: str | None, ours: bool) -> None:
    assert is_ours(host, origin) is ours


def test_text_stays_text() -> None:
    assert tag("p", "<b>&", title='"><i>') == '<p title="&quot;&gt;&lt;i&gt;">&lt;b&gt;&amp;</p>'
    assert tag("p", tag("b", "x"), None, hidden=True, lang=None) == "<p hidden><b>x</b></p>"
    assert isinstance(tag("link", rel="icon"), Markup)


def test_every_word_is_used_and_said_in_both_languages() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in FOLDER.glob("*.py"))
    used = set(re.findall(r'["\']([a-z]+(?:[.-][a-z-]+)*)["\']', source))
    made = {f"{head}.{tail}" for head, tails in MADE.items() for tail in tails}
    assert set(TEXTS) - used - made == set()
    assert made <= set(TEXTS)
    asked = set(re.findall(r'(?:words|RefusedError)\(\s*"([a-z.-]+)"', source))
    assert asked - set(TEXTS) == set()
    for key, said in TEXTS.items():
        assert set(said) == {"en", "zh"}, key
        assert set(re.findall(r"{\w+}", said["en"])) == set(re.findall(r"{\w+}", said["zh"])), key
        assert not re.search(r"[\u4e00-\u9fff][,;:()?!]|[,;:()?!][\u4e00-\u9fff]", said["zh"]), key
