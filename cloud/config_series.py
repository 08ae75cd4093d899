"""[series] of CLOUD.toml: where what points said over time is kept. I/O: reads the token's file.

```toml
[series]
kind = "sqlite"                    # the default: a file in state_dir
retention_days = 90                # of minutes; hours and days stay ten years
```
```toml
[series]
kind = "influxdb"                  # 1.8, 2 or 3
url = "https://127.0.0.1:8086"
token = "file:secrets/influx"      # one line, of 1.8 "user:password"; without, none is sent
ca = "file:secrets/influx-ca.crt"  # who vouches for an https server; without, the system's
bucket = "stackproof"              # of 1.8 "database/retention-policy"
org = "works"                      # only 2 asks for one
database = "stackproof"            # in InfluxQL; without, the bucket's name before the "/"
# allow_http = true                # a token in clear beyond this machine
```
"""

from dataclasses import dataclass, field
from pathlib import Path

from cloud.config_elsewhere import ca_file, token_file, url_fault
from firmware_configs.fields import Fields

KINDS = SQLITE, INFLUXDB = "sqlite", "influxdb"
_OF_INFLUXDB = ("url", "token", "ca", "bucket", "org", "database", "allow_http")


@dataclass(frozen=True)
class InfluxConfig:
    """An InfluxDB.

    Attributes:
        url: of the server, without a path.
        token: file of its token; None where it asks for none.
        ca: file of certificates that vouch for it; None for the system's.
        bucket: what is written to.
        org: of the bucket.
        database: what InfluxQL is asked of.
    """

    url: str
    token: Path | None
    ca: Path | None
    bucket: str
    org: str
    database: str


@dataclass(frozen=True)
class SeriesConfig:
    """Where series are kept.

    Attributes:
        retention_days: of minutes in the embedded file.
        influx: the InfluxDB; None for the embedded file.
    """

    retention_days: int = 90
    influx: InfluxConfig | None = field(default=None)


def read_series(fields: Fields, folder: Path) -> SeriesConfig:
    """What the table says; mistakes are told to `fields`.

    Args:
        fields: the table.
        folder: that its references are relative to.
    """
    kind = fields.choice("kind", KINDS, default=SQLITE)
    days = fields.integer("retention_days", 1, 3_653, default=90)
    influx = None
    if kind == INFLUXDB:
        if fields.has("retention_days"):
            fields.complain("retention_days", "belongs to sqlite: InfluxDB's bucket has its own")
        influx = _influx(fields, folder)
    else:
        for key in _OF_INFLUXDB:
            if fields.raw(key) is not None:
                fields.complain(key, 'belongs to kind = "influxdb"')
    fields.finish()
    return SeriesConfig(days, influx)


def _influx(fields: Fields, folder: Path) -> InfluxConfig:
    url = fields.text("url", why='"https://host:8086"')
    allow_http = fields.raw("allow_http")
    if not isinstance(allow_http, bool | None):
        fields.complain("allow_http", "must be true or false")
    if url and (fault := url_fault(url, allow_http=allow_http is True)):
        fields.complain("url", fault)
    bucket = fields.text("bucket", why='name of the bucket, of 1.8 "database/retention-policy"')
    token, ca = token_file(fields, folder), ca_file(fields, folder)
    org = fields.text("org", default="-")
    database = fields.text("database", default=bucket.partition("/")[0])
    return InfluxConfig(url.rstrip("/"), token, ca, bucket, org, database)
