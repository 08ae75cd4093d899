"""Every document: each command in it is one that the program's own parsers take, to the letter."""

import argparse
import functools
import re
import shlex
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import NoReturn

import pytest

import stackproof

ROOT = Path(__file__).resolve().parents[2]
#: the history says what was so then, and so do decisions
DOCUMENTS = [
    *(path for path in sorted(ROOT.glob("*.md")) if path.name != "CHANGELOG.md"),
    *sorted((ROOT / "docs").glob("*.md")),
    *(p for room in ("edge", "cloud", "evidence", "simulators", "firmware_configs")
      for p in sorted((ROOT / room).rglob("*.md")) if "node_modules" not in p.parts),
]  # fmt: skip
#: words before a command that run it: as somebody, somewhere, with something
_BEFORE = re.compile(r"sudo|env|exec|nohup|time|\./run|runuser|--|-u|\w+=.*")
_ENDS = {";", "|", "||", "&", "&&"}
#: a reader fills these in, where the parser wants something of a form
_FILLED = {"ID": "id", "N": "1", "N]": "1", "[--from": "--from", "[--speed": "--speed",
           "INSTANT]": "2026-09-30T15:59:00Z", "YYYY-MM": "2026-09"}  # fmt: skip
_LEFT_OUT = ("…", "...")


class ParsedError(Exception):
    """The parser took it; nothing was run."""


class UnknownError(Exception):
    """The parser did not: its sentence, and the options of its usage."""

    def __init__(self, sentence: str, options: set[str]) -> None:
        super().__init__(sentence)
        self.options = options


def commands(text: str) -> Iterator[list[str]]:
    """The words of each `stackproof` command of shell text, without what the shell does itself."""
    for line in text.replace("\\\n", " ").splitlines():
        if "stackproof" not in line:
            continue
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split, lexer.commenters = True, "#"
        words: list[str] = []
        for word in [*lexer, ";"]:
            if word not in _ENDS:
                words.append(word)
                continue
            found, words = _command(words), []
            if found:
                yield found


def _command(words: list[str]) -> list[str]:
    if any(set(word) <= {">", "<"} for word in words):
        words = words[: next(i for i, word in enumerate(words) if set(word) <= {">", "<"})]
    for place, word in enumerate(words):
        is_user = place > 0 and words[place - 1] == "-u"
        is_it = word == "stackproof" or re.fullmatch(r"(/[\w.-]+)+/bin/stackproof", word)
        if is_it and not is_user:
            return words[place + 1 :]
        if not _BEFORE.fullmatch(word) and not is_user:
            return []
    return []


def in_blocks(text: str) -> Iterator[list[str]]:
    """Commands of code blocks, of whatever language the block says it is (or of none)."""
    for language, block in re.findall(r"^```(\w*)\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        if language in ("", "sh", "console", "text"):
            yield from commands(block)


def in_sentences(text: str) -> Iterator[list[str]]:
    """Commands between backticks, which leave out what every reader knows: hence the "…"."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    for span in re.findall(r"`([^`]+)`", prose):
        words = " ".join(span.split())
        if re.match(rf"({'|'.join(stackproof.COMMANDS)}) [a-z-]+( |$)", words):
            words = f"stackproof {words}"
        if re.match(r"(sudo |\./run exec )?stackproof \w", words):
            yield from ([*found, "…"] for found in commands(words))


@pytest.fixture
def parsing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program's parsers as they are, but each says what it found instead of going on.

    An option that is only the beginning of one is refused: a document writes it out.
    """
    init, parse = argparse.ArgumentParser.__init__, argparse.ArgumentParser.parse_args

    def parse_only(self: argparse.ArgumentParser, args: list[str]) -> NoReturn:
        parse(self, args)
        raise ParsedError

    def complain(self: argparse.ArgumentParser, message: str) -> NoReturn:
        helped = re.findall(r"(?<![\w-])--[a-z][\w-]*", self.format_usage())
        raise UnknownError(message, set(helped))

    exact = functools.partialmethod(init, allow_abbrev=False)
    monkeypatch.setattr(argparse.ArgumentParser, "__init__", exact)
    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse_only)
    monkeypatch.setattr(argparse.ArgumentParser, "error", complain)
    for room in {command.module for command in stackproof.COMMANDS.values()}:
        module = import_module(room)
        monkeypatch.setattr(module, "_parser", functools.cache(module._parser))


def objection(words: list[str]) -> str:
    """What the program says against a command; "" for nothing.

    Where something is left out ("…"), what is there is held to the options of its usage, and
    `cloud month …` may be called `month …`.
    """
    is_whole = not set(words) & set(_LEFT_OUT)
    filled = [_FILLED.get(word, word) for word in words]
    after = ["", *filled]
    # one that stands behind an option is its value, if it takes any
    values = [w for w, b in zip(filled, after, strict=False) if w not in _LEFT_OUT or b[:2] == "--"]
    bare = [word for word in filled if word not in _LEFT_OUT]
    tried = [values, bare, *([["cloud", *bare]] if words[0] == "month" and not is_whole else [])]
    why = ""
    for given in tried:
        if not (why := _objection(given, is_whole=is_whole)):
            break
    return why


def _objection(given: list[str], *, is_whole: bool) -> str:
    try:
        status = stackproof.main(given)
    except ParsedError:
        return ""
    except UnknownError as error:
        if is_whole or not str(error).startswith("the following arguments are required"):
            return str(error)
        options = {word for word in given if word.startswith("--")}
        return " ".join(sorted(options - error.options))
    return f"ended with {status} before it was parsed"


@pytest.mark.usefixtures("parsing")
@pytest.mark.parametrize("kind", ["blocks", "sentences"])
def test_every_command_is_understood(kind: str) -> None:
    said: dict[tuple[str, ...], str] = {}
    for path in DOCUMENTS:
        for words in (in_blocks if kind == "blocks" else in_sentences)(path.read_text()):
            said.setdefault(tuple(words), str(path.relative_to(ROOT)))
    assert len(said) > {"blocks": 150, "sentences": 100}[kind]
    wrong = {f"{where}: {' '.join(words)}": objection(list(words)) for words, where in said.items()}
    assert {name: why for name, why in wrong.items() if why} == {}


@pytest.mark.usefixtures("parsing")
def test_what_is_not_there_is_found() -> None:
    """An option that is only part of one, one of another command, a word too many, no command."""
    fine = "sudo env A=1 ./run exec stackproof cloud fsck CLOUD.toml | head"
    assert [objection(words) for words in commands(fine)] == [""]
    for wrong in (
        "stackproof keys enrol --csr a.csr --name e --key HEX --root file:r "
        "--root-certificate r --out o",
        "stackproof cloud backup CLOUD.toml --reason x --out o",
        "stackproof cloud fsck \\\n  CLOUD.toml OTHER.toml extra",
        "/opt/stackproof/current/bin/stackproof cloud broker renew CLOUD.toml",
        "stackproof keys enrol --key … --days 3",
    ):
        (words,) = commands(wrong)
        assert objection(words), wrong
    for wrong in ("edge check --trafic", "stackproof cloud fsk", "month seal --amend"):
        (words,) = in_sentences(f"Say `{wrong}` and\n```sh\nstackproof nothing\n```\n.")
        assert objection(words), wrong
