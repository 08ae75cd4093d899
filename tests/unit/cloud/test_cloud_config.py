"""CLOUD.toml: what it gives, and every mistake in it at once, with file, key and reason."""

from pathlib import Path

import pytest

from cloud import config as config_module
from cloud.cli import main
from cloud.config import CloudConfig, load_cloud, read_state_dir
from cloud.errors import CloudConfigError
from evidence.keys import FileSigner, generate, write_private
from tests.unit.cloud.evidence_examples import CLOUD_HEAD, CLOUD_PLANT, ExamplePlant, make_plant
from tests.unit.firmware_configs.hostile_toml import HOSTILE_TOML, assert_plain

GOOD = f"""\
{CLOUD_HEAD.replace("00", "0f")}[broker]
mode = "embedded"
port = 0
[http]
host = "127.0.0.1"
port = 0
{CLOUD_PLANT}"""


@pytest.fixture
def plant(tmp_path: Path) -> ExamplePlant:
    return make_plant(tmp_path)


def load(folder: Path, text: str) -> CloudConfig:
    path = folder / "CLOUD.toml"
    path.write_text(text)
    return load_cloud(path)


def problems(folder: Path, text: str) -> dict[str, str]:
    """Key -> reason."""
    with pytest.raises(CloudConfigError) as caught:
        load(folder, text)
    assert {p.file for p in caught.value.problems} == {str(folder / "CLOUD.toml")}
    return {problem.key: problem.reason for problem in caught.value.problems}


def test_a_good_file_gives_everything(tmp_path: Path, plant: ExamplePlant) -> None:
    config = load(tmp_path, GOOD)
    assert config.slice == "0f"
    assert config.evidence_dir == tmp_path / "evidence"
    assert config.state_dir == tmp_path / "state"
    assert config.archive_dir == tmp_path / "archives"
    assert (config.broker.embedded, config.broker.port) == (True, 0)
    assert (config.http.host, config.http.port, config.http.names) == ("127.0.0.1", 0, ())
    assert config.signer.kid == plant.collector.kid
    (identity,) = config.plants
    assert identity == plant.identity()


def test_months_close_by_hand_unless_it_says_otherwise(tmp_path: Path, plant: ExamplePlant) -> None:
    months = load(tmp_path, GOOD).months
    assert (months.close, months.settle_ns) == ("by-hand", 24 * 3_600_000_000_000)
    table = '[months]\nclose = "{}"\nsettle_h = {}\n[[plant]]'
    months = load(tmp_path, GOOD.replace("[[plant]]", table.format("when-complete", 2))).months
    assert (months.close, months.settle_h) == ("when-complete", 2)
    wrong = GOOD.replace("[[plant]]", table.format("at-deadline", -1))
    assert set(problems(tmp_path, wrong)) == {"months.close", "months.settle_h"}


def test_broker_and_http_have_defaults(tmp_path: Path, plant: ExamplePlant) -> None:
    text = GOOD[: GOOD.index("[broker]")] + GOOD[GOOD.index("[[plant]]") :]
    config = load(tmp_path, text)
    assert (config.broker.embedded, config.broker.port, config.broker.url) == (True, 1883, "")
    assert (config.http.host, config.http.port) == ("127.0.0.1", 8600)


def test_an_external_broker_has_a_url(tmp_path: Path, plant: ExamplePlant) -> None:
    external = 'mode = "external"\nurl = "mqtt://10.0.0.9:1883"\n'
    text = GOOD.replace('mode = "embedded"\nport = 0\n', external)
    assert load(tmp_path, text).broker.url == "mqtt://10.0.0.9:1883"
    assert not load(tmp_path, text).broker.embedded


TLS = """\
mode = "external"
url = "mqtts://broker.example:8883"
ca = "file:broker/ca.crt"
certificate = "file:broker/collector.crt"
key = "file:broker/collector.pem"
register = "file:broker"
ca_key = "file:broker/ca.pem"
"""


