"""The blueprint's driver: reads one device's values and nothing else.

What it guarantees, and where:
- it only reads: `question.only_reads` is the gate, `Wire.ask` the one place that sends;
- an answer is believed only when it names what was asked (`question.is_answer_to`);
- one value the device refuses, or answers nonsense for, costs one point.
"""

import asyncio
import logging
from collections.abc import Sequence

from edge.drivers._blueprint.question import build_question, decode_answer
from edge.drivers._blueprint.wire import Wire
from edge.drivers.address import parse_address, wrong
from edge.drivers.base import DeviceError, DeviceSpec, Sample
from edge.drivers.complaints import Complaints
from edge.drivers.traffic import Request, Traffic

_LOG = logging.getLogger(__name__)


class BlueprintDriver:
    """One device: `blueprint://host:port`.

    Raises (at construction):
        DeviceError: with `retry` False when the URL or a point cannot work as configured.
    """

    def __init__(self, spec: DeviceSpec) -> None:
        # Construction judges everything that can be judged without the device, and opens nothing:
        # `edge check` makes every driver of a site file.
        self._spec = spec
        address = parse_address(spec, port=0, options=())
        if not address.port or address.path not in ("", "/"):
            raise wrong(spec, "must look like blueprint://host:port, and no more")
        self._name = f"device {spec.id} ({address})"
        self._endpoint = str(address)
        self._wire = Wire(address)
        self._questions = [build_question(bound.register.name) for bound in spec.points]
        self._complaints = Complaints(_LOG, spec.id)  # a trouble is said once, and once its end

    def traffic(self) -> Traffic:
        """For `edge check --traffic`: the very bytes that `read` sends, in its order."""
        return Traffic(
            protocol="blueprint",
            endpoint=self._endpoint,
            promise="nothing is written: READ lines only",
            requests=[
                Request(f"READ {bound.register.name}", points=(bound.point.id,), sent=question)
                for bound, question in zip(self._spec.points, self._questions, strict=True)
            ],
        )

    async def connect(self) -> None:
        """Open the connection, if it is not open; takes at most `timeout_s`."""
        try:
            await self._wire.open(self._spec.timeout_s)
        except (OSError, TimeoutError) as error:
            raise self._lost(error) from error

    async def read(self) -> Sequence[Sample]:
        """One sample a point, in the order of the points."""
        if not self._wire.is_open:
            raise DeviceError(f"{self._name}: not connected; connect first")
        samples: list[Sample] = []
        try:
            for bound, question in zip(self._spec.points, self._questions, strict=True):
                name = bound.register.name
                answer = await self._wire.ask(name, question, self._spec.timeout_s)
                sample = decode_answer(answer, bound.register)
                if sample.quality.usable:
                    self._complaints.over(name)
                else:
                    self._complaints.say(name, f"the device says {answer!r}")
                samples.append(sample)
        except (OSError, TimeoutError) as error:
            # The device as a whole is out of reach: closed first, then said. A device that is
            # silent on some values only needs more than this; see edge/drivers/modbus/driver.py.
            self._wire.close()
            raise self._lost(error) from error
        except BaseException:  # cancelled: the answer under way must not meet the next question
            self._wire.close()
            raise
        return samples

    async def close(self) -> None:
        """Give everything back; never raises."""
        self._wire.close()
        await asyncio.sleep(0)  # the loop lets go of the socket in its next turn

    def _lost(self, error: Exception) -> DeviceError:
        reason = str(error) or f"no answer within {self._spec.timeout_s:g} s"
        return DeviceError(f"{self._name}: {reason}; check power, cable and address")
