"""The gateway's certificate for the broker: which is used, which is taken, which is refused."""

import datetime as dt
import ssl
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from edge.broker_tls import BrokerTls, Shown
from edge.clock import Clock
from edge.disk import Disk
from edge.errors import NotOursError
from edge.renewal import Renewal
from edge.stream import Stream
from edge.uplink.mqtt import MqttUplink
from evidence.broker_certificates import Ca, certify_client, make_ca
from evidence.errors import KeyFileError
from evidence.keys import Certificate, FileSigner, certificate_to_pem, generate, write_private

T0 = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
NAME = "north-works/edge-1"


def a_ca() -> Ca:
    signer = FileSigner(generate("p256"))
    return Ca(signer, make_ca("a CA", signer, T0 - 9 * DAY))


def ns(after_days: float) -> int:
    return int((T0 + after_days * DAY).timestamp()) * 10**9


class Gateway:
    """Files of one gateway that was enrolled at T0."""

    def __init__(self, folder: Path) -> None:
        self.ca, self.key = a_ca(), generate("p256")
        names = ("ca.crt", "tls.pem", "tls.crt", "broker.crt")
        self.tls = BrokerTls(NAME, *(folder / name for name in names))
        self.tls.ca.write_bytes(certificate_to_pem(self.ca.certificate))
        write_private(self.tls.key, self.key)
        self.given = self.made(0)
        self.tls.given.write_bytes(certificate_to_pem(self.given))

    def made(
        self, after_days: int, name: str = NAME, ca: Ca | None = None, days: int = 30
    ) -> Certificate:
        begins = T0 + after_days * DAY
        return certify_client(name, self.key.public_key(), ca or self.ca, begins, days)


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    return Gateway(tmp_path)


def test_a_newer_one_is_taken_once_and_used(gateway: Gateway) -> None:
    tls, newer = gateway.tls, gateway.made(20)
    assert tls.certificate() == gateway.given
    assert tls.take(certificate_to_pem(gateway.given), ns(20)) is None, "the one that is retained"
    assert tls.take(certificate_to_pem(newer), ns(20)) == newer
    assert tls.certificate() == newer
    assert tls.take(certificate_to_pem(newer), ns(20)) is None
    assert tls.take(certificate_to_pem(gateway.made(10)), ns(20)) is None, "an old one, said again"
    assert tls.context().verify_mode.name == "CERT_REQUIRED"
    assert [path.name for path in tls.given.parent.glob("*.part")] == []
    again = gateway.made(60)  # carried, since the renewed one ended
    tls.given.write_bytes(certificate_to_pem(again))
    assert tls.certificate() == again


def test_one_that_is_valid_comes_before_one_that_is_not(gateway: Gateway) -> None:
    """The collector's clock was 400 days ahead; then it was set."""
    tls, ahead, right = gateway.tls, gateway.made(420), gateway.made(20)
    assert tls.take(certificate_to_pem(ahead), ns(20)) is None, "it has not begun"
    assert tls.certificate() == gateway.given
    assert tls.take(certificate_to_pem(right), ns(20)) == right
    assert tls.take(certificate_to_pem(ahead), ns(51)) == ahead, "none is valid: by their order"
    assert tls.take(certificate_to_pem(right), ns(21)) == right, "this one is again"
    assert tls.certificate() == right


@pytest.mark.parametrize(("days", "asked"), [(-1, 1), (0, 0), (19, 0), (21, 1)])
async def test_another_is_asked_for_when_it_is_time_or_this_one_has_not_begun(
    gateway: Gateway, days: float, asked: int
) -> None:
    requests = list[bytes]()

    async def here(work: Callable[..., object], *arguments: object) -> object:
        return work(*arguments)

    renewal = Renewal(
        Shown(gateway.tls),
        uplink=cast("MqttUplink", SimpleNamespace(ask=lambda data: requests.append(data) or True)),
        stream=cast("Stream", SimpleNamespace(broker_request=lambda _: b"asks")),
        clock=cast("Clock", SimpleNamespace(monotonic_ns=lambda: 0, wall_ns=lambda: ns(days))),
        disk=cast("Disk", SimpleNamespace(run=here)),
    )
    await renewal.look(is_online=True)
    assert requests == [b"asks"] * asked