@pytest.mark.usefixtures("plant")
def test_a_broker_with_tls_has_its_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make = ["broker", "new", "--host", "broker.example", "--slice", "0f", "--out"]
    assert main([*make, str(tmp_path / "broker")]) == 0
    assert "collector.crt: collector-0f, until" in capsys.readouterr().out
    text = GOOD.replace('mode = "embedded"\nport = 0\n', TLS)
    broker = load(tmp_path, text).broker
    assert broker.tls is not None
    assert broker.register is not None
    assert broker.register.signs
    assert broker.tls.context().check_hostname
    for old, new, key, words in (
        ("collector.crt", "server.crt", "broker.certificate", "does not belong to"),
        ("collector.pem", "nothing.pem", "broker.key", "cannot be read"),
        ("file:broker/collector.pem", "s3cret", "broker.key", "is not a reference"),
        ("//broker.example:8883", "//u:s3cret@b:99999", "broker.url", "is no address"),
        ("//broker.example", "/u:s3cret@b", "broker.url", 'is not "mqtts://host:port"'),
        ("broker/ca.crt", "broker/ca.pem", "broker.ca", "not PEM certificates"),
        ("broker/ca.pem", "broker/server.pem", "broker.ca_key", "does not belong to the CA"),
        ('register = "file:broker"\n', "", "broker.register", "is missing: ca_key"),
        ('ca = "file:broker/ca.crt"\n', "", "broker.ca", "is missing"),
        ("mqtts://", "mqtt://", "broker.ca", "belongs to an mqtts:// url"),
    ):
        found = problems(tmp_path, text.replace(old, new))
        assert words in found[key]
        assert "s3cret" not in str(found)
    assert load(tmp_path, text.replace('ca_key = "file:broker/ca.pem"\n', "")).broker.register
    assert "broker.key" in problems(tmp_path, text.replace('"external"', '"embedded"'))
    assert main(["broker", "relay", str(tmp_path / "broker"), "--name", "west"]) == 0
    relay = 'certificate = "file:broker/relay-west.crt"\nstreams = ["mini/edge-1"]\n'
    one = f"[[broker.relay]]\n{relay}"
    (known,) = load(tmp_path, text + one).broker.relays
    assert (known.name, known.streams) == ("relay-west", [("mini", "edge-1")])
    for old, new, index, field, words in (
        ("relay-west", "collector", 0, "certificate", "is no relay's name"),
        ("relay-west", "nobody", 0, "certificate", "nobody.crt"),
        ('"mini/edge-1"', '"mini"', 0, "streams", '"plant/gateway"'),
        (one, one * 2, 1, "certificate", "relay-west stands here twice"),
    ):
        found = problems(tmp_path, text + one.replace(old, new))
        assert words in found[f"broker.relay[{index}].{field}"]


def test_a_time_stamping_authority_may_be_named(tmp_path: Path, plant: ExamplePlant) -> None:
    assert load(tmp_path, GOOD).tsa_url == ""
    named = GOOD.replace("[broker]", 'tsa_url = "https://tsa.example/"\n[broker]')
    assert load(tmp_path, named).tsa_url == "https://tsa.example/"
    found = problems(tmp_path, named.replace("https", "gopher"))
    assert found == {"cloud.tsa_url": '\'gopher://tsa.example/\' is not "http://…" or "https://…"'}


def test_several_plants_with_their_own_collector_certificates(
    tmp_path: Path, plant: ExamplePlant
) -> None:
    """One collector key, certified by each plant's own root."""
    other = make_plant(tmp_path, "maxi", ("edge-1", "edge-2"), collector=plant.collector)
    more = """\
[[plant]]
id = "maxi"
root = "file:maxi/root.crt"
collector = "file:maxi/collector.crt"
gateways = ["file:maxi/edge-1.crt", "file:maxi/edge-2.crt"]
"""
    config = load(tmp_path, GOOD + more)
    assert config.plants == (plant.identity(), other.identity())
    found = problems(tmp_path, GOOD + more.replace('collector = "file:maxi/collector.crt"\n', ""))
    assert list(found) == ["plant[1].collector"]
    said = found["plant[1].collector"]
    assert "needed is one of collector maxi/" in said
    assert "keys enrol --role collector), and name that here: collector =" in said


