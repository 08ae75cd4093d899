"""Anode effects out of the log: what live messages did not tell, from the signed frames.

The edge's own calculation over the same readings, so that an effect has the start that the live
message gave it. Reads evidence; any thread.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from cloud.alarms.facts import SECOND_NS, Effect
from cloud.closing.zone import configuration_of
from cloud.collector.desk import PlantEvidence
from edge.calc.folds.live import PlantCalc
from evidence import cose
from evidence.errors import MalformedError
from evidence.frame import Body, decode_body, header_of
from evidence.log import Kind
from evidence.recompute import Recomputation, joined_blocks
from evidence.waiting import Common, Waiting

#: readings before a stretch that tell whether a pot was in effect already when it began
LEAD_NS = 600 * SECOND_NS
#: readings that are calculated with at a time: a potline's calculation keeps its last 64 effects
STEP_NS = 120 * SECOND_NS
#: effects of a stretch; more are no smelter's
LOGGED_MAX = 20_000


class Logged(NamedTuple):
    """What a stretch's frames tell so far: effects, and their first tick (UTC ns; None: none)."""

    effects: Sequence[Effect]
    first_ns: int | None


def logged_effects(
    evidence: PlantEvidence, gateway: str, from_ns: int, to_ns: int
) -> Iterator[Logged]:
    """Effects that a stretch's frames tell, some minutes of readings a step.

    Args:
        evidence: of the plant.
        gateway: id of the stream.
        from_ns: where the stretch begins, by the gateway's ticks, UTC ns.
        to_ns: its end, exclusive.

    Yields:
        What is known so far, also effects that run still at the newest frame; a caller may leave
        off between two.

    Raises:
        StoreError: the disk disagrees.
        EvidenceError, PlantError: what is there cannot be calculated with.
    """
    if gateway not in evidence.streams():
        return
    first, stop = evidence.span(gateway, from_ns - LEAD_NS, to_ns)
    reading = _Reading(evidence, gateway, from_ns - LEAD_NS // 2)
    for stored in evidence.objects(gateway, first, stop):
        if stored.kind is Kind.FRAME and reading.takes(stored.data):
            yield reading.calculated()
    yield reading.calculated()


class _Reading:
    """Frames of one stream, a stretch of them at a time."""

    def __init__(self, evidence: PlantEvidence, gateway: str, from_ns: int) -> None:
        """Effects that started before `from_ns` may have run before the first frame: not known."""
        self._evidence, self._gateway, self._from_ns = evidence, gateway, from_ns
        self._cfg = b""
        self._form, self._calc = Recomputation(), None
        self._waiting, self._began_ns = Waiting(), 0
        self._first_ns: int | None = None
        self._found: dict[tuple[str, str, str, int], Effect] = {}

    _calc: PlantCalc | None

    def takes(self, data: bytes) -> bool:
        """Take a frame; True when it is time to calculate."""
        envelope = cose.parse(data)
        cfg = header_of(envelope).cfg or b""
        body = decode_body(envelope.payload)
        common = Common(self._gateway, cfg)
        if not self._waiting.takes(common, body):
            self.calculated()
        if cfg != self._cfg:
            self._use(cfg)
        try:
            self._form.check(body)
        except MalformedError:  # the verifier passes it over, too
            return False
        if not self._waiting.bodies:
            self._began_ns = _first_ns(body)
            if self._first_ns is None and body.sections:
                self._first_ns = self._began_ns
        self._waiting.add(common, body, "")
        return self._waiting.last_ns - self._began_ns >= STEP_NS

    def _use(self, cfg: bytes) -> None:
        """Calculate by this configuration from now on: as the gateway, from the beginning."""
        seq = self._evidence.configs(self._gateway)[cfg]
        (stored,) = self._evidence.objects(self._gateway, seq, seq + 1)
        config: Mapping[str, Any] = configuration_of(stored.data)
        self._form, self._calc, self._cfg = Recomputation(), PlantCalc(config), cfg
        self._form.configure(cfg, config)

    def calculated(self) -> Logged:
        """What is known so far, with the frames that wait."""
        waiting, self._waiting = self._waiting, Waiting()
        if self._calc is not None and waiting.bodies:
            self._calc.feed([one for one in joined_blocks(waiting.bodies) if len(one.ticks_ns)])
            for named in self._calc.effects():
                one = named.effect
                if one.start_ns < self._from_ns or len(self._found) >= LOGGED_MAX:
                    continue
                told = named.as_map()
                effect = Effect(
                    self._gateway, named.potline, named.pot, one.start_ns, one.end_ns,
                    is_lost=False, polarised_ns=one.polarised_ns, v_max=told["v_max"],
                    cf4_kg=self._calc.cf4_kg(named),
                )  # fmt: skip
                self._found[effect.key] = effect
        return Logged(list(self._found.values()), self._first_ns)


def _first_ns(body: Body) -> int:
    return min((section.first_ns for section in body.sections), default=0)
