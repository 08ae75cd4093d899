"""A cosignature object: a checkpoint of this collector, of the log here, by this gateway."""

from typing import Any

import pytest

from cloud.collector.judge import Accepted
from cloud.collector.keyring import Keyring
from evidence import cbor
from evidence.blocks import compress
from evidence.checkpoint import Checkpoint, sign
from evidence.cosignature import cosign, witness_name
from evidence.frame import TYP_COSIGNATURE
from evidence.keys import FileSigner, generate
from evidence.log import Kind
from tests.unit.cloud.collector.judge_examples import View
from tests.unit.cloud.evidence_examples import ExamplePlant, Gateway

ROOT = b"r" * 32


def note_of(plant: str, collector: FileSigner, size: int = 5) -> str:
    return sign(Checkpoint(plant, size, ROOT), collector, collector.public_key)


def cosigned(gateway: Gateway, note: str, name: str = witness_name("mini", "edge-1")) -> bytes:
    text = cosign(note, name, 1_790_000_000, gateway.signer, gateway.signer.public_key)
    return gateway.sign(TYP_COSIGNATURE, compress(cbor.encode({"checkpoint": text})))


def test_a_checkpoint_of_this_log_is_accepted(
    ask: Any, started: Gateway, view: View, plant: ExamplePlant
) -> None:
    view.roots = {5: ROOT}
    verdict = ask(cosigned(started, note_of("mini", plant.collector)))
    assert isinstance(verdict, Accepted)
    assert verdict.entry.kind is Kind.COSIGNATURE


def test_an_earlier_key_of_the_collector_has_signed_it(
    ask: Any, started: Gateway, view: View, plant: ExamplePlant, keyring: Keyring
) -> None:
    view.roots, earlier = {5: ROOT}, FileSigner(generate())
    data = cosigned(started, note_of("mini", earlier))
    assert ask(data).reason == "cosignature"
    keyring.collectors = (plant.collector.public_key, earlier.public_key)
    assert isinstance(ask(data), Accepted)


@pytest.fixture
def judged(ask: Any, view: View) -> tuple[Any, View]:
    return ask, view


@pytest.mark.parametrize(
    ("roots", "words"), [({5: b"x" * 32}, "is another log"), ({}, "has fewer entries")]
)
def test_a_split_view_or_a_log_set_back_withholds_the_receipt(
    judged: tuple[Any, View], started: Gateway, plant: ExamplePlant, roots: Any, words: str
) -> None:
    ask, view = judged
    view.roots = roots
    verdict = ask(cosigned(started, note_of("mini", plant.collector)))
    assert (verdict.reason, words in verdict.sentence) == ("anchor", True)


def test_of_another_plants_log_or_another_witness_it_is_refused(
    ask: Any, started: Gateway, view: View, plant: ExamplePlant
) -> None:
    view.roots = {5: ROOT}
    other_plant = cosigned(started, note_of("maxi", plant.collector))
    other_name = cosigned(started, note_of("mini", plant.collector), witness_name("mini", "edge-2"))
    assert ask(other_plant).reason == "cosignature"
    assert ask(other_name).reason == "cosignature"


@pytest.mark.parametrize(
    "content",
    [{}, [], {"checkpoint": 1}, {"checkpoint": "x"}, {"checkpoint": "x", "more": 1}, b"x"],
)
def test_what_holds_no_note_is_malformed(ask: Any, started: Gateway, content: Any) -> None:
    payload = content if isinstance(content, bytes) else compress(cbor.encode(content))
    verdict = ask(started.sign(TYP_COSIGNATURE, payload))
    assert verdict.reason in ("malformed", "unsupported")
