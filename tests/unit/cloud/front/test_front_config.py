"""FRONT.toml: what is wrong in it is said, and nothing is started."""

from pathlib import Path

import pytest

from cloud import cli
from cloud.config_elsewhere import url_fault
from cloud.front.config import load_front
from tests.unit.cloud.front.front_examples import write_front

COLLECTOR = '[[collector]]\nname = "north"\nurl = "https://n.example"\ntoken = "file:north"\n'
SIGN_IN = '[sign_in]\ntoken = "file:north"\nuser = "X-Forwarded-User"\n'
READER = '[[reader]]\nname = "g"\ntoken = "file:g"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("format = 2\n" + COLLECTOR, "format: must be 1"),
        ("format = 1\n", "collector: there must be 1 to 256"),
        ("format = 1\n" + COLLECTOR * 2, "collector: north stands here twice"),
        (
            "format = 1\n" + COLLECTOR + COLLECTOR.replace('"north"', '"south"'),
            "collector: https://n.example stands here twice",
        ),
        ("format = 1\n" + COLLECTOR.replace("https", "http"), "would send the token in clear"),
        ("format = 1\n" + COLLECTOR.replace("file:north", "s3cret"), "is no reference"),
        ("format = 1\n" + COLLECTOR.replace("file:north", "file:none"), "none: No such file"),
        ("format = 1\n" + COLLECTOR.replace('"north"', '"No rth"'), "must match"),
        ("format = 1\n" + COLLECTOR + 'ca = "file:north"\n', "cannot be used"),
        ("format = 1\n" + COLLECTOR + 'pages = "javascript:alert(1)"\n', 'is not "https://'),
        ("format = 1\n" + COLLECTOR + READER, "is short: 32 characters"),
        ('format = 1\n[http]\nnames = ["front.example"]\n' + COLLECTOR, "reader: is needed"),
        ("format = 1\n" + COLLECTOR + SIGN_IN.replace("north", "g"), "is short: 32 characters"),
        ("format = 1\n" + COLLECTOR + SIGN_IN.replace("X-Forwarded-User", "Cookie"), "no header"),
        ("format = 1\n" + COLLECTOR + SIGN_IN + 'sign_out = "//evil.example"\n', "is no path"),
        (
            "format = 1\n" + COLLECTOR + READER.replace("file:g", "file:north") + SIGN_IN,
            "is a reader's too",
        ),
        ("format = 1\n[http]\naccounts = true\n" + COLLECTOR, "http.accounts: unknown key"),
        ('format = 1\n[http]\nhost = "0.0.0.0"\n' + COLLECTOR, "allow_remote = true"),
        ("format = ", "is not TOML"),
    ],
)
def test_what_is_wrong_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    (tmp_path / "north").write_text("t" * 32)
    (tmp_path / "g").write_text("short")
    (tmp_path / "FRONT.toml").write_text(text)
    assert cli.main(["front", str(tmp_path / "FRONT.toml"), "--check"]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert "s3cret" not in told


def test_what_is_fine_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_front(tmp_path, {"north": "https://n.example/"}, reader="grafana")
    config = load_front(path)
    assert [(one.name, one.url, one.pages) for one in config.collectors] == [
        ("north", "https://n.example", "https://n.example")
    ]
    assert "t" * 32 not in repr(config)
    assert "grafana" * 8 not in repr(config)
    secrets = [file for file in tmp_path.iterdir() if file != path]
    for mode, told in ((0o644, 2), (0o640, 0)):
        for file in secrets:
            file.chmod(mode)
        assert cli.main(["front", str(path), "--check"]) == 0
        first, *more = capsys.readouterr().out.splitlines()
        assert first.endswith("fine; 1 collector(s), 1 reader(s)")
        assert len(more) == told
        assert all("open to others (mode 0644); run: chmod o= " in said for said in more), more


@pytest.mark.parametrize("url", ["https://a:b@n.example", "https://n.example/x", "http://[::1"])
def test_an_address_that_is_none(url: str) -> None:
    assert url_fault(url)
