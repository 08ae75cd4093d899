"""Runs where pycddl is: which values fit a CDDL text. Imports nothing of ours.

    python read_cddl.py ASKED.json

Reads {"rules": text, "cases": [[rule, CBOR in hex], ...]}; writes "" or what does not fit, a case.
"""

import json
import sys

from pycddl import Schema, ValidationError


def fits(rules: str, rule: str, data: bytes) -> str:
    try:
        Schema(f"start = {rule}\n{rules}").validate_cbor(data)
    except ValidationError as error:
        return str(error) or "does not fit"
    return ""


def main() -> None:
    """Answer on standard output."""
    with open(sys.argv[1]) as file:  # noqa: PTH123 - a script of three lines
        asked = json.load(file)
    answers = [fits(asked["rules"], rule, bytes.fromhex(data)) for rule, data in asked["cases"]]
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
