"""The site file: each mistake a person makes draws its sentence, and all of them at once."""

from pathlib import Path

import pytest

from edge.errors import SiteConfigError
from edge.site.config import SITE_BYTES_MAX, load_site
from tests.unit.edge.sites import AC, POTS, SITE, changed, config_of, problems, replaced, site_of

AC_HEAD = 'id = "ac-1"\n'


# -- a good file ------------------------------------------------------------------------------


def test_good_file(tmp_path: Path) -> None:
    site = site_of(tmp_path)
    assert (site.plant.id, site.plant.time_zone, site.plant.simulated) == (
        "north-works", "Asia/Shanghai", True,
    )  # fmt: skip
    assert (site.gateway.id, site.gateway.slice) == ("edge-1", "00")
    assert site.gateway.key == "file:keys/edge-1.pem"
    assert site.gateway.state_dir == tmp_path / "state"
    assert site.uplink.mode == "mqtt"
    assert site.uplink.collector == tmp_path / "keys/collector.crt"
    assert site.uplink.spool_bytes_max == 8192 * 1024 * 1024
    assert [d.id for d in site.devices] == ["ac-1", "gas-1", "pot-gateway"]
    ac = site.devices[0]
    assert (ac.interval_ns, ac.timeout_s) == (10**9, 1.0)
    assert ac.ratios == {"ct_ratio": "800/5", "vt_ratio": "10000/100"}
    assert site.schedules_ns() == (10**9,)


def test_what_may_be_left_out_and_what_it_may_say_instead(tmp_path: Path) -> None:
    text = replaced(
        SITE,
        {
            "simulated = true": 'time_zone = "Asia/Urumqi"',
            'id = "edge-1"': 'id = "edge-1"\nslice = "a7"\nstate_dir = "/var/lib/stackproof"',
            'collector = "': 'spool_mib_max = 16\ncollector = "',
            AC_HEAD: f'{AC_HEAD}interval_s = "0.5"\ntimeout_s = "0.25"\n',
        },
    )
    site = site_of(tmp_path, text)
    assert site.plant.simulated is False
    assert site.plant.time_zone == "Asia/Urumqi"
    assert site.gateway.slice == "a7"
    assert site.gateway.state_dir == Path("/var/lib/stackproof")
    assert site.uplink.spool_bytes_max == 16 * 1024 * 1024
    assert (site.devices[0].interval_ns, site.devices[0].timeout_s) == (5 * 10**8, 0.25)


def test_profile_path_is_relative_to_the_site_file(tmp_path: Path) -> None:
    import firmware_configs

    shipped = Path(firmware_configs.__file__).parent / "stackproof" / "ac-meter.toml"
    (tmp_path / "mine.toml").write_text(shipped.read_text())
    site = site_of(tmp_path, replaced(SITE, {'"stackproof/ac-meter"': '"mine.toml"'}))
    assert site.devices[0].profile.id == "stackproof/ac-meter"
    assert changed(tmp_path, '"stackproof/ac-meter"', '"gone.toml"')[0] == "device[0].profile"


# -- the file itself --------------------------------------------------------------------------


def test_files_that_are_none(tmp_path: Path) -> None:
    cases = {
        "nothing.toml": None,
        "text.toml": b"this is not a table",
        "latin.toml": 'name = "Stra\xdfe"'.encode("latin-1"),
        "big.toml": b"#" * (SITE_BYTES_MAX + 1),
    }
    for name, data in cases.items():
        path = tmp_path / name
        if data is not None:
            path.write_bytes(data)
        with pytest.raises(SiteConfigError) as caught:
            load_site(path)
        (problem,) = caught.value.problems
        assert problem.file == str(path)
        assert problem.key == ""
    with pytest.raises(SiteConfigError, match="cannot be read: Is a directory"):
        load_site(tmp_path)


def test_empty_file_names_every_table_it_needs(tmp_path: Path) -> None:
    keys = [key for key, _ in problems(tmp_path, "")]
    assert keys == ["format", "plant", "gateway", "uplink", "device", "statement"]


def test_all_problems_at_once_in_the_order_of_the_tables(tmp_path: Path) -> None:
    text = replaced(
        SITE,
        {
            'sector = "aluminium"': 'sector = "aluminum"',
            "mqtt://127.0.0.1:1883": "mqtt://",
            '"800/5"': '"5/0"',
            'profile = "stackproof/gas-meter"': 'profile = "stackproof/gas-metre"',
            'technology = "PFPB-M"': "",
            'kind = "electricity"': "",
        },
    )
    assert [key for key, _ in problems(tmp_path, text)] == [
        "plant.sector", "uplink.url", "device[0].ct_ratio", "device[1].profile",
        "potline[0].technology", "statement.auxiliary[0].kind",
    ]  # fmt: skip


