"""Which key counts for an object: rotate, revoke, expiry, strangers."""

import datetime as dt
import hashlib
from pathlib import Path
from typing import Any

from cloud.collector.judge import (
    Accepted,
    Ahead,
    Aside,
    Duplicate,
)
from cloud.collector.keyring import KeyFacts, Keyring, Rotation, SignedOrder
from cloud.collector.topics import Sender
from evidence.frame import (
    TYP_FRAME,
    TYP_ROTATE,
    encode_body,
)
from evidence.keys import FileSigner, generate, issue, key_sha256
from evidence.log import Kind
from evidence.orders import Revoke, encode_rotate
from tests.unit.cloud.collector.judge_examples import (
    View,
    second_key,
)
from tests.unit.cloud.evidence_examples import (
    NOT_BEFORE,
    SECOND_NS,
    T0_NS,
    ExamplePlant,
    Gateway,
    body,
    make_plant,
)


def test_a_stream_begins_with_any_key_of_the_gateway(
    plant: ExamplePlant, gateway: Gateway, keyring: Keyring, ask: Any
) -> None:
    gateway.signer, new = second_key(plant)
    keyring.certify(new)
    verdict = ask(gateway.config())
    assert isinstance(verdict, Accepted)
    assert verdict.entry.certificate == new.fingerprint


def test_a_second_key_does_not_count_before_the_first_has_handed_over(
    plant: ExamplePlant, started: Gateway, keyring: Keyring, ask: Any, view: View
) -> None:
    first, (second, new) = started.signer, second_key(plant)
    keyring.certify(new)
    started.signer = second
    early = started.sign(TYP_FRAME, encode_body(body(T0_NS + SECOND_NS)))
    verdict = ask(early)
    assert isinstance(verdict, Aside)
    entry = verdict.entry
    assert (entry.kind, entry.verdict, entry.seq) == (Kind.REJECT, "key-change", 2)
    assert (entry.sha256, entry.length) == (hashlib.sha256(early).digest(), len(early))
    assert (entry.certificate, entry.detail) == (new.fingerprint, {"kid": second.kid})
    started.signer = first
    rotate = started.append(started.sign(TYP_ROTATE, encode_rotate(new.certificate)))
    verdict = ask(rotate)
    assert (verdict.entry.kind, verdict.entry.seq) == (Kind.ROTATE, 2)
    assert verdict.rotation == Rotation("edge-1", 2, first.kid, new)
    view.hold(verdict)
    keyring.rotate(verdict.rotation)
    late = started.sign(TYP_FRAME, encode_body(body(T0_NS + SECOND_NS)))
    assert ask(late).entry.verdict == "key-change"
    started.signer = second
    verdict = ask(started.frame(T0_NS + SECOND_NS))
    assert isinstance(verdict, Accepted)
    assert verdict.entry.certificate == new.fingerprint


def test_what_follows_a_lost_rotate_is_ahead_and_no_stranger(
    plant: ExamplePlant, started: Gateway, ask: Any
) -> None:
    """The next key's certificate is in the rotate object that did not arrive."""
    second, new = second_key(plant)
    started.append(started.sign(TYP_ROTATE, encode_rotate(new.certificate)))
    started.signer = second
    assert ask(started.frame(T0_NS + SECOND_NS)) == Ahead(seq=3, due=2, is_verified=False)


def test_of_a_gateway_nobody_enrolled_nothing_is_ahead(gateway: Gateway, ask: Any) -> None:
    """Anybody can make up names of gateways: none of them may be counted for itself."""
    stranger = Gateway("mini", "edge-9", gateway.signer)
    data = stranger.sign(TYP_FRAME, encode_body(body(T0_NS)), seq=7)
    assert ask(data, Sender("mini", "edge-9")).entry.verdict == "unknown-key"


def test_a_rotate_to_a_key_that_does_not_count_is_refused(
    plant: ExamplePlant, started: Gateway, ask: Any, keyring: Keyring, tmp_path: Path
) -> None:
    foreign = make_plant(tmp_path, gateways=("edge-1",))
    forged = foreign.identity().gateways[0].certificate
    other = plant.identity().gateways[1].certificate  # of edge-2
    for certificate, words in (
        (forged, "did not issue this"),
        (other, "is for gateway mini/edge-2"),
    ):
        verdict = ask(started.sign(TYP_ROTATE, encode_rotate(certificate)))
        assert (verdict.reason, words in verdict.sentence) == ("rotate", True), verdict
    assert ask(started.sign(TYP_ROTATE, b"\x00\xa0")).reason == "rotate"
    _, new = second_key(plant)
    revoke = Revoke("mini", "edge-1", new.fingerprint, None, "stolen")
    keyring.apply(SignedOrder(revoke, b"", bytes(32)))
    verdict = ask(started.sign(TYP_ROTATE, encode_rotate(new.certificate)))
    assert (verdict.reason, "is revoked" in verdict.sentence) == ("rotate", True)


