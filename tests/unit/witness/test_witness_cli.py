"""The witness's command: its configuration, its rounds, and a collector that is none."""

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import stackproof
from evidence.keys import write_private
from tests.attacks.by_keys import private
from witness import asking, cli
from witness.asking import Collector
from witness.config import Watched, read_config
from witness.errors import ForkError, NotAskedError, WitnessConfigError

GOOD = """folder = "notes"
key = "file:qin.pem"
[[collector]]
url = "https://collector.example/"
token = "file:token"
person = "qin"
keys = ["collector.pem"]
plants = ["smelter", "kiln-a"]
"""


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    write_private(tmp_path / "qin.pem", private(61))
    write_private(tmp_path / "collector.pem", private(3))
    (tmp_path / "token").write_text("secret\n")
    (tmp_path / "token").chmod(0o600)
    (tmp_path / "witness.toml").write_text(GOOD)
    return tmp_path


# -- configuration ------------------------------------------------------------------------------


def test_paths_begin_at_the_files_folder(desk: Path) -> None:
    config = read_config(desk / "witness.toml")
    (one,) = config.collectors
    assert config.folder == desk / "notes"
    assert (one.url, one.token, one.plants) == (
        "https://collector.example", "secret", ("smelter", "kiln-a"),
    )  # fmt: skip
    assert (one.is_sent, one.ca, config.warnings) == (True, None, ())


def test_a_token_of_the_environment_and_one_that_others_can_read(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (desk / "token").chmod(0o644)
    assert "chmod o=" in read_config(desk / "witness.toml").warnings[0]
    text = GOOD.replace("file:token", "env:WITNESS_TOKEN")
    (desk / "witness.toml").write_text(text)
    monkeypatch.setenv("WITNESS_TOKEN", "of-the-environment")
    assert read_config(desk / "witness.toml").collectors[0].token == "of-the-environment"  # noqa: S105 - of this test


def test_all_that_is_wrong_is_said_at_once(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = GOOD.replace('person = "qin"', 'person = "Qin"\nwebhook = "x"\nsend = "no"')
    text = text.replace("file:qin.pem", "file:none.pem").replace('"kiln-a"', '"smelter"')
    (desk / "witness.toml").write_text(text)
    assert stackproof.main(["witness", "run", "--once", str(desk / "witness.toml")]) == 2
    said = capsys.readouterr().err
    for wrong in ("unknown key webhook", "send must be a bool", "none.pem"):
        assert wrong in said, said
    (desk / "witness.toml").write_text(GOOD.replace('"kiln-a"', '"smelter", "Kiln"'))
    with pytest.raises(WitnessConfigError, match="smelter: name each once") as caught:
        read_config(desk / "witness.toml")
    assert "'Kiln' is no id" in str(caught.value)


@pytest.mark.parametrize("text", ["= 1", GOOD.replace("plants", "plant"), GOOD[:30], "\xff"])
def test_what_is_no_configuration_is_refused(desk: Path, text: str) -> None:
    (desk / "witness.toml").write_bytes(text.encode("latin1"))
    with pytest.raises(WitnessConfigError, match=r"witness\.toml: "):
        read_config(desk / "witness.toml")


# -- a collector that is none -------------------------------------------------------------------


class Strange(http.server.BaseHTTPRequestHandler):
    """Answers with what the test wants."""

    said: tuple[int, bytes] = 200, b""

    def do_GET(self) -> None:
        status, body = self.said
        self.send_response(status)
        self.send_header("Location", "http://127.0.0.1:1/")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def strange() -> Iterator[Collector]:
    server = http.server.HTTPServer(("127.0.0.1", 0), Strange)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield Collector(of(f"http://127.0.0.1:{server.server_port}"))
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def of(url: str) -> Watched:
    return Watched(url, "secret", "qin", (), ("smelter",), True, None)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ((200, b"x" * 5_000), "more than 4096 bytes"),
        ((200, b"\xff"), "not UTF-8"),
        ((302, b""), "refuses"),
        ((403, b'{"detail": "not with secret"}'), "not with …"),
        ((500, b"[" * 60_000), "refuses"),
    ],
)
def test_a_checkpoint_is_small_text_from_the_address_that_was_named(
    strange: Collector, said: tuple[int, bytes], told: str
) -> None:
    Strange.said = said
    with pytest.raises(NotAskedError) as caught:
        strange.checkpoint("smelter")
    assert "secret" not in str(caught.value)
    assert (told in str(caught.value)) or said[0] == 500


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"path": 1}', b'{"path": ["zz"]}', b'{"path": [1]}', b"[" * 9_000,
             b'{"path": [' + b'"",' * 200 + b'""]}'],
)  # fmt: skip
def test_a_proof_is_a_list_of_hashes(strange: Collector, body: bytes) -> None:
    Strange.said = 200, body
    with pytest.raises(NotAskedError, match=r"^http"):
        strange.consistency("smelter", 3, 7)