# -- plant, gateway, uplink -------------------------------------------------------------------


MODE = 'url = "mqtt://127.0.0.1:1883"'
ONE_WAY = 'mode = "one-way"\n'


@pytest.mark.parametrize(
    ("old", "new", "key", "says"),
    [
        ("format = 1", "format = 2", "format", "must be 1"),
        ('id = "north-works"', 'id = "North Works"', "plant.id", "must match"),
        ('name = "North works"\n', "", "plant.name", "is missing: the plant's name"),
        ('name = "North works"', "name = 7", "plant.name", "is not text"),
        ('"aluminium"', '"aluminum"', "plant.sector", "did you mean 'aluminium'?"),
        ("simulated = true", 'simulated = "yes"', "plant.simulated", "must be true or false"),
        ("simulated = true", "simulate = true", "plant.simulate", "did you mean 'simulated'?"),
        ("simulated = true", 'time_zone = "Beijing"', "plant.time_zone", "no IANA time zone"),
        ("simulated = true", 'time_zone = "Asia"', "plant.time_zone", "no IANA time zone"),
        ("simulated = true", 'time_zone = "../x"', "plant.time_zone", "no IANA time zone"),
        ("simulated = true", 'time_zone = "localtime"', "plant.time_zone", "such as Asia/Shanghai"),
        ("simulated = true", 'time_zone = "asia/tokyo"', "plant.time_zone", "write Asia/Tokyo"),
        ('id = "edge-1"', 'id = "edge-1"\nslice = "0"', "gateway.slice", "two hex digits"),
        ('"file:keys/edge-1.pem"', '"keys/edge-1.pem"', "gateway.key", 'a reference: "file:"'),
        ('certificate = "file:keys/edge-1.crt"\n', "", "gateway.certificate", "is missing"),
        ('"mqtt://127.0.0.1:1883"', '"127.0.0.1:1883"', "uplink.url", "mqtts://host:8883"),
        ("mqtt://127.0.0.1:1883", "mqtt://127.0.0.1:99999", "uplink.url", "mqtts://host:8883"),
        ("mqtt://127.0.0.1:1883", "mqtt://127.0.0.1:0", "uplink.url", "mqtts://host:8883"),
        ("mqtt://127.0.0.1:1883", "mqtt://127.0.0.1:x", "uplink.url", "mqtts://host:8883"),
        ("mqtt://127.0.0.1:1883", "mqtt://me:secret@h", "uplink.url", "and no more"),
        ("mqtt://127.0.0.1:1883", "mqtt://a..b", "uplink.url", "and no more"),  # ends the lookup
        ("mqtt://127.0.0.1:1883", "ws://h/a?b=c", "uplink.url", "wss://host:443/mqtt"),
        ("mqtt://127.0.0.1:1883", "ws://a b/mqtt", "uplink.url", "wss://host:443/mqtt"),
        ("mqtt://127.0.0.1:1883", "mqtt://h/mqtt", "uplink.url", "and no more"),
        ("[uplink]", '[uplink]\nproxy = "https://h:1"', "uplink.proxy", "socks5://host:1080"),
        ("[uplink]", '[uplink]\nproxy = "http://u:p@h"', "uplink.proxy", "belong in a file"),
        ("[uplink]", '[uplink]\nproxy_login = "file:x"', "uplink.proxy_login", "to a proxy"),
        (
            "[uplink]",
            '[uplink]\nproxy = "http://h:1"\nproxy_login = "u:secret"',
            "uplink.proxy_login",
            "must be a reference",
        ),
        ("file:keys/edge-1.pem", "a secret", "gateway.key", "must be a reference"),
        ("[uplink]", '[uplink]\nca = "file:ca.crt"', "uplink.ca", "an mqtts:// or wss:// url"),
        ('collector = "', 'mode = "one-way"\ncollector = "', "uplink.url", "no broker: remove url"),
        ("[[device]]", '[uplink.outbox]\nfolder = "o"\n[[device]]', "uplink.outbox", "one-way"),
        (MODE, f'{ONE_WAY}outbox = {{ folder = "o", file_s = 0 }}', "uplink.outbox.file_s", "1.."),
        (MODE, f"{ONE_WAY}outbox = {{}}", "uplink.outbox.folder", "ferry"),
        (
            MODE,
            f'{ONE_WAY}outbox = {{ folder = "o" }}\nudp = {{ to = "10.0.0.1:5" }}',
            "uplink.udp",
            "one way out, not two",
        ),
        (MODE, f'{ONE_WAY}udp = {{ to = "relay:5514" }}', "uplink.udp.to", "an IP address and"),
        (
            MODE,
            f'{ONE_WAY}udp = {{ to = "10.0.0.1:5514", repeat_after_s = [9, 9] }}',
            "uplink.udp.repeat_after_s",
            "rising",
        ),
        ('collector = "', 'spool_mib_max = 1\ncollector = "', "uplink.spool_mib_max", "16.."),
        ("[uplink]", '[metrics]\nlisten = "9464"\n[uplink]', "metrics.listen", "and a port"),
        ("[uplink]", '[metrics]\nlisten = "[::1]:0"\n[uplink]', "metrics.listen", "and a port"),
        ("[uplink]", '[metrics]\nlisten = "1.2.3.4.5:1"\n[uplink]', "metrics.listen", "an IP add"),
        ("[uplink]", '[metrics]\nlisten = "0.0.0.0:1"\n[uplink]', "metrics.listen", "other mach"),
        ("[uplink]", "[metrics]\n[uplink]", "metrics.listen", "is missing"),
    ],
)
def test_plant_gateway_uplink(tmp_path: Path, old: str, new: str, key: str, says: str) -> None:
    found, reason = changed(tmp_path, old, new)
    assert found == key
    assert says in reason
    assert "secret" not in reason


