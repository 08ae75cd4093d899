"""Whether something keeps this machine's clock in time: what the kernel says of it.

One form for edge and cloud. It asks nobody what time it is. Source: adjtimex(2), <sys/timex.h>.
"""

import ctypes
import ctypes.util
import functools

_STA_UNSYNC = 0x0040  # <sys/timex.h>: clock unsynchronised


class _Timex(ctypes.Structure):
    """The head of Linux's struct timex; the rest is padding we do not read."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 256),
    )


@functools.cache
def _adjtimex() -> "ctypes._NamedFuncPointer | None":
    library = ctypes.CDLL(ctypes.util.find_library("c"), use_errno=True)
    return getattr(library, "adjtimex", None)


def kernel_error_ms() -> int | None:
    """The kernel's estimated clock error when something disciplines the clock, else None.

    Rounded up. None too where the kernel cannot be asked.
    """
    call = _adjtimex()
    if call is None:
        return None
    timex = _Timex()  # modes = 0: read only
    if call(ctypes.byref(timex)) < 0 or timex.status & _STA_UNSYNC:
        return None
    return int(-(-timex.esterror // 1000))
