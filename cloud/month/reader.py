"""Counts what the log has gained, a bounded piece at a time. Any thread, one at a time.

It follows what is committed and never waits for the collector: after a start, an import or a
restored backup it goes on where it stopped, or begins again where the log is another one.
"""

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from cloud.closing.zone import configuration_of
from cloud.collector.desk import PlantEvidence
from cloud.month.facts import Facts, Position, Segment, StreamDay
from cloud.month.tally import Layout, Tally, layout_text
from evidence import cose
from evidence.errors import MalformedError
from evidence.frame import decode_body, header_of
from evidence.frame_form import FrameForm
from evidence.log import ENTRY_VERSION, Kind, decode_entry
from evidence.log_lines import about

#: entries looked at for closes in the time that one object takes
ENTRIES_AN_OBJECT = 50
#: characters of all layouts of a plant, which are held: of a large works one has 40,000, and one
#: that a gateway means to be large 1,300,000
LAYOUTS_MAX = 16 * 2**20
#: devices of a plant, whenever it had them: a month's checklist has 31 figures of each
DEVICES_MAX = 30_000
#: figures of devices and days after which a piece ends; an honest one has some of each device
FIGURES_A_PIECE = 100_000
#: of a stream, devices by days: ten years of 2,700 devices, some hundred MB of the file
FIGURES_MAX = 10_000_000
_NONE = Layout("", (), (), ())

log = logging.getLogger("stackproof.cloud.months")


class FactsReader:
    """Brings `Facts` up to date with plants' evidence.

    Args:
        facts: where it is written.
    """

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        #: of each stream the newest: frames name none before it again
        self._layouts: dict[tuple[str, str], tuple[bytes, Layout, FrameForm | None]] = {}
        self._told: set[str] = set()

    def follow(self, evidence: PlantEvidence, most: int) -> bool:
        """Count at most so many objects of each stream; True when there was nothing more.

        Raises:
            StoreError: the disk disagrees.
            EvidenceError: an object is of a form that this program does not know.
        """
        if not self._fits(evidence):
            self._facts.forget(evidence.plant)
        is_done = self._follow_closes(evidence, most * ENTRIES_AN_OBJECT)
        for stream in evidence.streams():
            is_done &= self._follow_stream(evidence, stream, most)
        return is_done

    def _fits(self, evidence: PlantEvidence) -> bool:
        """Is the log the one that was counted?"""
        plant = evidence.plant
        if self._facts.log_size(plant) > evidence.size:
            return False
        return all(
            not at.next_seq or evidence.hash_at(stream, at.next_seq - 1) == at.head
            for stream, at in self._facts.positions(plant).items()
        )

    def _follow_closes(self, evidence: PlantEvidence, most: int) -> bool:
        first, size = self._facts.log_size(evidence.plant), evidence.size
        stop = min(size, first + most)
        if first < stop:
            closes = [
                (index, data)
                for index, data in evidence.entries(first, stop)
                if (data[1], data[2]) == (ENTRY_VERSION, Kind.MONTH_CLOSE)
            ]
            self._facts.add_closes(evidence.plant, stop, closes)
        return stop == size

    def _follow_stream(self, evidence: PlantEvidence, stream: str, most: int) -> bool:
        plant, head = evidence.plant, evidence.head(stream).next_seq
        at = self._facts.position(plant, stream)
        stop = min(head, at.next_seq + most)
        if at.next_seq == stop:
            return True
        tally, segments = Tally(), list[Segment]()
        cfg, days_held = self._facts.newest_cfg(plant, stream), self._facts.days_of(plant, stream)
        for stored in evidence.objects(stream, at.next_seq, stop):
            if tally.figures >= FIGURES_A_PIECE:
                break
            at = Position(stored.seq + 1, stored.sha256, max(at.at_ns, stored.at_ns))
            if stored.kind is not Kind.FRAME:
                continue
            envelope = cose.parse(stored.data)
            body, named = decode_body(envelope.payload), header_of(envelope).cfg or b""
            layout, form = self._layout(evidence, stream, named, segments)
            if form is None or not form.fits(body):
                body = replace(body, sections=())  # no figure is made of its readings
            if body.sections and named != cfg:
                first_ns = min(section.first_ns for section in body.sections)
                segments.append(Segment(first_ns, named, layout))
                cfg = named
            if (days_held + len(tally.days)) * len(layout.devices) > FIGURES_MAX:
                self._tell(plant, stream, "ticks are of too many days to be counted by devices")
                layout = layout.without_devices()
            tally.take(layout, body, stored.seq, stored.log_index)
        days = [
            StreamDay(day, stream, of, _received_ns(evidence, of.log_index))
            for day, of in tally.days.items()
        ]
        self._facts.add(plant, stream, at, segments, days)
        return at.next_seq == head

    def _layout(
        self, evidence: PlantEvidence, stream: str, cfg: bytes, new: Sequence[Segment]
    ) -> tuple[Layout, FrameForm | None]:
        """Of a configuration, and what frames it has; `new` are segments that are not written yet.

        None where it gives them no form: no month is made by it.
        """
        plant = evidence.plant
        held_cfg, layout, form = self._layouts.get((plant, stream), (b"", _NONE, None))
        if held_cfg == cfg:
            return layout, form
        seq, form = evidence.configs(stream)[cfg], None
        (held,) = evidence.objects(stream, seq, seq + 1)
        config = configuration_of(held.data)
        with suppress(MalformedError):
            form = FrameForm(config)
        if cfg == self._facts.newest_cfg(plant, stream):  # as it was counted by before the start
            layout = self._facts.segments(plant)[stream][-1].layout
        else:
            layout = Layout.of(config)
            if not self._has_room(plant, [*(of.layout for of in new), layout]):
                said = "configurations are too many, or of too many devices, to be counted"
                self._tell(plant, stream, said)
                layout = layout.without_devices()
        self._layouts[plant, stream] = cfg, layout, form
        return layout, form

    def _tell(self, plant: str, stream: str, said: str) -> None:
        """Once a plant."""
        if plant not in self._told:
            log.warning("%s: %s", plant, said, extra=about(plant, stream))
        self._told.add(plant)

    def _has_room(self, plant: str, new: Sequence[Layout]) -> bool:
        """Whether a plant may have these layouts, too: in lists of all plants it is one of many."""
        known = [one.layout for of in self._facts.segments(plant).values() for one in of]
        if len({device for one in (*known, *new) for device in one.devices}) > DEVICES_MAX:
            return False
        return sum(len(layout_text(one)) for one in (*known, *new)) <= LAYOUTS_MAX


def _received_ns(evidence: PlantEvidence, index: int) -> int:
    """When an entry was logged; 0 for none: of a day with nothing but a gap."""
    if index < 0:
        return 0
    ((_, data),) = evidence.entries(index, index + 1)
    return decode_entry(data).received_ns
