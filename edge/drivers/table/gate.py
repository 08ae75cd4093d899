"""The gate every statement passes: one SELECT, and nothing in it that could do anything. Pure.

Allowed is what is known to read only; all else is refused, whatever it is. So an unknown function
is refused, and so is what only some databases understand (comments, variables, quoting in dollars,
backslashes): two readers who split a text differently are how such gates are passed.

`SELECT` stands in a derived table when it is asked (`edge.drivers.table.database`), so a database
takes nothing else there either; its own read-only session and rights are the third hold.
"""

import re
from dataclasses import dataclass


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: functions that compute and no more, in the databases this project knows
FUNCTIONS = _words("""
    abs avg cast ceil ceiling coalesce concat convert count date date_trunc datepart datetime
    datetimeoffsetfromparts dateadd datediff decode extract floor from_unixtime greatest
    group_concat
    ifnull iif instr isnull julianday least left length len lower lpad ltrim max min mod nullif
    nvl nvl2 power replace right round rpad rtrim sign strftime str_to_date substr substring sum
    switchoffset time timestamp to_char to_date to_number to_timestamp todatetimeoffset total trim
    trunc unix_timestamp unixepoch upper utc_timestamp lag lead row_number rank dense_rank
    first_value last_value
""")

#: words that may stand before "(" and are no functions
_BEFORE_BRACKET = _words("""
    select from where and or not in exists all any some on join as by having case when then else
    union except intersect between like over partition distinct values using numeric decimal
    number varchar nvarchar char nchar float datetime2 filter interval
""")

#: words with an effect of their own, or that lead to one
_REFUSED = _words("""
    insert update delete merge replace into create alter drop truncate grant revoke call exec
    execute attach detach pragma vacuum reindex analyze set declare begin commit rollback savepoint
    release lock unlock for copy do handler load import export nextval currval openrowset
    openquery opendatasource outfile dumpfile procedure returning share install shutdown kill use
    explain describe show listen notify prepare deallocate discard cluster refresh waitfor
""")

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+)
    | (?P<text>'(?:[^']|'')*')
    | (?P<quoted>"[^"]+"|\[[\w .-]+\]|`[\w .-]+`)
    | (?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
    | (?P<word>[^\W\d]\w*)
    | (?P<sign>\|\||<>|!=|<=|>=|[-+*/%=<>(),.])
    """,
    re.VERBOSE,
)


class StatementError(ValueError):
    """Not one SELECT that only reads; the text says what is in the way."""


@dataclass(frozen=True)
class Select:
    """A statement that has passed; only `check_statement` makes one.

    Attributes:
        text: the statement.
    """

    text: str


def check_statement(text: str) -> Select:
    """Let one SELECT through.

    Raises:
        StatementError: it is anything else, or holds what is not known to read only.
    """
    tokens = [(kind, token) for kind, token in _tokens(text) if kind != "space"]
    words = [token.lower() if kind == "word" else "" for kind, token in tokens]
    if not words or words[0] not in ("select", "with"):
        raise StatementError("must begin with SELECT (or WITH … SELECT)")
    if "select" not in words:
        raise StatementError("holds no SELECT")
    depth = 0
    for at, (kind, token) in enumerate(tokens):
        depth += {"(": 1, ")": -1}.get(token, 0)
        if depth < 0:
            raise StatementError("closes a bracket that it has not opened")
        followed = tokens[at + 1][1] if at + 1 < len(tokens) else ""
        if followed == "(" and kind in ("word", "quoted"):
            _check_call(kind, token, tokens[at - 1] if at else ("", ""))
        elif kind == "word" and token.lower() in _REFUSED:
            raise StatementError(f"holds {token.upper()}, which no SELECT that only reads needs")
    if depth:
        raise StatementError("opens a bracket that it does not close")
    return Select(text.strip())


def _check_call(kind: str, token: str, before: tuple[str, str]) -> None:
    """Refuse whatever is called and is not known."""
    word = token.lower()
    is_keyword = kind == "word" and word in _BEFORE_BRACKET
    is_known = kind == "word" and word in FUNCTIONS and before[1] != "."
    if not (is_keyword or is_known):
        raise StatementError(f"calls {token}, which is not known to read only")


def _tokens(text: str) -> list[tuple[str, str]]:
    """(kind, token) of each; what stands between must be nothing."""
    found: list[tuple[str, str]] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise StatementError(f"holds {text[at]!r}, which is not allowed: {_why(text[at])}")
        token = match.group()
        if token.startswith(("'", '"', "[")) and "\\" in token:
            raise StatementError("holds a backslash in a text, which databases read differently")
        if text.startswith(("--", "/*"), at):
            raise StatementError("holds a comment; say it in the profile's own comments")
        if match.lastgroup == "text" and found and found[-1][0] == "word":
            raise StatementError(f"holds {found[-1][1]}'…', a text of a kind of its own")
        found.append((match.lastgroup or "", token))
        at = match.end()
    return found


def _why(sign: str) -> str:
    if sign == ";":
        return "one statement, without an end"
    if sign in "?:@$":
        return "the driver binds the key, and there are no other parameters or variables"
    return "names, numbers, texts in '…' and plain operators are"
