"""A support archive: what is in it, and that no secret is, however it got into a text."""

import stat
import tarfile
import time
from pathlib import Path
from typing import Any

import pytest

from cloud.cli import main as cloud
from edge.cli import main as edge
from edge.relay.cli import main as relay
from evidence.support import LOG_BYTES, pack, secrets_of, tail, without_secrets
from tests.unit.cloud.evidence_examples import CLOUD_HEAD, CLOUD_PLANT, make_plant
from tests.unit.cloud.front.front_examples import write_front
from tests.unit.edge.relay.test_relay_file import GOOD, written
from tests.unit.edge.sites import METERS, write_keys, write_site

PEM = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIE\n-----END PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"key:\n{PEM}\nend", "key:\n[taken out]\nend"),
        ("-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEI cut off", "[taken out]"),
        ("postgresql://reader:s3cret@db/x", "postgresql://[taken out]@db/x"),
        ("Authorization: Bearer abc.def-_", "Authorization: Bearer [taken out]"),
        ("Authorization: Token a1b2c3d4e5==", "Authorization: Token [taken out]"),
        ("a token certificates need", "a token certificates need"),
        ('password = "hunter2"', "password = [taken out]"),
        ("api_token=abc123&x=1", "api_token=[taken out]&x=1"),
        ("{'secret': 'a b'}", "{'secret': [taken out]}"),
        ("pkcs11:object=k?pin-value=1234", "pkcs11:object=k?pin-value=[taken out]"),
        ('token = "file:secrets/influx"', 'token = "file:secrets/influx"'),
        ('key = "file:keys/edge-1.pem"', 'key = "file:keys/edge-1.pem"'),
        (
            'webhook = "https://chat.example/in/s3cret?key=a"',
            'webhook = "https://chat.example[taken out]"',
        ),
        ('webhook = "https://chat.example"', 'webhook = "https://chat.example"'),
        ("spinning = 3, 12 tokens", "spinning = 3, 12 tokens"),
        ("mqtt://reader:a/b@c@db:1883/x", "mqtt://[taken out]@db:1883/x"),
        ('smtp = "mail:a/b@mx.example:587"', 'smtp = "[taken out]@mx.example:587"'),
        ('proxy_login = "edge:s3cret"', "proxy_login = [taken out]"),
        ("x?credentials=edge:s3cret&tls=on", "x?credentials=[taken out]&tls=on"),
        ("proxy_login: 'edge:s3cret' must be", "proxy_login: [taken out] must be"),
        ("proxy_login: must be a reference", "proxy_login: must be a reference"),
        ('password = """two\nlines"""', "password = [taken out]"),
        ("token = '''file:t'''", "token = '''file:t'''"),
        (r'password = "a\"b" # our', "password = [taken out] # our"),
        (r'{"m": "password: \"a b\", on"}', r'{"m": "password: [taken out], on"}'),
        ('password = "cut off', "password = [taken out]"),
        ("X-Api-Key = a1b2", "X-Api-Key = [taken out]"),
        ('smtp = "a:b@c:d@mx:5"', 'smtp = "[taken out]@mx:5"'),
        ("pkcs11:object=k?pin-source=1234&x=1", "pkcs11:object=k?pin-source=[taken out]&x=1"),
        ("pkcs11:object=k?pin-source=file:p", "pkcs11:object=k?pin-source=file:p"),
        (
            '"webhook" = "https://chat.example/s3cret"',
            '"webhook" = "https://chat.example[taken out]"',
        ),
        ('webhook = "https://chat.example?key=a"', 'webhook = "https://chat.example[taken out]"'),
        (
            'webhook = """https://chat.example/a\'b"""',
            'webhook = """https://chat.example[taken out]"""',
        ),
    ],
)
def test_what_is_written_as_a_secret_is_taken_out(text: str, left: str) -> None:
    assert without_secrets(text) == left


