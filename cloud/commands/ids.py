"""Ids from the command line. Apart, because `stackproof record` needs nothing else of ours."""

import argparse

from evidence.points import NAME_ID


def plant_id(text: str) -> str:
    """A plant's or gateway's id from the command line."""
    if not NAME_ID.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no id (it must match {NAME_ID.pattern})")
    return text
