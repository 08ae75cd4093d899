"""HTML out of nested calls: whatever is not markup already is text and is escaped. Pure."""

import html
from collections.abc import Iterable

_VOID = frozenset({"input", "link", "meta"})


class Markup(str):
    """Text that is HTML: made here and nowhere else."""

    __slots__ = ()


Content = str | None


def tag(name: str, /, *content: Content, **attributes: str | bool | None) -> Markup:
    """An element; None among its content is left out.

    Args:
        name: of the element.
        content: markup, or text.
        attributes: "class_" is class, "aria_label" is aria-label; True has no value, None and
            False are left out.
    """
    said = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _VOID:
        return Markup(f"<{name}{said}>")
    return Markup(f"<{name}{said}>{joined(content)}</{name}>")


def joined(content: Iterable[Content]) -> Markup:
    """One after another."""
    return Markup("".join(_text(part) for part in content if part is not None))


def _text(part: str) -> str:
    return part if isinstance(part, Markup) else html.escape(part)


def _attribute(key: str, value: str | bool | None) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{html.escape(value)}"'