def test_what_the_configuration_names_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "influx").write_text("user:pa55word\n")
    ours = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    (tmp_path / "own.crt").write_text(ours)
    (tmp_path / "both.pem").write_text(f"{ours}{PEM}\n")
    monkeypatch.setenv("DB_LOGIN", "open sesame")
    config = 'a = "file:influx"\nb = "file:own.crt"\nc = "env:DB_LOGIN"\nd = "file:away"\n'
    (tmp_path / "my secrets").mkdir()
    (tmp_path / "my secrets/db").write_text("walls have ears\n")
    config += 'e = "file:both.pem"\nf = "file:my secrets/db"\n'
    config += 'webhook = "https://chat.example/in?key=a1b2"\n'
    (tmp_path / "lims login").write_text("reader\np0stgres-s3cret\n")
    (tmp_path / "pin").write_text("2718281\n")
    config += f'url = "postgresql+ro://h/lims?credentials=file:{tmp_path}/lims%20login&tls=off"\n'
    config += 'key = "pkcs11:token=t;object=o?pin-source=file:pin&module-path=/m.so"\n'
    known = secrets_of(config, tmp_path)
    (line,) = PEM.splitlines()[1:2]
    of_files = {"user:pa55word", "pa55word", line, "walls have ears"}
    of_urls = {"reader", "p0stgres-s3cret", "2718281"}
    assert known == {"open sesame", "/in?key=a1b2"} | of_files | of_urls
    assert without_secrets("said pa55word, open sesame!", known) == "said [taken out], [taken out]!"


def test_a_reference_is_found_as_toml_writes_it(tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("open sesame\n")
    (tmp_path / "hook").write_text("https://chat.example/in/s3cret?key=a\n")
    assert "open sesame" in secrets_of(r'password = "file:\u0070w"', tmp_path)
    assert "open sesame" in secrets_of('is no TOML, "file:pw"', tmp_path)
    assert "/a1b2" in secrets_of("\"webhook\" = 'https://chat.example/a1b2'", tmp_path)
    known = secrets_of('a.webhook = "file:hook"', tmp_path)
    assert without_secrets("POST /in/s3cret?key=a: 404", known) == "POST [taken out]: 404"
    assert without_secrets("fine", ["no UTF-8: \udcff"]) == "fine"


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        ('"pass\\u0077ord" = "hunter2x"', "hunter2x"),
        ('smtp_password = [ "a", "hunter2x" ]', "hunter2x"),
        ('token = { "x.secret" = "hunter2x" }', "hunter2x"),
        ('password = """a\\"""\nhunter2x"""', "hunter2x"),
        ('key = "MC4CAQAwBQYDK2VwBCIEIPq1sYv0Q2hL3kR7"', "MC4CAQAwBQYDK2VwBCIEIPq1sYv0Q2hL3kR7"),
        ('webhook = "chat.example/hook/hunter2x"', "/hook/hunter2x"),
        ('webhook = "https:/chat.example/hunter2x"', "/hunter2x"),
        ("""url = "postgresql://u:o'hunter2x@db/x\"""", "o'hunter2x"),
        ('smtp = "a:b@c:hunter2x@mx:5"', "b@c:hunter2x"),
        ('smtp = "a:two words@mx:5"', "two words"),
    ],
)
def test_what_stands_in_place_of_a_reference_is_known(
    tmp_path: Path, line: str, secret: str
) -> None:
    """Such a configuration is refused: whoever wrote it asks for help. TOML is read as it reads."""
    assert secret in secrets_of(line, tmp_path)
    assert secret not in without_secrets(line, secrets_of(line, tmp_path))


def test_what_is_no_secret_stays(tmp_path: Path) -> None:
    """Somebody is to help with it: short words of a key would be taken out of every line."""
    for line in ('key = "edge-1.pem"', 'mail_to = ["ops@x.example"]', 'url = "opc.tcp://h:4840/x"'):
        assert not secrets_of(line, tmp_path)
        assert without_secrets(line) == line


#: of 'pä"s s/\\': as RFC 3986, forms, JSON with and without \\u, Python and RFC 7617 write it
@pytest.mark.parametrize(
    "spelt",
    [
        'pä"s s/\\', "p%C3%A4%22s%20s/%5C", "p%C3%A4%22s%20s%2F%5C", "p%C3%A4%22s+s%2F%5C",
        r"pä\"s s/\\", r"p\u00e4\"s s/\\", "cMOkInMgcy9c",
    ],
)  # fmt: skip
def test_a_known_secret_is_found_however_it_is_spelt(spelt: str) -> None:
    assert without_secrets(f"said <{spelt}>", ['pä"s s/\\']) == "said <[taken out]>"


