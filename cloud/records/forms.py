"""What a form for a kind of document asks for, made from the table of kinds. Pure.

A kind that is added to the table has a form, and columns of an import, without a line here.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from evidence.documents import fields as f
from evidence.documents.document import COLLECTOR
from evidence.documents.kinds import KINDS, shape_of
from evidence.documents.review import COSIGNED, OF_MONTHS, VISIT
from evidence.documents.review import DECISION as REVIEW_DECISION

#: kind -> what its `about` names; others have no word of their own
ABOUT_OF: Mapping[str, str] = {
    **{kind: "sample" for kind in KINDS if kind.startswith("sample-")},
    **dict.fromkeys(("invoice", "stock-take", "count", "parameter"), "source"),
    **dict.fromkeys(("meter-event", "meter-certificate"), "device"),
    **dict.fromkeys(("person", "person-end"), "person"),
    "counter-correction": "point",
    "internal-check": "check",
    "ledger": "sheet",
    "control-plan": "year",
    **dict.fromkeys(OF_MONTHS, "month"),
}
#: kinds that no form of fields makes: a decision begins at what it is about, a visit is a sheet of
#: its own, programs cosign
ELSEWHERE = (REVIEW_DECISION, VISIT, COSIGNED)
#: kinds of which a table can be brought in: what persons sign and what stands for itself
TABLES = tuple(
    kind for kind, shape in KINDS.items()
    if shape.follows == "corrected" and shape.roles != (COLLECTOR,)
)  # fmt: skip


@dataclass(frozen=True)
class FieldForm:
    """One field as a form asks for it.

    Attributes:
        name: of the field.
        check: name of what it may hold, see `evidence.documents.fields`.
        required: whether it must be filled in.
        options: the words to choose from; of "truth", the two texts it is written as.
        columns: of a list of rows, the fields of each.
    """

    name: str
    check: str
    required: bool
    options: tuple[str, ...] = ()
    columns: tuple["FieldForm", ...] = ()


def fields_of(kind: str) -> tuple[FieldForm, ...]:
    """The fields of a kind, what is required first; UnsupportedError when there is no such kind."""
    shape = shape_of(kind)
    return _fields(shape.required, shape.optional)


def kinds_for(role: str) -> list[str]:
    """Kinds that a role may sign in a form of their own, in the table's order.

    Answers begin at their question, `ELSEWHERE` has the others.
    """
    return [
        kind
        for kind, shape in KINDS.items()
        if role in shape.roles
        and shape.follows not in ("decided", "answered")
        and kind not in ELSEWHERE
    ]


def _fields(
    required: Mapping[str, f.Check], optional: Mapping[str, f.Check]
) -> tuple[FieldForm, ...]:
    made = [_field(name, check, required=True) for name, check in required.items()]
    return (*made, *(_field(name, check, required=False) for name, check in optional.items()))


def _with_options(forms: Iterable[FieldForm]) -> Iterator[str]:
    for form in forms:
        if form.options:
            yield form.name
        yield from _with_options(form.columns)


def _field(name: str, check: f.Check, *, required: bool) -> FieldForm:
    options, columns = tuple[str, ...](), tuple[FieldForm, ...]()
    if isinstance(check, f.OneOf):
        options = check.allowed
    elif check is f.truth:
        options = ("true", "false")
    elif isinstance(check, f.Rows):
        columns = _fields(check.required, check.optional)
    return FieldForm(name, f.name_of(check), required, options, columns)


#: fields whose values are words to choose from, of all kinds: those have labels
CHOSEN = frozenset(name for kind in KINDS for name in _with_options(fields_of(kind)))