def test_every_mistake_is_told_at_once(tmp_path: Path, plant: ExamplePlant) -> None:
    text = """\
format = 2
typo = 1
[cloud]
slice = "zz"
evidence_dir = 5
key = "mini/collector.pem"
certificate = "file:mini/nothing.crt"
[broker]
mode = "internal"
port = 70000
[http]
hots = "127.0.0.1"
[[plant]]
id = "Mini"
root = "file:mini/root.crt"
gateways = []
"""
    found = problems(tmp_path, text)
    assert list(found) == [
        "format", "cloud.slice", "cloud.evidence_dir", "cloud.state_dir", "cloud.key",
        "broker.mode", "broker.port", "http.hots", "plant[0].id", "plant[0].gateways",
        "plant[0].collector", "typo",
    ]  # fmt: skip
    assert found["cloud.slice"] == '\'zz\' is not two hex digits "00" to "ff"'
    assert found["cloud.key"] == "no key reference: write file:PATH or pkcs11:URI"
    assert found["http.hots"] == "unknown key; did you mean 'host'?"


@pytest.mark.parametrize(
    ("old", "new", "key", "words"),
    [
        ('key = "file:mini/collector.pem"\n', 'key = "file:none.pem"\n', "cloud.key",
         "none.pem: cannot be read: No such file or directory"),
        ('"file:mini/root.crt"', '"file:mini/edge-1.crt"', "plant[0].root",
         "needed is one of root mini/"),
        ('["file:mini/edge-1.crt"]', '["file:mini/collector.crt"]', "plant[0].gateways",
         "needed is one of gateway mini/"),
        ('["file:mini/edge-1.crt"]', '["file:mini/edge-1.crt", 5]', "plant[0].gateways",
         "5 is not a reference"),
        ('["file:mini/edge-1.crt"]', '"file:mini/edge-1.crt"', "plant[0].gateways",
         "is not a list"),
        ('id = "mini"', 'id = "other"', "plant[0].root", "needed is one of root other/"),
        ('host = "127.0.0.1"', 'host = "0.0.0.0"', "http.host",
         "can be reached from other machines"),
        ('host = "127.0.0.1"', 'host = "collector.example"', "http.host", "allow_remote = true"),
        ('host = "127.0.0.1"', 'allow_remote = "yes"', "http.allow_remote", "true or false"),
        ('host = "127.0.0.1"', 'accounts = "no"', "http.accounts", "true or false"),
        ('id = "mini"', 'id = "mini"\nregion = "3707 "', "plant[0].region", "2, 4 or 6 digits"),
        ('id = "mini"', 'id = "mini"\nregion = 370700', "plant[0].region", "is not text"),
        ('host = "127.0.0.1"', "names = [1]", "http.names", "must be a list of names"),
        ('mode = "embedded"\nport = 0', 'mode = "external"', "broker.url", "is missing"),
        ('mode = "embedded"\nport = 0', 'mode = "external"\nurl = "http://x:1"', "broker.url",
         'is not "mqtts://host:port" or "mqtt://host:port"'),
        ('mode = "embedded"\nport = 0', 'mode = "external"\nurl = "mqtt://x:99999"', "broker.url",
         "Port out of range"),
        ('mode = "embedded"\nport = 0', 'mode = "external"\nurl = "mqtt://u:p@x:1"', "broker.url",
         "must not hold a password"),
        ('mode = "embedded"\nport = 0', 'mode = "embedded"\nurl = "mqtt://x:1"', "broker.url",
         'belongs to mode = "external"'),
        ('mode = "embedded"\nport', 'mode = "external"\nurl = "mqtt://x:1"\nport', "broker.port",
         'belongs to mode = "embedded"'),
        ("[http]", "[web]", "web", "unknown key"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("plant")
def test_each_mistake_names_its_key_and_what_would_be_right(
    tmp_path: Path, old: str, new: str, key: str, words: str
) -> None:
    assert old in GOOD
    found = problems(tmp_path, GOOD.replace(old, new))
    assert list(found) == [key]
    assert words in found[key]


def test_a_gateway_of_another_root_is_refused(tmp_path: Path, plant: ExamplePlant) -> None:
    make_plant(tmp_path / "forged")
    text = GOOD.replace('["file:mini/edge-1.crt"]', '["file:forged/mini/edge-1.crt"]')
    found = problems(tmp_path, text)
    assert "did not issue this certificate" in found["plant[0].gateways"]


def test_a_collector_certificate_of_another_key_is_refused(
    tmp_path: Path, plant: ExamplePlant
) -> None:
    write_private(tmp_path / "other.pem", generate())
    found = problems(tmp_path, GOOD.replace("file:mini/collector.pem", "file:other.pem"))
    assert "is not the certificate of [cloud] key" in found["plant[0].collector"]


def test_the_collectors_key_may_live_in_a_token(
    tmp_path: Path, plant: ExamplePlant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`evidence.signers` opens it; that a token signs is tested there, on a real module."""
    reference = "pkcs11:token=t1;object=collector?module-path=/lib/x.so"
    text = GOOD.replace("file:mini/collector.pem", reference)
    asked: list[tuple[str, Path]] = []

    def opened(reference: str, folder: Path) -> FileSigner:
        asked.append((reference, folder))
        return plant.collector

    with monkeypatch.context() as patched:
        patched.setattr(config_module, "open_signer", opened)
        assert load(tmp_path, text).signer is plant.collector
    assert asked == [(reference, tmp_path)]
    found = problems(tmp_path, text.replace("?module-path=/lib/x.so", ""))
    assert "module-path" in found["cloud.key"]


def test_a_folder_of_further_keys_stands_for_gateways(tmp_path: Path, plant: ExamplePlant) -> None:
    text = GOOD.replace('gateways = ["file:mini/edge-1.crt"]', 'keys = "file:more"')
    assert plant.gateways
    assert "is not a folder: make it" in problems(tmp_path, text)["plant[0].keys"]
    (tmp_path / "more").mkdir()
    (identity,) = load(tmp_path, text).plants
    assert (identity.gateways, identity.key_folder) == ((), tmp_path / "more")


def test_an_open_private_key_is_refused(tmp_path: Path, plant: ExamplePlant) -> None:
    (plant.folder / "collector.pem").chmod(0o640)
    found = problems(tmp_path, GOOD)
    assert "private key is open to others (mode 0640)" in found["cloud.key"]


def test_a_plant_twice_is_refused(tmp_path: Path, plant: ExamplePlant) -> None:
    found = problems(tmp_path, GOOD + GOOD[GOOD.index("[[plant]]") :])
    assert found == {"plant": "mini stands here twice"}


def test_remote_access_is_an_explicit_choice(tmp_path: Path, plant: ExamplePlant) -> None:
    remote = 'host = "0.0.0.0"\nallow_remote = true\nnames = ["collector.example"]'
    config = load(tmp_path, GOOD.replace('host = "127.0.0.1"', remote))
    assert config.http.names == ("0.0.0.0", "collector.example")  # noqa: S104 - the point of it
    for host in ("localhost", "127.1.2.3", "::1"):
        config = load(tmp_path, GOOD.replace('host = "127.0.0.1"', f'host = "{host}"'))
        assert config.http.host == host


def test_accounts_are_needed_unless_it_says_not(tmp_path: Path, plant: ExamplePlant) -> None:
    assert load(tmp_path, GOOD).http.accounts is True
    assert load(tmp_path, GOOD).regions == {"mini": ""}
    text = GOOD.replace("[http]", "[http]\naccounts = false")
    config = load(tmp_path, text.replace('id = "mini"', 'id = "mini"\nregion = "370700"'))
    assert config.http.accounts is False
    assert config.regions == {"mini": "370700"}


@pytest.mark.parametrize(
    ("text", "words"),
    [("[[[", "is not TOML"), ('format = "\xff"', "is not TOML"), ("", "must be 1"),
     ("format = 1", "is missing: write [cloud]"), ("format = 1\ncloud = 5", "must be a table")],
)  # fmt: skip
def test_a_file_that_is_none_is_told_in_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "CLOUD.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(CloudConfigError) as caught:
        load_cloud(path)
    assert words in str(caught.value)


@pytest.mark.parametrize("text", HOSTILE_TOML)
def test_hostile_toml_is_told_in_a_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "CLOUD.toml"
    path.write_text(text)
    for read in (load_cloud, read_state_dir):
        with pytest.raises(CloudConfigError) as caught:
            read(path)
        assert str(caught.value).startswith(f"{path}: is not TOML: ")
        assert_plain(str(caught.value))


def test_a_folder_in_place_of_the_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(CloudConfigError) as caught:
        load_cloud(tmp_path)
    assert str(caught.value) == f"{tmp_path}: cannot be read: Is a directory"


@pytest.mark.parametrize("key", ["evidence_dir", "state_dir", "archive_dir"])
def test_a_folder_that_is_a_file_is_told_with_its_key(
    tmp_path: Path, plant: ExamplePlant, key: str
) -> None:
    (tmp_path / "taken").write_text("")
    lines = [line for line in GOOD.splitlines() if not line.startswith(key)]
    lines.insert(2, f'{key} = "taken"')
    found = problems(tmp_path, "\n".join(lines))
    assert found == {f"cloud.{key}": f"{tmp_path / 'taken'} is a file: name a folder"}


def test_everything_that_is_not_there_is_told_at_once(tmp_path: Path, plant: ExamplePlant) -> None:
    for name in ("root.crt", "edge-1.crt", "collector.crt", "collector.pem"):
        (plant.folder / name).unlink()
    two = '["file:mini/edge-1.crt", "file:mini/edge-2.crt"]'
    (tmp_path / "CLOUD.toml").write_text(GOOD.replace('["file:mini/edge-1.crt"]', two))
    with pytest.raises(CloudConfigError) as caught:
        load_cloud(tmp_path / "CLOUD.toml")
    missing = [
        ("cloud.key", "collector.pem"), ("plant[0].root", "root.crt"),
        ("plant[0].gateways", "edge-1.crt"), ("plant[0].gateways", "edge-2.crt"),
        ("plant[0].collector", "collector.crt"),
    ]  # fmt: skip
    assert [problem.key for problem in caught.value.problems] == [key for key, _ in missing]
    for problem, (_, name) in zip(caught.value.problems, missing, strict=True):
        assert f"{plant.folder / name}: cannot be read: No such file" in problem.reason


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CloudConfigError, match=r"no\.toml: cannot be read: No such file"):
        load_cloud(tmp_path / "no.toml")
    with pytest.raises(CloudConfigError, match="cannot be read"):
        read_state_dir(tmp_path / "no.toml")


def test_the_state_folder_is_found_without_keys(tmp_path: Path) -> None:
    """Commands that only talk to the running collector need not read its key."""
    (tmp_path / "CLOUD.toml").write_text('[cloud]\nstate_dir = "s"\n')
    assert read_state_dir(tmp_path / "CLOUD.toml") == tmp_path / "s"
    (tmp_path / "CLOUD.toml").write_text("[cloud]\n")
    with pytest.raises(CloudConfigError, match=r"cloud\.state_dir: is missing"):
        read_state_dir(tmp_path / "CLOUD.toml")


def test_the_example_in_the_docstring_is_a_good_file(tmp_path: Path) -> None:
    text = (config_module.__doc__ or "").split("```toml\n")[1].split("```")[0]
    made = make_plant(tmp_path, "smelter")
    (tmp_path / "keys").symlink_to(made.folder)
    config = load(tmp_path, text)
    assert config.broker.port == 1883
    assert FileSigner.load(tmp_path / "keys/collector.pem").kid == config.signer.kid