def test_what_people_give_counts_before_any_renewal_of_another(gateway: Gateway) -> None:
    """Another CA, shorter lives, a broker that still retains the longer renewal by the old CA."""
    tls, renewal = gateway.tls, gateway.made(10, days=300)
    assert tls.take(certificate_to_pem(renewal), ns(10)) == renewal
    other = a_ca()
    with tls.ca.open("ab") as file:
        file.write(certificate_to_pem(other.certificate))
    given = gateway.made(12, ca=other, days=30)
    tls.given.write_bytes(certificate_to_pem(given))
    assert tls.certificate() == given, "it ends 268 days before the renewal"
    assert tls.take(certificate_to_pem(renewal), ns(12)) is None
    assert tls.certificate() == given
    tls.given.unlink()
    assert tls.certificate() == renewal, "better than none"
    tls.given.write_bytes(certificate_to_pem(given))
    shorter = gateway.made(20, ca=other, days=1)
    assert tls.take(certificate_to_pem(shorter), ns(20)) == shorter, "lives were shortened"
    assert tls.certificate() == shorter
    tls.context()  # OpenSSL reads the file with its first line
    tls.given.write_bytes(certificate_to_pem(gateway.given))
    assert tls.certificate() == gateway.given, "whatever people put there"


def test_what_is_not_ours_is_refused(gateway: Gateway) -> None:
    stranger = certify_client(NAME, generate("p256").public_key(), gateway.ca, T0 + 20 * DAY)
    for pem in (
        b"noise",
        certificate_to_pem(stranger),
        certificate_to_pem(gateway.made(20, name="north-works/edge-2")),
        certificate_to_pem(gateway.made(20, ca=a_ca())),
    ):
        with pytest.raises(NotOursError):
            gateway.tls.take(pem, ns(20))
    assert not gateway.tls.renewed.exists()


def test_each_missing_file_is_named_with_what_to_do(gateway: Gateway) -> None:
    tls = gateway.tls
    now_ns = int(T0.timestamp()) * 10**9
    assert tls.trouble(now_ns) == ""
    assert "no renewal has come" in tls.trouble(now_ns + 25 * 86_400 * 10**9)
    tls.given.write_bytes(certificate_to_pem(gateway.made(0, name="north-works/edge-2")))
    with pytest.raises(KeyFileError, match=f"is for north-works/edge-2; needed is one for {NAME}"):
        tls.certificate()
    tls.given.unlink()
    with pytest.raises(KeyFileError, match=r"tls.crt is not there yet\. Ask .* edge enrol"):
        tls.context()
    assert tls.trouble(now_ns).count("edge enrol") == 1


def test_files_put_in_place_of_others_are_shown_once_they_belong_together(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new key comes first, its certificate later; a second CA beside the first."""
    loaded = list[Path]()
    monkeypatch.setattr("edge.broker_tls.present", lambda _context, *files: loaded.extend(files))
    shown = Shown(gateway.tls)
    loaded.clear()
    assert not shown.look()
    gateway.tls.key.unlink()
    gateway.key = generate("p256")
    write_private(gateway.tls.key, gateway.key)
    with pytest.raises(KeyFileError, match="does not belong to"):
        shown.look()
    assert loaded == [], "what was shown is shown on"
    gateway.tls.given.write_bytes(certificate_to_pem(gateway.made(1)))
    assert shown.look()
    assert loaded[-2:] == [gateway.tls.given, gateway.tls.key]
    before = shown.context.cert_store_stats()["x509_ca"]
    with gateway.tls.ca.open("ab") as file:
        file.write(certificate_to_pem(a_ca().certificate))
    assert shown.look()
    assert shown.context.cert_store_stats()["x509_ca"] == before + 1
    assert not shown.look()


def test_a_renewal_that_cannot_be_read_is_passed_over_for_the_given_one(gateway: Gateway) -> None:
    for bent in (b"", b"-----BEGIN CERTIFICATE-----"):
        gateway.tls.renewed.write_bytes(bent)
        assert gateway.tls.certificate() == gateway.given
    gateway.tls.given.unlink()
    with pytest.raises(KeyFileError, match=r"broker\.crt"):
        gateway.tls.certificate()


@pytest.mark.parametrize("missing", ["ca", "key", "given"])
def test_without_a_file_nobody_is_believed_until_it_is_there(
    gateway: Gateway, missing: str
) -> None:
    path: Path = getattr(gateway.tls, missing)
    away = path.rename(path.with_suffix(".away"))
    shown = Shown(gateway.tls)
    assert str(path) in shown.lacks
    assert str(path) in gateway.tls.trouble(int(T0.timestamp()) * 10**9)
    assert shown.context.cert_store_stats()["x509"] == 0
    assert shown.context.verify_mode is ssl.CERT_REQUIRED
    assert shown.context.check_hostname
    away.rename(path)
    assert shown.look()
    assert shown.lacks == ""
    assert shown.context.cert_store_stats()["x509_ca"] == 1
