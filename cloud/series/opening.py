"""Opens the store of series that CLOUD.toml names."""

from pathlib import Path

from cloud.clock import Clock
from cloud.config_series import SeriesConfig
from cloud.series.embedded import EmbeddedSeries
from cloud.series.store import SeriesStore


def open_series(config: SeriesConfig, state_dir: Path, slice_id: str, clock: Clock) -> SeriesStore:
    """The store; its file is `state_dir`/series-<slice>.db, with InfluxDB that of its marks.

    Raises:
        StoreError: the file cannot be used.
    """
    path = state_dir / f"series-{slice_id}.db"
    if config.influx is None:
        return EmbeddedSeries(path, config.retention_days, clock)
    # loaded on use: most collectors have no InfluxDB
    from cloud.series.influxdb import InfluxSeries

    return InfluxSeries(path.with_suffix(".influxdb.db"), config.influx)