def test_a_rotate_does_not_go_back_to_a_key_that_was_in_use(
    plant: ExamplePlant, started: Gateway, ask: Any
) -> None:
    """Whoever holds two keys could go back and forth for ever."""
    own = plant.identity().gateways[0].certificate
    verdict = ask(started.sign(TYP_ROTATE, encode_rotate(own)))
    assert (verdict.reason, "was in use before" in verdict.sentence) == ("rotate", True)


def test_an_unknown_key_is_put_aside_without_a_signer(started: Gateway, ask: Any) -> None:
    stranger = FileSigner(generate())
    started.signer = stranger
    verdict = ask(started.sign(TYP_FRAME, encode_body(body(T0_NS + SECOND_NS))))
    assert isinstance(verdict, Aside)
    assert (verdict.entry.verdict, verdict.entry.certificate) == ("unknown-key", None)
    assert verdict.entry.detail == {"kid": stranger.kid}


def test_a_revoked_key_is_good_through_its_last_object(
    started: Gateway, ask: Any, keyring: Keyring, view: View
) -> None:
    key = key_sha256(started.signer.public_key)
    keyring.apply(SignedOrder(Revoke("mini", "edge-1", key, 2, "stolen"), b"", bytes(32)))
    view.hold(ask(started.frame(T0_NS + SECOND_NS)))
    verdict = ask(started.frame(T0_NS + 2 * SECOND_NS))
    assert isinstance(verdict, Aside)
    assert (verdict.entry.verdict, verdict.entry.certificate) == ("revoked", key)
    ahead = started.sign(TYP_FRAME, encode_body(body(T0_NS + 3 * SECOND_NS)), seq=9)
    assert ask(ahead).entry.verdict == "revoked"
    assert ask(started.objects[2]) == Duplicate()
    forged = bytearray(ahead)
    forged[-1] ^= 1
    assert ask(bytes(forged)).reason == "signature"


def test_a_certificate_counts_while_it_is_valid_and_so_does_its_renewal(
    plant: ExamplePlant, started: Gateway, ask: Any, keyring: Keyring
) -> None:
    """Both of one key; the example's certificates are valid for 3,650 days from 2026-01-01."""
    after_ns = int(dt.datetime(2036, 1, 1, tzinfo=dt.UTC).timestamp()) * SECOND_NS
    data = started.sign(TYP_FRAME, encode_body(body(after_ns)))
    verdict = ask(data, now_ns=after_ns)
    assert isinstance(verdict, Aside)
    assert verdict.entry.verdict == "expired"
    root = issue(
        "root", "mini", "mini", plant.root_key.public_key(), issuer=plant.root_key,
        not_before=NOT_BEFORE, days=9_000,
    )  # fmt: skip
    keyring.root = root  # the root has to live on too
    renewed = issue(
        "gateway", "mini", "edge-1", started.signer.public_key, issuer=(plant.root_key, root),
        not_before=NOT_BEFORE, days=5_000,
    )  # fmt: skip
    keyring.certify(keyring.read_certificate(renewed))
    assert isinstance(ask(data, now_ns=after_ns), Accepted)


def test_a_stranger_and_a_forger_are_told_apart(ask: Any, started: Gateway) -> None:
    payload = encode_body(body(T0_NS + SECOND_NS))
    good = started.sign(TYP_FRAME, payload)
    forged = bytearray(good)
    forged[-1] ^= 1  # the signature's last byte
    assert ask(bytes(forged)).reason == "signature"
    started.signer = FileSigner(generate())
    assert ask(started.sign(TYP_FRAME, payload)).entry.verdict == "unknown-key"


def test_a_key_of_another_gateway_of_the_plant_is_unknown_here(
    ask: Any, started: Gateway, plant: ExamplePlant
) -> None:
    started.signer = plant.gateways["edge-2"].signer
    assert ask(started.frame(T0_NS + SECOND_NS)).entry.verdict == "unknown-key"


def test_keys_are_made_again_without_a_moment_in_which_there_are_none(
    plant: ExamplePlant, keyring: Keyring
) -> None:
    """The page's thread asks while the collector's makes them again."""
    key = key_sha256(plant.gateways["edge-1"].signer.public_key)
    keyring.begin("edge-1", key)
    certified, seen = keyring.certificates, []

    class Asking(dict[str, bytes]):
        def items(self) -> Any:  # when half of it is made
            seen.append((keyring.certificates, keyring.of("edge-1").current(0)))
            return super().items()

    keyring.load(KeyFacts(certified[:1], first=Asking()))
    assert seen == [(certified, key)]
    assert (keyring.certificates, keyring.of("edge-1").current(0)) == (certified[:1], None)
