"""All that the doctor says on a page is told in Chinese: a text without one fails here."""

import pytest

from edge.commissioning.page.doctor_words import in_chinese
from tests.unit.edge.commissioning.doctor_sentences import sentences


@pytest.mark.parametrize(("file", "text"), sorted(set(sentences())))
def test_every_text_in_the_doctors_source_has_a_chinese_one(file: str, text: str) -> None:
    said = text.format(*(f"<{n}>" for n in range(text.count("{}"))))
    told = in_chinese(said)
    assert told is not None, f"{file}: {text!r} stands in no entry of doctor_zh.json"
    assert [f"<{n}>" for n in range(text.count("{}")) if f"<{n}>" not in told] == []


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("10.0.0.7 port 502: nothing comes back within 3 s", "10.0.0.7 port 502：3 s 内无任何回应"),
        # one text in another
        (
            "one address lower the device does answer, with 0x0001. If that is it, mend the row in "
            "the profile; else: look up this exception in the device's manual",
            "地址减一设备有应答，为 0x0001。若即为该值，请更正设备模板中的该行；"
            "否则：请在设备手册中查找此异常码",
        ),
        ("the server's clock is 12 s ahead of this machine's", "服务器时钟比本机快 12 s"),
        (
            "the proxy 10.0.0.9:3128 does not lead to broker:8883 (403 Forbidden)",
            "代理服务器 10.0.0.9:3128 不允许连接 broker:8883（403 Forbidden）",
        ),
        (
            "the proxy 10.0.0.9:1080 was refused by it: broker:8883 (code 5)",
            "代理服务器 10.0.0.9:1080 被其拒绝：broker:8883（代码 5）",
        ),
        ("unit 7 answers after 12 ms", "从站 7 在 12 ms 后应答"),
        (
            "10.0.0.7:502: FC 3 unit 1 holding 0x0018 x 2; answered in 3 ms",
            "10.0.0.7:502: FC 3 unit 1 holding 0x0018 x 2；3 ms 内应答",
        ),
        ("", None),
        ("what a device says of itself", None),
    ],
)
def test_what_stands_in_a_sentence_stays_and_texts_in_it_are_told_too(
    english: str, chinese: str | None
) -> None:
    assert in_chinese(english) == chinese