def test_mqtts_needs_its_three_files(tmp_path: Path) -> None:
    text = SITE.replace("mqtt://127.0.0.1:1883", "MQTTS://broker")
    assert [key for key, _ in problems(tmp_path, text)] == [
        "uplink.ca", "uplink.key", "uplink.certificate",
    ]  # fmt: skip
    files = 'ca = "file:a"\nkey = "file:b"\ncertificate = "file:c"\n'
    tls = site_of(tmp_path, text.replace("[uplink]\n", f"[uplink]\n{files}")).uplink.tls
    assert tls is not None
    assert (tls.ca, tls.key, tls.certificate) == (tmp_path / "a", tmp_path / "b", tmp_path / "c")


# -- devices ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "key", "says"),
    [
        (
            "modbus+tcp://127.0.0.1:15020",
            "modbus://h",
            "url",
            "modbus:// is no protocol here; did you mean modbus+tcp://h",
        ),
        ("unit=1", "unit=300", "url", "unit '300' is not in 0..255"),
        ("unit=1", "unti=1", "url", "unknown option 'unti'"),
        ("127.0.0.1:15020", ":15020", "url", "names no host"),
        ("127.0.0.1:15020", "127.0.0.1:0", "url", "port 0"),
        (
            "stackproof/ac-meter",
            "stackproof/ac-metre",
            "profile",
            "no such profile; did you mean 'stackproof/ac-meter'?",
        ),
        ('"meter-direct"', '"direct"', "provenance", "did you mean 'meter-direct'?"),
        ('"meter-direct"', '"computed"', "provenance", "is not one of"),
        ('ct_ratio = "800/5"\n', "", "ct_ratio", "reports secondary values"),
        ('"800/5"', "160", "ct_ratio", "is not text"),
        ('"800/5"', '"800/0"', "ct_ratio", "not a ratio like 800/5"),
        ('"800/5"', '"-160"', "ct_ratio", "greater than zero"),
        ('"800/5"', '"800:5"', "ct_ratio", "not a decimal number or a ratio"),
        (AC_HEAD, AC_HEAD + 'pulse_weight = "1"\n', "pulse_weight", "has no effect"),
        (AC_HEAD, AC_HEAD + 'interval_s = "0.05"\n', "interval_s", "0.1 to 3600 seconds"),
        (AC_HEAD, AC_HEAD + 'interval_s = "3601"\n', "interval_s", "0.1 to 3600 seconds"),
        (AC_HEAD, AC_HEAD + 'interval_s = "0.1001"\n', "interval_s", "whole milliseconds"),
        (AC_HEAD, AC_HEAD + "interval_s = 2\n", "interval_s", "is not text"),
        (AC_HEAD, AC_HEAD + 'interval_s = "2.5"\n', "interval_s", "multiple of the site's short"),
        (AC_HEAD, AC_HEAD + 'timeout_s = "0"\n', "timeout_s", "more than 0 and at most 60"),
        (AC_HEAD, AC_HEAD + 'timeout_s = "-1"\n', "timeout_s", "more than 0"),
        (AC_HEAD, AC_HEAD + 'timeout_s = "61"\n', "timeout_s", "at most 60"),
        (AC_HEAD, AC_HEAD + 'timeout = "1"\n', "timeout", "did you mean 'timeout_s'?"),
        (AC_HEAD, AC_HEAD + 'points = ["powr"]\n', "points", "'powr' is no register"),
        (AC_HEAD, AC_HEAD + "points = [1]\n", "points", "1 is no register"),
        (AC_HEAD, AC_HEAD + 'points = "power"\n', "points", "is not a list"),
        (AC_HEAD, AC_HEAD + 'each = "1-3"\n', "each", "has no effect"),
    ],
)
def test_device(tmp_path: Path, old: str, new: str, key: str, says: str) -> None:
    """One sentence each: what a flawed device would have given is not missed elsewhere."""
    found, reason = changed(tmp_path, old, new)
    assert found == f"device[0].{key}"
    assert says in reason
    assert reason.startswith("ac-1: ")


