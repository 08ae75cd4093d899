"""Signed configurations that changed something a figure can depend on, from the log. Evidence I/O.

A change is no fault: meters are scaled anew, and methods are corrected. But a scale that is ten
times too large makes a month ten times too large, and every reading of it is signed and good. So
people are told of each change, with what there was and what there is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice, pairwise

from cloud.closing.zone import configuration_of
from cloud.collector.desk import PlantEvidence
from evidence.config_changes import ConfigChange, config_changes
from evidence.findings import IDLE
from evidence.log import decode_entry

#: newest configurations of a gateway that are compared; values of one; texts of one
CONFIGS_MAX, CHANGES_MAX, NAMED_MAX = 20, 1_000, 3
#: of a value in a sentence
TEXT_MAX = 60


@dataclass(frozen=True)
class Configured:
    """What a gateway's newest configurations changed.

    Attributes:
        gateway: its id.
        at_ns: when the newest of them came, UTC ns.
        configs: their hashes, hex.
        count: values that changed and that a figure can depend on.
        named: the weightiest of them: path, old and new value.
    """

    gateway: str
    at_ns: int
    configs: frozenset[str]
    count: int
    named: tuple[str, ...]


@dataclass(frozen=True)
class _Step:
    """From one configuration to the next."""

    received_ns: int
    count: int
    named: tuple[str, ...]


class ConfigWatch:
    """Compares configurations once, and remembers what changed."""

    def __init__(self, evidence_of: Callable[[str], PlantEvidence]) -> None:
        """`evidence_of` gives a plant's, or LookupError."""
        self._evidence_of = evidence_of
        self._steps: dict[tuple[str, str, bytes], _Step] = {}

    def changes(self, plant: str, since_ns: int) -> list[Configured]:
        """Of each gateway whose configuration changed since an instant (UTC ns), what did.

        Raises:
            LookupError, StoreError: the plant is not served, or its disk disagrees.
            EvidenceError: what is there is no configuration.
        """
        evidence, found = self._evidence_of(plant), list[Configured]()
        self._forget(plant, evidence)
        for stream in evidence.streams():
            known = list(evidence.configs(stream).items())[-CONFIGS_MAX - 1 :]
            steps = list[tuple[bytes, _Step]]()
            for (_, old_seq), (cfg, seq) in reversed(list(pairwise(known))):
                step = self._step(evidence, stream, cfg, (old_seq, seq))
                if step.received_ns < since_ns:
                    break
                if step.count:
                    steps.append((cfg, step))
            if steps:
                named = [text for _, step in steps for text in step.named][:NAMED_MAX]
                found.append(Configured(
                    stream, steps[0][1].received_ns, frozenset(cfg.hex() for cfg, _ in steps),
                    sum(step.count for _, step in steps), tuple(named),
                ))  # fmt: skip
        return found

    def _forget(self, plant: str, evidence: PlantEvidence) -> None:
        """Only the newest are compared: a gateway may sign any number."""
        newest = {
            (plant, stream, cfg)
            for stream in evidence.streams()
            for cfg in list(evidence.configs(stream))[-CONFIGS_MAX:]
        }
        for key in [key for key in self._steps if key[0] == plant and key not in newest]:
            del self._steps[key]

    def _step(
        self, evidence: PlantEvidence, stream: str, cfg: bytes, seqs: tuple[int, int]
    ) -> _Step:
        key = evidence.plant, stream, cfg
        if key not in self._steps:
            old, new = (next(evidence.objects(stream, seq, seq + 1)) for seq in seqs)
            ((_, entry),) = evidence.entries(new.log_index, new.log_index + 1)
            every = config_changes(
                configuration_of(old.data), configuration_of(new.data), settings=False
            )
            changes = [one for one in islice(every, CHANGES_MAX) if one.rank < IDLE]
            first = sorted(changes, key=lambda one: one.rank)[:NAMED_MAX]
            self._steps[key] = _Step(
                decode_entry(entry).received_ns, len(changes), tuple(map(_text, first))
            )
        return self._steps[key]


def _text(change: ConfigChange) -> str:
    old, new = (value[:TEXT_MAX] for value in (change.old, change.new))
    return f"{change.path[-TEXT_MAX:]}: {old} → {new}"
