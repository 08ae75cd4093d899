"""[series] of CLOUD.toml: a file or an InfluxDB, and every mistake with its key and reason."""

from pathlib import Path

import pytest

from cloud.config_series import InfluxConfig, SeriesConfig
from tests.unit.cloud.evidence_examples import make_plant
from tests.unit.cloud.test_cloud_config import GOOD, load, problems


def influx(rest: str) -> str:
    return f'[series]\nkind = "influxdb"\nbucket = "b"\n{rest}'


def with_table(table: str) -> str:
    return GOOD.replace("[http]", f"{table}\n[http]")


@pytest.fixture(autouse=True)
def plant(tmp_path: Path) -> None:
    make_plant(tmp_path)


def test_series_are_kept_in_a_file_or_an_influxdb(tmp_path: Path) -> None:
    assert load(tmp_path, GOOD).series == SeriesConfig(90, None)
    ca, token = tmp_path / "mini/root.crt", tmp_path / "token"
    token.write_text("a:b\n")
    table = influx('url = "https://influx:8086/"\ntoken = "file:token"\nca = "file:mini/root.crt"')
    text = with_table(table.replace('"b"', '"stackproof/half-year"'))
    due = InfluxConfig("https://influx:8086", token, ca, "stackproof/half-year", "-", "stackproof")
    assert load(tmp_path, text).series.influx == due
    for odd in ("", "\n", "two\nlines", "größe", "x" * 5_000):
        token.write_text(odd)
        assert "holds no token" in problems(tmp_path, text)["series.token"]


@pytest.mark.parametrize(
    ("table", "key", "words"),
    [
        ('[series]\nurl = "https://x:1"', "series.url", "belongs to kind"),
        ("[series]\nretention_days = 0", "series.retention_days", "1"),
        (influx('url = "http://x:8086"'), "series.url", "would send the token in clear"),
        (influx('url = "ftp://x:8086"'), "series.url", 'is not "https://host:port"'),
        (influx('url = "https://u:p@x:1"'), "series.url", "must not hold a password"),
        (influx('url = "https://x:1"\nretention_days = 9'), "series.retention_days",
         "InfluxDB's bucket has its own"),
        (influx('url = "https://x:1"\ntoken = "geheim"'), "series.token",
         'is no reference; write "file:name-of-a-file"'),
        (influx('url = "https://x:1"\ntoken = "file:none"'), "series.token",
         "No such file"),
        (influx('url = "https://x:1"\nca = "file:mini/collector.pem"'), "series.ca",
         "cannot be used"),
    ],
)  # fmt: skip
def test_each_mistake_names_its_key(tmp_path: Path, table: str, key: str, words: str) -> None:
    found = problems(tmp_path, with_table(table))
    assert list(found) == [key]
    assert words in found[key]