@pytest.mark.parametrize(
    ("each", "says"),
    [
        ('each = "3-1"', "must be a range"),
        ('each = "1..3"', "must be a range"),
        ('each = "1-9999"', "more than 2000"),
        ("each = 3", "is not text"),
        ("", "is missing: 'pot-{n:02}.voltage' is made once per number"),
    ],
)
def test_instances(tmp_path: Path, each: str, says: str) -> None:
    found, reason = changed(tmp_path, 'each = "1-3"', each)
    assert found == "device[2].each"
    assert says in reason


def test_device_without_a_name(tmp_path: Path) -> None:
    found = problems(tmp_path, replaced(SITE, {AC_HEAD: ""}))
    assert found[0] == ("device[0].id", "is missing: lower-case letters, digits and -")


def test_device_with_an_impossible_name_is_complained_about_once(tmp_path: Path) -> None:
    found = problems(tmp_path, replaced(SITE, {AC_HEAD: 'id = "AC 1"\n'}))
    assert [key for key, _ in found if key.startswith("device")] == ["device[0].id"]


def test_two_devices_of_one_name(tmp_path: Path) -> None:
    found = problems(tmp_path, replaced(SITE, {AC: AC + AC}))
    (told,) = found
    assert told == ("device[1].id", "ac-1: 'ac-1' is an earlier device's: name this one otherwise")


def test_interval_that_does_not_fit_the_shortest_is_named(tmp_path: Path) -> None:
    text = replaced(SITE, {AC_HEAD: AC_HEAD + 'interval_s = "0.4"\n'})
    assert [(key, reason.split(": ")[0]) for key, reason in problems(tmp_path, text)] == [
        ("device[1].interval_s", "gas-1"), ("device[2].interval_s", "pot-gateway"),
    ]  # fmt: skip


def test_no_device(tmp_path: Path) -> None:
    text = SITE.replace("[[device]]", "[[device]]", 1)
    for table in (AC, POTS):
        text = text.replace(table, "")
    text = text.split("[[device]]")[0] + "[statement]\n"
    assert problems(tmp_path, text) == [("device", "no device: add at least one [[device]]")]


# -- potlines ---------------------------------------------------------------------------------

RULE = "\n[potline.anode_effect]\n"
OWN = """
indicator_edition = "site"
indicator_slope = "0.1"
indicator_c2f6_fraction = "0.06"
indicator_source = "measured 2026-03"
"""


