"""The file as it is handed over, with bits flipped and bytes cut: nobody made anything anew.

One kind for every file of an archive; tests/unit/evidence/test_verifier_flips.py does it at many
places of each.
"""

from collections.abc import Callable

from evidence.archive import bag, paths
from tests.attacks.by_strangers import CONFIG_PATH, GATEWAY_PATH, RULES_PATH
from tests.attacks.forging import SEG_4, Kind, delete, flip, kind, packed, replace
from tests.unit.evidence import sealed_month as sm

#: what a bit is flipped in -> (path, place, code)
_FLIPS: dict[str, tuple[str, int, str]] = {
    "a frame": (SEG_4, 1500, "E-FILE-HASH"),
    "a record's head": (SEG_4, 1, "E-FILE-HASH"),
    "the configuration": (CONFIG_PATH, 200, "E-FILE-HASH"),
    "the log's entries": (paths.LOG_ENTRIES, 40, "E-FILE-HASH"),
    "the log's range": (paths.LOG_RANGE, 1, "E-FILE-HASH"),
    "the checkpoint": (paths.LOG_CHECKPOINT, 30, "E-FILE-HASH"),
    "the root certificate": (paths.ROOT_CERTIFICATE, 100, "E-FILE-HASH"),
    "the collector's certificate": (paths.COLLECTOR_CERTIFICATE, 100, "E-FILE-HASH"),
    "the gateway's certificate": (GATEWAY_PATH, 100, "E-FILE-HASH"),
    "the receipt": (paths.receipt(sm.STREAM), 80, "E-FILE-HASH"),
    "the rule set": (RULES_PATH, 50, "E-FILE-HASH"),
    "the format text": (paths.FORMAT_TEXT, 100, "E-FILE-HASH"),
    "the figures text": (paths.FIGURES_TEXT, 100, "E-FILE-HASH"),
    "a table beside the rule set": ("data/rules/gwp.toml", 50, "E-FILE-HASH"),
    "the statement": (paths.STATEMENT, 100, "E-FILE-HASH"),
    "the payload manifest": (bag.MANIFEST, 3, "E-FILE-HASH"),
    "the tag manifest": (bag.TAG_MANIFEST, 3, "E-SEAL"),
    "bag-info": (bag.BAG_INFO, 30, "E-FILE-HASH"),
    "the bag's declaration": (bag.BAGIT, 16, "E-FILE-HASH"),
    "the seal": (paths.SEAL, 60, "E-SEAL"),
    "the seal's signature": (paths.SEAL, -5, "E-SEAL"),
    "the gateway's close": (paths.close(sm.STREAM), 200, "E-CLOSE"),
}

_CUTS: list[tuple[str, str, Callable[[bytes], bytes]]] = [
    ("its last byte", "A download breaks off one byte before the end.", lambda a: a[:-1]),
    ("one end block", "A careless tool writes one block of zeros at the end.", lambda a: a[:-512]),
    ("both end blocks", "A tool that was killed wrote no end.", lambda a: a[:-1024]),
    ("its tail", "A disk full cuts the tail.", lambda a: a[: len(a) // 2]),
    ("its middle", "A bad sector's blocks are left out by a copy program.",
     lambda a: a[: len(a) // 4 // 512 * 512] + a[len(a) // 2 // 512 * 512 :]),
    ("its head", "A resumed download begins inside a file.", lambda a: a[700:]),
    ("everything", "A copy program made an empty file.", lambda _: b""),
]  # fmt: skip

_TAILS: list[tuple[str, str, bytes]] = [
    ("a byte", "A text tool adds a newline.", b"\n"),
    ("zeros", "A tape program fills up to its record size.", bytes(9 * 512)),
    ("another archive", "Somebody hides a second archive behind the first.", sm.honest()),
]


def _cut(change: Callable[[bytes], bytes]) -> Callable[[], bytes]:
    return lambda: change(sm.honest())


def _flip_kind(what: str) -> Kind:
    path, at, code = _FLIPS[what]
    story = f"A disk or a cable flips one bit of {what}; manifests and seal are as they were."
    build = packed(flip(path, at, 2), manifest=False)
    return kind(f"accident: a bit of {what}", story, build, code, more=True)


KINDS: list[Kind] = [
    *map(_flip_kind, _FLIPS),
    *(
        kind(f"accident: {name} cut off", story, _cut(change), "E-CONTAINER")
        for name, story, change in _CUTS
    ),
    *(
        kind(f"accident: {name} after the end", story, _cut(lambda a, t=tail: a + t), "E-CONTAINER")  # type: ignore[misc] # a lambda's default has no type
        for name, story, tail in _TAILS
    ),
    kind(
        "accident: its first file cut off",
        "A resumed download begins, by chance, with the second file's header.",
        _cut(lambda a: a[1024:]), "E-BAG", "E-FILE-MISSING",
    ),
    kind(
        "accident: a frame file lost",
        "A copy program leaves a file out; its line in the manifest stays.",
        packed(delete(SEG_4), manifest=False), "E-FILE-MISSING", more=True,
    ),
    kind(
        "accident: a frame file emptied",
        "A copy program makes the file and not its bytes.",
        packed(replace(SEG_4, b""), manifest=False), "E-FILE-HASH", more=True,
    ),
    kind(
        "accident: a manifest lost",
        "A copy program leaves the manifest out.",
        packed(delete(bag.MANIFEST), manifest=False), "E-BAG", "E-FILE-MISSING", more=True,
    ),
    kind(
        "accident: a stray file",
        "A file browser leaves its folder settings behind.",
        packed(replace("data/.DS_Store", b"x"), manifest=False), "E-FILE-EXTRA", more=True,
    ),
    kind(
        "seal left, gateway's close stripped",
        "Somebody takes the gateway's signature off, so that only the collector vouches.",
        packed(delete(paths.close(sm.STREAM))), "W-NO-PLANT-SIGNATURE",
    ),
]  # fmt: skip