def test_an_answer_that_never_ends_is_cut(
    strange: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "WHOLE_S", 0.5)
    stop = threading.Event()

    def trickle(self: Strange) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            while not stop.wait(0.05):
                self.wfile.write(b"x")
        except OSError:
            return

    monkeypatch.setattr(Strange, "do_GET", trickle)
    try:
        told = strange.checkpoint("smelter")
    except NotAskedError:
        told = ""
    finally:
        stop.set()
    assert len(told) < 100


@pytest.mark.parametrize("url", ["http://collector.example", "ftp://a", "https://", "https://[x"])
def test_the_token_goes_to_another_machine_with_tls_only(url: str) -> None:
    with pytest.raises(NotAskedError):
        Collector(of(url))


# -- rounds -------------------------------------------------------------------------------------


def test_a_daemon_asks_again_soon_what_failed_and_ends_at_a_fork(
    desk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock, asked = [1_000], list[tuple[str, int]]()

    def visit(plant: str, *_: object, **__: object) -> object:
        asked.append((plant, clock[0]))
        if plant == "kiln-a" and clock[0] < 2_000:
            raise NotAskedError("away")
        if clock[0] > 80_000:
            raise ForkError("FORK")
        return cli.Visited(plant, 3, 4, None)

    def sleep(seconds: float) -> None:
        clock[0] += int(seconds)

    monkeypatch.setattr(cli, "visit", visit)
    monkeypatch.setattr(cli, "now_s", lambda: clock[0])
    monkeypatch.setattr("time.sleep", sleep)
    assert stackproof.main(["witness", "run", "--every", "24h", str(desk / "witness.toml")]) == 1
    day = 86_400
    assert asked == [
        ("smelter", 1_000), ("kiln-a", 1_000), ("kiln-a", 1_600), ("kiln-a", 2_200),
        ("smelter", 1_000 + day),
    ]  # fmt: skip
    told = capsys.readouterr()
    assert "kiln-a: away" in told.err
    assert "smelter: FORK" in told.err
    assert "log of 4 entries (it continues 3)" in told.out


def test_once_a_fork_outweighs_what_could_not_be_asked(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def visit(plant: str, *_: object, **__: object) -> object:
        raise ForkError("x") if plant == "smelter" else NotAskedError("y")

    monkeypatch.setattr(cli, "visit", visit)
    assert stackproof.main(["witness", "run", "--once", str(desk / "witness.toml")]) == 1


@pytest.mark.parametrize("span", ["", "24", "0h", "1w", "-1h"])
def test_a_span_is_a_number_and_a_unit(span: str) -> None:
    with pytest.raises(SystemExit):
        cli.main(["run", "--every", span, "x.toml"])


def test_a_plant_that_was_never_visited_is_listed_as_such(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stackproof.main(["witness", "list", str(desk / "witness.toml")]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "smelter: nothing kept yet", "kiln-a: nothing kept yet",
    ]  # fmt: skip
