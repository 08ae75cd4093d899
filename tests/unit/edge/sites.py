"""Site files, keys and signed configurations for tests of the agent."""

import datetime as dt
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from edge.errors import SiteConfigError
from edge.identity import Identity
from edge.signed import signed_configuration
from edge.site.config import Site, load_site
from evidence.keys import (
    Certificate,
    FileSigner,
    certificate_to_pem,
    generate,
    issue,
    write_private,
)
from evidence.suites import PrivateKey, PublicKey

PLANT, GATEWAY = "north-works", "edge-1"

HEAD = f"""\
format = 1
[plant]
id = "{PLANT}"
name = "North works"
sector = "aluminium"
rule_set = "cets-ag-04.01-v01-2024"
simulated = true
[gateway]
id = "{GATEWAY}"
key = "file:keys/edge-1.pem"
certificate = "file:keys/edge-1.crt"
[uplink]
url = "mqtt://127.0.0.1:1883"
collector = "file:keys/collector.crt"
"""

AC = """\
[[device]]
id = "ac-1"
url = "modbus+tcp://127.0.0.1:15020?unit=1"
profile = "stackproof/ac-meter"
provenance = "meter-direct"
ct_ratio = "800/5"
vt_ratio = "10000/100"
"""

GAS = """\
[[device]]
id = "gas-1"
url = "modbus+tcp://127.0.0.1:15021?unit=1"
profile = "stackproof/gas-meter"
provenance = "meter-direct"
"""

POTS = """\
[[device]]
id = "pot-gateway"
url = "opc.tcp://127.0.0.1:14840/potline"
profile = "stackproof/pot-gateway"
provenance = "via-control-system"
each = "1-3"
"""

POTLINE = """\
[[potline]]
id = "line-1"
line_current = "pot-gateway.line_current"
pots = "1-3"
pot_voltage = "pot-gateway.pot-{n:02}.voltage"
pot_state = "pot-gateway.pot-{n:02}.state"
technology = "PFPB-M"
current_efficiency_percent = "94.5"
"""

GAS_AND_ENERGY = """\
[[statement.fuel]]
kind = "natural-gas"
point = "gas-1.volume"
flow_point = "gas-1.flow"
[[statement.auxiliary]]
kind = "electricity"
point = "ac-1.energy_import"
power_point = "ac-1.power"
"""

STATEMENT = f"""\
[statement.metal]
point = "pot-gateway.metal_tapped"
[statement.anode]
gross_kg_per_t = "469"
source = "typed in a test"
{GAS_AND_ENERGY}"""

SITE = HEAD + AC + GAS + POTS + POTLINE + STATEMENT

#: A site of two Modbus meters: computed points without a potline, and no OPC UA library to load.
METERS = HEAD + AC + GAS + GAS_AND_ENERGY


@dataclass(frozen=True)
class Keys:
    """Private keys of a plant."""

    root: PrivateKey
    gateway: PrivateKey
    collector: PrivateKey

    @property
    def signer(self) -> FileSigner:
        return FileSigner(self.gateway)

    @property
    def collector_signer(self) -> FileSigner:
        return FileSigner(self.collector)

    @property
    def collector_key(self) -> PublicKey:
        return self.collector.public_key()


@functools.cache
def keys() -> Keys:
    """One set for the whole run; every use is free to read it."""
    return Keys(generate(), generate(), generate())


START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@functools.cache
def root_certificate(plant: str = PLANT) -> Certificate:
    """The plant's root."""
    root = keys().root
    return issue("root", plant, plant, root.public_key(), issuer=root, not_before=START, days=3650)


def certificate(
    key: PublicKey, role: str = "gateway", name: str = GATEWAY, plant: str = PLANT
) -> Certificate:
    """A certificate of the test's plant for a key."""
    issuer = keys().root, root_certificate(plant)
    return issue(role, plant, name, key, issuer=issuer, not_before=START, days=3650)


def who(**changes: Any) -> Identity:
    """The gateway of the test's plant; `changes` replace its fields."""
    made = keys()
    signer = changes.get("signer", made.signer)
    fields = {
        "plant": PLANT,
        "gateway": GATEWAY,
        "collector": made.collector_key,
        "signer": signer,
        "certificate": certificate(signer.public_key),
    }
    return Identity(**{**fields, **changes})


def write_keys(folder: Path, plant: str = PLANT, gateway: str = GATEWAY) -> Keys:
    """Write keys and certificates as `stackproof keys new` does."""
    made = keys()
    folder.mkdir(parents=True, exist_ok=True)

    def write(name: str, certificate: Certificate, key: PrivateKey) -> None:
        (folder / f"{name}.crt").write_bytes(certificate_to_pem(certificate))
        write_private(folder / f"{name}.pem", key)

    write("root", root_certificate(plant), made.root)
    own = certificate(made.gateway.public_key(), "gateway", gateway, plant)
    write(gateway, own, made.gateway)
    pinned = certificate(made.collector_key, "collector", "collector", plant)
    write("collector", pinned, made.collector)
    return made


def write_site(folder: Path, text: str = SITE) -> Path:
    """Write a site file."""
    path = folder / "site.toml"
    path.write_text(text, encoding="utf-8")
    return path


def site_of(folder: Path, text: str = SITE) -> Site:
    """The site of a text that has no mistake."""
    return load_site(write_site(folder, text))


def problems(folder: Path, text: str) -> list[tuple[str, str]]:
    """(key, reason) of every problem of a site file's text."""
    path = write_site(folder, text)
    with pytest.raises(SiteConfigError) as caught:
        load_site(path)
    assert {p.file for p in caught.value.problems} == {str(path)}
    return [(p.key, p.reason) for p in caught.value.problems]


def changed(folder: Path, old: str, new: str) -> tuple[str, str]:
    """The one problem that replacing a piece of the good site draws."""
    (problem,) = problems(folder, replaced(SITE, {old: new}))
    return problem


def config_of(site: Site) -> dict[str, Any]:
    """The signed configuration of a site."""
    return signed_configuration(
        site, collector_key_sha256=bytes(range(32)), software="stackproof test"
    )


def replaced(text: str, changes: Mapping[str, str]) -> str:
    """The text with each key replaced; each must be there."""
    for old, new in changes.items():
        assert old in text, f"{old!r} is not in the text"
        text = text.replace(old, new, 1)
    return text
