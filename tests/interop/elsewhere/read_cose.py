"""Runs where cwt and pycose are: says what they think of signed objects. Imports nothing of ours.

    python read_cose.py CASES.json

Reads a list of {"object", "key": {"x", "y" or null}} in hex; writes what each library says of each:
the payload in hex, or the refusal. And signs: for {"sign": {"alg", "d", "x", "header", "payload"}}
cwt makes an object. pycose is older than RFC 9864, so its two algorithms are given the newer
numbers here; what they compute is left as it is.
"""

import json
import sys
from typing import Any

import cbor2
from cwt import COSE, COSEKey
from pycose.algorithms import CoseAlgorithm, EdDSA, Es256
from pycose.keys import EC2Key, OKPKey
from pycose.messages import Sign1Message


@CoseAlgorithm.register_attribute()
class Ed25519(EdDSA):
    """EdDSA on Ed25519 under its number in RFC 9864."""

    identifier, fullname = -19, "ED25519_RFC9864"


@CoseAlgorithm.register_attribute()
class Esp256(Es256):
    """ES256 on P-256 under its number in RFC 9864."""

    identifier, fullname = -9, "ESP256"


def header_of(data: bytes) -> dict[int, Any]:
    return cbor2.loads(cbor2.loads(data).value[0])


def by_cwt(data: bytes, x: bytes, y: bytes | None) -> bytes:
    header = header_of(data)
    shape = {1: 2, -1: 1, -2: x, -3: y} if y else {1: 1, -1: 6, -2: x}
    key = COSEKey.new({**shape, 2: header[4], 3: header[1], 4: [2]})
    return COSE.new().decode(data, [key])


def by_pycose(data: bytes, x: bytes, y: bytes | None) -> bytes:
    message = Sign1Message.decode(data)
    message.key = EC2Key(crv="P_256", x=x, y=y) if y else OKPKey(crv="ED25519", x=x)
    if not message.verify_signature():
        raise ValueError("not signed by this key")
    return message.payload


def said(ask: Any, case: dict[str, Any]) -> str:
    key = [bytes.fromhex(case["key"][name]) if case["key"][name] else None for name in "xy"]
    try:
        return ask(bytes.fromhex(case["object"]), *key).hex()
    except Exception as error:  # noqa: BLE001 - whatever a library raises is its "no"
        return f"refused: {type(error).__name__}: {error}"


def signed(wish: dict[str, Any]) -> str:
    d, x, header, payload = (bytes.fromhex(wish[name]) for name in ("d", "x", "header", "payload"))
    protected = cbor2.loads(header)
    key = COSEKey.new({1: 1, -1: 6, -2: x, -4: d, 3: wish["alg"], 2: protected[4], 4: [1]})
    return COSE.new().encode_and_sign(payload, key, protected, {}).hex()


def main() -> None:
    """Answer on standard output."""
    with open(sys.argv[1]) as file:  # noqa: PTH123 - a script of three lines
        cases = json.load(file)
    answers = [
        {"cwt": signed(case["sign"])} if "sign" in case
        else {"cwt": said(by_cwt, case), "pycose": said(by_pycose, case)}
        for case in cases
    ]  # fmt: skip
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
