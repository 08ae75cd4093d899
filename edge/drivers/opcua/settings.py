"""A setting that a server keeps in a node: asked for once, never subscribed."""

from edge.drivers.opcua.decode import Value, decode_value
from edge.drivers.opcua.session import NAMESPACES, Session, content_of, value_of
from edge.drivers.setting_text import number_text, plain_text
from evidence.quality import Quality
from firmware_configs.profile import Setting


async def ask_setting(session: Session, setting: Setting) -> str | Quality:
    """What the server says; raises whatever a server or a broken link makes asyncua raise."""
    register = setting.register
    if register.node is None:
        return Quality.DEVICE_REFUSED  # no profile of OPC UA has such a row
    index = 0
    if register.namespace is not None:
        (namespaces,) = await session.ask([NAMESPACES])
        uris = content_of(namespaces)
        if not isinstance(uris, list) or register.namespace not in uris:
            return Quality.DEVICE_REFUSED
        index = uris.index(register.namespace)
    answers = await session.ask([value_of(register.node.format(ns=index))])
    if len(answers) != 1:
        return Quality.WRONG_ANSWER
    (answer,) = answers
    content, status = content_of(answer), answer.StatusCode
    sample = decode_value(
        content,
        Value.of(register),
        status=status.value if status is not None else 0,
        source_time=None,
    )
    if not setting.is_text:
        return number_text(sample, register)
    if isinstance(content, str) and (status is None or status.is_good()):
        return plain_text(content)
    return Quality.WRONG_ANSWER if sample.quality.usable else sample.quality