def test_a_long_line_of_a_log_takes_a_moment() -> None:
    """Of a stranger's making; each doubling took four times as long, this one a minute."""
    start_s = time.process_time()
    without_secrets("a-" * 24_000)
    without_secrets("://x" * 12_000)
    assert time.process_time() - start_s < 10


def test_a_log_begins_with_a_whole_line(tmp_path: Path) -> None:
    """Half a line may be half of what would be known by its beginning."""
    log = tmp_path / "edge.log"
    log.write_text("password=" + "s3cret" * (LOG_BYTES // 6) + "\nstarted\n")
    assert tail(log) == "started\n"
    log.write_text("short\n")
    assert tail(log) == "short\n"


def test_a_part_that_fails_leaves_the_others(tmp_path: Path) -> None:
    def fails() -> str:
        raise ValueError("the disk is gone, token=abcdef")

    out = tmp_path / "s.tar.gz"
    assert pack(out, {"a": fails, "b": lambda: "fine"}, ()) != []
    told = read(out)
    assert told == {"a": "could not be made: the disk is gone, token=[taken out]\n", "b": "fine"}
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        pack(out, {}, ())


def read(out: Path) -> dict[str, str]:
    with tarfile.open(out) as archive:
        files = [(entry.name, archive.extractfile(entry)) for entry in archive]
        return {name: file.read().decode() for name, file in files if file is not None}


def no_line_of(secret: Path, told: dict[str, str]) -> bool:
    lines = [line for line in secret.read_text().splitlines() if "-----" not in line]
    assert lines
    return not any(line in text for line in lines for text in told.values())


def test_of_a_gateway(tmp_path: Path) -> None:
    write_keys(tmp_path / "keys")
    key = tmp_path / "keys/edge-1.pem"
    site = write_site(tmp_path, METERS)
    log = tmp_path / "edge.log"
    log.write_text(f"INFO started\nDEBUG {key.read_text()}\npassword: letmein\n")
    out = tmp_path / "s.tar.gz"
    wanted = ["support", str(site), "--out", str(out), "--log", str(log)]
    assert edge(wanted) == 1  # no spool yet: that part says so
    told = read(out)
    assert set(told) == {"status.txt", "site.toml", "machine.txt", "log-0.txt"}
    assert "no spool here" in told["status.txt"]
    assert 'key = "file:keys/edge-1.pem"' in told["site.toml"]
    assert "cryptography " in told["machine.txt"]
    assert told["log-0.txt"].startswith("INFO started")
    assert no_line_of(key, told)
    assert "letmein" not in str(told)
    assert edge(wanted) == 2  # it is there already


def test_of_a_gateway_whose_site_file_holds_secrets_itself(tmp_path: Path) -> None:
    """It is refused, and who wrote it asks for help: neither file nor complaint shows them."""
    write_keys(tmp_path / "keys")
    said = '[uplink]\nproxy = "http://p:3128"\nproxy_login = "edge:s3cret"'
    site = write_site(tmp_path, METERS.replace("[uplink]", said))
    out, log = tmp_path / "s.tar.gz", tmp_path / "edge.log"
    log.write_text("started\n")
    assert edge(["support", str(site), "--out", str(out), "--log", str(log)]) == 1
    told = read(out)
    assert "proxy_login: must be a reference" in told["status.txt"]
    assert "s3cret" not in str(told)


def test_of_a_relay(tmp_path: Path) -> None:
    said = 'proxy = "http://p:3128"\nproxy_login = "file:login"\n[[stream]]'
    file = written(tmp_path, GOOD.replace("[[stream]]", said))
    (tmp_path / "login").write_text("relay:pr0xy-s3cret\n")
    (log := tmp_path / "relay.log").write_text("407 for relay:pr0xy-s3cret\n")
    out = tmp_path / "s.tar.gz"
    assert relay(["support", str(file), "--out", str(out), "--log", str(log)]) == 0
    told = read(out)
    assert set(told) == {"status.txt", "relay.toml", "machine.txt", "log-0.txt"}
    assert "relay not running" in told["status.txt"]
    assert 'proxy_login = "file:login"' in told["relay.toml"]
    assert told["log-0.txt"] == "407 for [taken out]\n"


def test_of_a_front(tmp_path: Path) -> None:
    file = write_front(tmp_path, {"north": "https://n.example"}, reader="grafana")
    secrets = [path for path in tmp_path.rglob("*") if path.is_file() and path != file]
    (log := tmp_path / "front.log").write_text("\n".join(one.read_text() for one in secrets))
    out = tmp_path / "s.tar.gz"
    assert cloud(["support", str(file), "--out", str(out), "--log", str(log)]) == 1
    told = read(out)
    assert set(told) == {"collectors.json", "front.toml", "machine.txt", "log-0.txt"}
    assert "could not be made" in told["collectors.json"]  # it does not run
    assert 'name = "grafana"' in told["front.toml"]
    assert len(secrets) >= 2
    assert all(no_line_of(one, told) for one in secrets)


def test_of_a_front_whose_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "FRONT.toml").write_text('[[collector]]\nname = 5\ntoken = "s3cret-of-north"\n=')
    asked = list[str]()
    monkeypatch.setattr("evidence.cli_support.journal", lambda unit: asked.append(unit) or "")
    out = tmp_path / "s.tar.gz"
    assert cloud(["support", str(tmp_path / "FRONT.toml"), "--out", str(out)]) == 1
    assert asked == ["stackproof-front"]
    assert "s3cret-of-north" not in str(read(out))


@pytest.mark.parametrize("config", [b"[cloud\n", b"\xff\n", b"[cloud]\nstate_dir = 5\n"])
def test_of_a_file_that_nobody_can_read(tmp_path: Path, config: bytes) -> None:
    """Its owner has the most need of help."""
    (file := tmp_path / "FILE.toml").write_bytes(config)
    (log := tmp_path / "log").write_text("started\n")
    for room, name in ((edge, "site.toml"), (cloud, "cloud.toml"), (relay, "relay.toml")):
        out = tmp_path / name
        assert room(["support", str(file), "--out", str(out), "--log", str(log)]) == 1
        told = read(out)
        assert told[name] == config.decode(errors="replace")
        assert "could not be made: " in told["machine.txt"]
        assert told["log-0.txt"] == "started\n"


def test_without_a_look_at_each_secret_nothing_is_packed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who reads the journal, and not the key, would pack what he does not know."""
    site, out = write_site(tmp_path, 'key = "file:secret"\n'), tmp_path / "s.tar.gz"
    (secret := tmp_path / "secret").write_text("open sesame\n")
    read_text = Path.read_text

    def closed(path: Path, **more: Any) -> str:
        if path == secret:
            raise PermissionError(13, "Permission denied", str(path))
        return read_text(path, **more)

    monkeypatch.setattr(Path, "read_text", closed)
    assert edge(["support", str(site), "--out", str(out), "--log", str(site)]) == 2
    assert f"{secret}: Permission denied" in capsys.readouterr().err
    assert not out.exists()


def test_of_a_collector_that_does_not_run(tmp_path: Path) -> None:
    make_plant(tmp_path)
    config = tmp_path / "CLOUD.toml"
    config.write_text(CLOUD_HEAD + CLOUD_PLANT)
    (tmp_path / "state").mkdir()
    token, key = tmp_path / "state/api.token", tmp_path / "mini/collector.pem"
    token.write_text("tHeToKeN-of-43-characters\n")
    log = tmp_path / "cloud.log"
    log.write_text(f"asked with tHeToKeN-of-43-characters; {key.read_text()}")
    out = tmp_path / "s.tar.gz"
    assert cloud(["support", str(config), "--out", str(out), "--log", str(log)]) == 1
    told = read(out)
    assert set(told) == {"health.json", "streams.json", "cloud.toml", "machine.txt", "log-0.txt"}
    assert "no collector runs with" in told["health.json"]
    assert "MiB free" in told["machine.txt"]
    assert no_line_of(token, told)
    assert no_line_of(key, told)
