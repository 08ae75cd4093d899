"""The plant's people turn a screw at a meter, and hope that nobody asks."""

from collections.abc import Callable

from evidence import cbor, cose
from evidence.archive import paths
from evidence.blocks import compress, decompress
from evidence.frame import encode_body
from tests.attacks.forging import SEG_4, SEG_5, Kind, kind
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.settings_months import LATER, config, month, says, with_events

TURNED = {0: [says(1, "400")], 1: [says(12, "800")], 3: [says(40, "800")]}


def edited(change: Callable[[list[bytes]], list[bytes]], path: str = SEG_4) -> Callable[[], bytes]:
    """The month in which the ratio was turned, after somebody has changed its objects."""

    def build() -> bytes:
        files = sm.unpack(month(config(), TURNED))
        files[path] = sm.seg(change(sm.records(files[path])))
        return sm.repack(files, by=sm.keys().collector)

    return build


def _overwritten(objects: list[bytes]) -> list[bytes]:
    """What the meter said is put back, byte for byte, in the signed frame."""
    parts = cose.parse(objects[2])
    payload = decompress(parts.payload)
    assert payload.count(b"\x63800") == 1  # a text of three characters
    payload = compress(payload.replace(b"\x63800", b"\x63400"))
    made = cbor.encode([parts.protected, {}, payload, parts.signature])
    return [*objects[:2], b"\xd2" + made, *objects[3:]]


def _without_the_frame(objects: list[bytes]) -> list[bytes]:
    return [*objects[:2], *objects[3:]]


def _told_otherwise(objects: list[bytes]) -> list[bytes]:
    """A frame without the event takes its place; the gateway's key is not at hand."""
    body = sm.bodies(config())[1]
    chain = sm.Chain(sm.signer(90))
    chain.objects, chain.cfg = list(objects[:2]), sm.sha256(objects[0])
    return [*objects[:2], chain.sign("stackproof-frame+cbor", encode_body(with_events(body, ()))),
            *objects[3:]]  # fmt: skip


def explained_outside_the_log() -> bytes:
    """The gateway signs an explanation that the collector never had; it lies in the archive."""
    files = sm.unpack(month(config(), TURNED))
    chain = sm.Chain(sm.keys().gateway)
    chain.objects = [o for path in (SEG_4, SEG_5) for o in sm.records(files[path])]
    chain.cfg = sm.sha256(chain.objects[0])
    item = sm.config_item(config(*LATER))
    data = chain.sign(item.typ, item.payload)
    files[paths.config(sm.sha256(data))] = data
    return sm.repack(files, by=sm.keys().collector)


KINDS: list[Kind] = [
    kind(
        "settings: a ratio turned", "The current transformers' ratio is doubled in the meter.",
        lambda: month(config(), TURNED), "E-METER-SETTING",
    ),
    kind(
        "settings: a ratio turned and back", "For the night the ratio is another.",
        lambda: month(config(), {0: [says(1, "400")], 1: [says(12, "800")], 3: [says(40, "400")]}),
        "E-METER-SETTING",
    ),
    kind(
        "settings: a ratio turned and explained",
        "Transformers are replaced, and the configuration says so afterwards, with the reason.",
        lambda: month(config(), TURNED, config(*LATER)), "N-METER-SETTING", "N-CONFIG",
    ),
    kind(
        "settings: another meter than is stated", "What was agreed on stands in the configuration.",
        lambda: month(config(("400", "plate")), {0: [says(1, "800")]}), "E-METER-SETTING",
    ),
    kind(
        "settings: a totaliser set back", "The meter's own counter of resets has moved.",
        lambda: month(config(), {0: [says(1, "400", "2")], 3: [says(40, "400", "3")]}),
        "E-METER-SETTING",
    ),
    kind(
        "settings: an explanation of something else", "A value is explained that was never read.",
        lambda: month(config(), TURNED, config(("600", "transformers replaced"))),
        "E-METER-SETTING",
    ),
    kind(
        "settings: an explanation that the log does not hold",
        "After the close the gateway signs what explains the change, and nobody logged it.",
        explained_outside_the_log, "E-METER-SETTING", "E-FILE-EXTRA",
    ),
    kind(
        "settings: a meter that does not say", "The register of the ratio is locked.",
        lambda: month(config(), {0: [says(1, 130)]}), "W-METER-UNREAD",
    ),
    kind(
        "settings: what was read left out", "An event leaves out the setting that was turned.",
        lambda: month(config(), {0: [says(1, "400")], 1: [says(12, 128, unread={})]}), "E-GROUPS",
    ),
    kind(
        "settings: what was read put back", "A byte of the signed frame says the old ratio again.",
        edited(_overwritten), "E-SIG-BAD", more=True,
    ),
    kind(
        "settings: the frame that told of it dropped", "The frame with the event is taken out.",
        edited(_without_the_frame), "E-CHAIN-GAP", more=True,
    ),
    kind(
        "settings: the frame that told of it replaced", "A stranger signs one without it.",
        edited(_told_otherwise), "E-SIG-UNKNOWN-KEY", more=True,
    ),
]  # fmt: skip
