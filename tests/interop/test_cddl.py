"""pycddl holds what we write against FORMAT.md's own CDDL: it fits, and what is bent does not."""

import re
from pathlib import Path
from typing import Any

import pytest

import evidence
from evidence import cbor, cose
from evidence.blocks import decompress
from evidence.frame import TYP_CONFIG, TYP_FRAME, encode_body
from tests.attacks import by_keys
from tests.independent.random_configurations import ruled
from tests.interop.conftest import Ask
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence import settings_months

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

TEXT = Path(evidence.__file__).with_name("FORMAT.md").read_text()
Cases = list[tuple[str, bytes]]
SETTINGS = [settings_months.says(1, "400"), settings_months.says(2, 130)]


def rules() -> str:
    """The CDDL of FORMAT.md, as it stands.

    pycddl 0.6.4 looks at the last choice only of "a / null" inside an array, but not where the
    choice has a name: so it is given one.
    """
    names: dict[str, str] = {}

    def name(found: re.Match[str]) -> str:
        return names.setdefault(found[0], f"choice-{len(names)}")

    blocks = "".join(re.findall(r"```cddl\n(.*?)```", TEXT, re.S))
    text = re.sub(r"(?:uint|bstr(?: \.size 32)?) / null", name, blocks)
    return text + "".join(f"{given} = {choice}\n" for choice, given in names.items())


def written() -> Cases:
    """(rule, CBOR) of everything that a month's archive holds and FORMAT.md has a rule for."""
    month, made = sm.month(), []
    orders = {
        by_keys.revoke(3): "revoke", by_keys.revoke(None): "revoke",
        by_keys.replacement(2, bytes(32)): "replace",
    }  # fmt: skip
    bodies = {TYP_FRAME: "body", TYP_CONFIG: "configuration"}
    for data in (*month.objects, month.close, month.receipt, *orders):
        envelope = cose.parse(data)
        made += [("signed-object", data), ("header", envelope.protected)]
        to_be_signed = ["Signature1", envelope.protected, b"", envelope.payload]
        made.append(("signed-bytes", cbor.encode(to_be_signed)))
        rule = orders.get(data) or bodies.get(envelope.typ)
        if rule is not None:
            made.append((rule, decompress(envelope.payload)))
    made.append(("configuration", cbor.encode(ruled())))
    return made + [("entry", data) for data in month.entries]


def with_settings() -> Cases:
    """What tells of meters' settings; pycddl 0.6.4 panics where such an event is bent."""
    body = settings_months.with_events(sm.bodies(sm.configuration())[0], SETTINGS)
    return [
        ("configuration", cbor.encode(settings_months.config(*settings_months.LATER))),
        ("body", decompress(encode_body(body))),
        ("settings", cbor.encode(SETTINGS[0])),
    ]


def bent() -> Cases:
    """The same with a field taken out, and with one too many (but where more is allowed)."""
    made: Cases = []
    for rule, data in written():
        if rule in ("signed-object", "header"):
            continue
        value: Any = cbor.decode(data)
        if isinstance(value, dict):
            needed = [key for key in value if not (rule == "body" and key in (6, 7))]
            made += [
                (rule, cbor.encode({k: value[k] for k in value if k != out})) for out in needed
            ]
            made.append((rule, cbor.encode({**value, next(iter(value)): b"other"})))
        else:
            made += [(rule, cbor.encode(value[:-1])), (rule, cbor.encode([*value, 0]))]
    return made


def test_what_we_write_fits_the_text(ask: Ask) -> None:
    cases = written() + with_settings()
    assert {rule for rule, _ in cases} >= {"body", "configuration", "entry", "revoke", "replace"}
    asked = {"rules": rules(), "cases": [(rule, data.hex()) for rule, data in cases]}
    answers = ask("read_cddl.py", asked)
    assert [(c[0], said) for c, said in zip(cases, answers, strict=True) if said] == []


def test_what_is_bent_does_not(ask: Ask) -> None:
    cases = bent()
    asked = {"rules": rules(), "cases": [(rule, data.hex()) for rule, data in cases]}
    answers = ask("read_cddl.py", asked)
    assert [c[0] for c, said in zip(cases, answers, strict=True) if not said] == []