@pytest.mark.parametrize(
    ("old", "new", "key", "says"),
    [
        ('id = "line-1"', 'id = "Line 1"', "id", "must match"),
        ('"pot-gateway.line_current"', '"pot-gateway.line"', "line_current", "no point of any"),
        (
            '"pot-gateway.line_current"', '"pot-gateway.line_voltage"', "line_current",
            "is voltage; current is needed",
        ),
        ('pots = "1-3"', 'pots = "1-4"', "pot_voltage", "'pot-gateway.pot-04.voltage' is no po"),
        ('pots = "1-3"', 'pots = "one"', "pots", "must be a range"),
        ('pots = "1-3"', 'pots = "1-5000"', "pots", "more than 1000 pots"),
        ('pots = "1-3"\n', "", "pots", "is missing"),
        ("{n:02}.voltage", "{m}.voltage", "pot_voltage", "may only hold {n}"),
        ("{n:02}.voltage", "{n.real}.voltage", "pot_voltage", "may only hold {n}"),
        ("{n:02}.voltage", "{n.x}.voltage", "pot_voltage", "may only hold {n}"),
        ("{n:02}.voltage", "{n[0]}.voltage", "pot_voltage", "may only hold {n}"),
        ("{n:02}.voltage", "{n", "pot_voltage", "may only hold {n}"),
        ("{n:02}.voltage", "{n:02}.state", "pot_voltage", "is state; voltage is needed"),
        ("{n:02}.state", "{n:02}.voltage", "pot_state", "is voltage; state is needed"),
        ('pot_state = "pot-gateway.pot-{n:02}.state"\n', "", "pot_state", "is missing"),
        ('"PFPB-M"', '"PFPB"', "technology", "did you mean"),
        ('"94.5"', '"0.945"', "current_efficiency_percent", "is percent: 50 to 100"),
        ('"94.5"', "94.5", "current_efficiency_percent", "is not text"),
        ('"94.5"', '"94.5"\nindicator_gwp = "ar7"', "indicator_gwp", "is not one of"),
        ('"94.5"', '"94.5"\nindicator_slope = "0.1"', "indicator_slope", "only indicator"),
        ('"94.5"', f'"94.5"{OWN.replace("0.1", "0")}', "indicator_slope", "not above 0"),
        ('"94.5"', f'"94.5"{OWN.replace("0.06", "1.2")}', "indicator_c2f6_fraction", "between 0"),
        ('"94.5"', f'"94.5"{OWN.partition("indicator_source")[0]}', "indicator_source", "missing"),
        ('"94.5"', f'"94.5"{RULE}v_start_v = "0"', "anode_effect.v_start_v", "greater than zero"),
        ('"94.5"', f'"94.5"{RULE}v_end_v = "9"', "anode_effect.v_end_v", "not be above v_start_v"),
        ('"94.5"', f'"94.5"{RULE}t_start = "1"', "anode_effect.t_start", "did you mean"),
        ('"94.5"', f'"94.5"{RULE}mode = "up"', "anode_effect.mode", "is not one of positive"),
    ],
)  # fmt: skip
def test_potline(tmp_path: Path, old: str, new: str, key: str, says: str) -> None:
    found = problems(tmp_path, replaced(SITE, {old: new}))
    assert (f"potline[0].{key}", True) in [(k, says in reason) for k, reason in found]
    assert len(found) == 1


def test_two_potlines_of_one_name(tmp_path: Path) -> None:
    line = SITE[SITE.index("[[potline]]") : SITE.index("[statement.metal]")]
    found = problems(tmp_path, replaced(SITE, {line: line + line}))
    assert ("potline[1].id", "line-1: 'line-1' is used by an earlier potline") in found


# -- statement --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "key", "says"),
    [
        ('"pot-gateway.metal_tapped"', '"ac-1.energy_import"', "metal.point", "mass is needed"),
        ('"pot-gateway.metal_tapped"', '"pots.metal"', "metal.point", "no point of any device"),
        ('gross_kg_per_t = "469"\n', "", "anode.gross_kg_per_t", "is missing: kg of anode"),
        ('"469"', '"0"', "anode.gross_kg_per_t", "is not in 1..2000 kg/t"),
        ('"469"', "469", "anode.gross_kg_per_t", "is not text"),
        ('source = "typed in a test"\n', "", "anode.source", "is missing: where this typed"),
        ('point = "gas-1.volume"', 'point = "gas-1.flow"', "fuel[0].point", "is gas-flow"),
        ('"gas-1.flow"', '"gas-1.volume"', "fuel[0].flow_point", "gas-flow or mass-flow is nee"),
        ('"ac-1.power"', '"ac-1.energy_import"', "auxiliary[0].power_point", "power is needed"),
        ('kind = "natural-gas"\n', "", "fuel[0].kind", "is missing"),
        ('"ac-1.energy_import"', '"ac-1.serial"', "auxiliary[0].point", "energy is needed"),
        (
            'kind = "natural-gas"',
            'kind = "natural-gas"\nrule = "integral"',
            "fuel[0].rule",
            "not one of",
        ),
        ("[[statement.fuel]]", "[statement.fuel]", "fuel", "must be written as tables"),
        ("[statement.anode]", "[statement.anodes]", "anodes", "unknown key"),
    ],
)
def test_statement(tmp_path: Path, old: str, new: str, key: str, says: str) -> None:
    found, reason = changed(tmp_path, old, new)
    assert found == f"statement.{key}"
    assert says in reason


def test_the_rule_of_a_meter_may_be_written_out(tmp_path: Path) -> None:
    written = replaced(SITE, {'kind = "natural-gas"': 'kind = "natural-gas"\nrule = "totaliser"'})
    assert config_of(site_of(tmp_path, written)) == config_of(site_of(tmp_path))


def test_missing_anode_figure_is_never_a_silent_one(tmp_path: Path) -> None:
    """It once became 1 kg/t: a statement 400 times too low, signed."""
    text = replaced(SITE, {'gross_kg_per_t = "469"\n': ""})
    assert len(problems(tmp_path, text)) == 1
