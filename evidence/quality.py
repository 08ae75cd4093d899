"""Quality codes: why a reading may or may not be used. One byte, signed with the reading.

Below 128 a reading has a usable value (0 is good, 1..127 usable with a reservation); from 128 on
it has none, and whatever bytes stand in the frame are filler that no decoder hands out.
Codes are part of the signed format: a published code never changes its meaning.
"""

from enum import IntEnum

FIRST_BAD = 128


class Quality(IntEnum):
    """One reason a reading is good, reserved or bad. The docstring of each is its sentence."""

    GOOD = 0
    UNCERTAIN = 16  # the source itself says so (OPC UA Uncertain)
    SETTLING = 17  # device or calculation has just started and has not enough history
    PARTIAL = 18  # computed over many inputs of which some are missing: speaks of the others
    TOO_FAST = 19  # changed faster than the configuration thinks credible
    STUCK = 20  # has not changed for longer than the configuration thinks credible
    JUMPED = 21  # a step larger than credible: a spike or a new level, the next reading tells
    CAME_BACK = 22  # the reading before had jumped, and this one is back: that one was a spike
    STATE_UNKNOWN = 23  # the state that would mark it has no value, or one that has no name
    TIME_IN_DOUBT = 24  # the gateway's clock disagreed with another by two seconds or more
    NO_ANSWER = 128  # the device did not answer in time
    NOT_CONNECTED = 129  # there is no connection to the device
    DEVICE_REFUSED = 130  # the device answered with an exception or a bad status
    WRONG_ANSWER = 131  # the answer has the wrong length or belongs to another question
    SENTINEL = 132  # the device's own "no value" pattern
    NOT_A_NUMBER = 133  # NaN or infinity on the wire (the bits are kept)
    SENSOR_FAULT = 134  # the source reports a sensor or device failure
    OUT_OF_RANGE = 135  # outside the range the configuration allows
    STALE = 136  # the source time has not moved within the allowed age
    NOT_SAMPLED = 137  # this tick was not taken (overrun, start, stop)
    NO_INPUT = 138  # computed point: an input it needs was bad or missing
    MAINTENANCE = 139  # marked as maintenance or calibration
    CALIBRATION = 140  # marked as calibration, told apart from maintenance

    @property
    def usable(self) -> bool:
        """True when the reading has a value."""
        return self < FIRST_BAD


#: code -> (English, 中文); pages, reports and findings print these and no others.
SENTENCES: dict[Quality, tuple[str, str]] = {
    Quality.GOOD: ("good", "正常"),
    Quality.UNCERTAIN: ("uncertain, says the source", "数据源标记为不确定"),
    Quality.SETTLING: ("just started, not enough history yet", "刚启动，历史数据不足"),
    Quality.PARTIAL: ("some inputs missing; covers the others", "部分输入缺失，仅含其余输入"),
    Quality.TOO_FAST: ("changed faster than is credible", "变化速率超出可信范围"),
    Quality.STUCK: ("has not changed for too long", "数值长时间不变"),
    Quality.JUMPED: ("jumped: a spike or a new level", "数值跳变：尖峰或新水平"),
    Quality.CAME_BACK: ("came back: the reading before was a spike", "已回落：前一读数为尖峰"),
    Quality.STATE_UNKNOWN: ("the state that speaks of it is unknown", "相关设备状态未知"),
    Quality.TIME_IN_DOUBT: ("its time is in doubt", "时间存疑"),
    Quality.NO_ANSWER: ("device did not answer in time", "设备未按时应答"),
    Quality.NOT_CONNECTED: ("no connection to the device", "设备未连接"),
    Quality.DEVICE_REFUSED: ("device refused to give a value", "设备拒绝提供数值"),
    Quality.WRONG_ANSWER: ("answer does not fit the question", "应答与请求不符"),
    Quality.SENTINEL: ("device says: no value", "设备指示无值"),
    Quality.NOT_A_NUMBER: ("not a number on the wire", "传输值不是数字"),
    Quality.SENSOR_FAULT: ("sensor or device fault", "传感器或设备故障"),
    Quality.OUT_OF_RANGE: ("outside the allowed range", "超出允许范围"),
    Quality.STALE: ("source time does not move", "数据源时间停滞"),
    Quality.NOT_SAMPLED: ("this tick was not taken", "本次未采样"),
    Quality.NO_INPUT: ("an input of the calculation is missing", "计算输入缺失"),
    Quality.MAINTENANCE: ("maintenance or calibration", "维护或校准"),
    Quality.CALIBRATION: ("calibration", "校准"),
}


def sentence(code: int, language: str = "en") -> str:
    """The plain sentence of a code; an unknown code says so instead of guessing.

    Args:
        code: 0..255.
        language: "en" or "zh".
    """
    if code not in SENTENCES:
        return f"unknown quality code {code}" if language == "en" else f"未知质量码 {code}"
    return SENTENCES[Quality(code)][0 if language == "en" else 1]
