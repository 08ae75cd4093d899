"""One question for one setting of a Modbus device, and what becomes of it."""

from edge.drivers.base import DeviceError
from edge.drivers.modbus.answers import (
    RefusedError,
    WrongAnswerError,
    refusal_quality,
)
from edge.drivers.modbus.decode import Value, decode_bits, decode_setting
from edge.drivers.modbus.plan import Read
from edge.drivers.modbus.seat import Seat
from edge.drivers.setting_text import number_text
from edge.drivers.shared_bus import NotAskedError, SilentError
from evidence.quality import Quality
from firmware_configs.profile import Setting


async def ask_setting(seat: Seat, setting: Setting) -> str | Quality:
    """What the device says; DeviceError when it could not be asked."""
    register = setting.register
    if register.table is None or register.address is None:
        return Quality.DEVICE_REFUSED  # no profile of Modbus has such a row
    read = Read(register.table, register.address, setting.words, ())
    try:
        cells = await seat.ask(read)
    except NotAskedError as error:
        raise DeviceError(str(error)) from None
    except SilentError:
        return Quality.NO_ANSWER
    except WrongAnswerError:
        return Quality.WRONG_ANSWER
    except RefusedError as error:
        return refusal_quality(error.code)
    if read.code <= 2:
        (sample,) = decode_bits([bool(cell) for cell in cells], [(0, Value.of(register))])
        return number_text(sample, register)
    return decode_setting(cells, setting)
