"""The pages of `docs/methods/`: one a method, one a rule set, and an index. Pure: texts only.

A method's page is its docstring in four parts. The docstring's paragraphs are: what it computes;
the formula; what its symbols mean and what they cover; the paragraph that begins "Example"; the
one that begins "Not confirmed:".
"""

from collections.abc import Iterable, Mapping, Sequence

from edge.calc.factors import CONFIDENCES, Row, RuleSet, rule_set, rule_set_ids
from edge.calc.registry import Input, Method, methods
from edge.calc.row_names import row_name_zh

INDEX = "README.md"
COMMAND = "stackproof calc pages"
EXAMPLE, NOT_CONFIRMED = "Example", "Not confirmed:"
_UNITLESS = "text or table"
_ROW_COLUMNS = ("row", "中文", "value", "unit", "basis", "confidence", "seen in", "note")
_MEANING = {
    "confirmed": "two independent sources agree",
    "single-source": "seen in one source",
    "conflicting": "sources differ",
    "unverified": "in no source we could read for just this case",
}


def all_pages() -> dict[str, str]:
    """File name to text of every page, the index among them."""
    by_id = methods()
    rules = [rule_set(name) for name in rule_set_ids()]
    pages = {method_file(name): method_page(found) for name, found in by_id.items()}
    pages |= {rules_file(found.id): rules_page(found) for found in rules}
    return pages | {INDEX: index(by_id, rules)}


def method_file(method_id: str) -> str:
    """The name of a method's page."""
    return f"{method_id.replace('.', '-').replace('_', '-')}.md"


def rules_file(rule_set_id: str) -> str:
    """The name of a rule set's page."""
    return f"rules-{rule_set_id}.md"


def method_page(method: Method) -> str:
    """One method as a page."""
    title, formula, *rest = method.text.split("\n\n")
    example = [text for text in rest if text.startswith(EXAMPLE)]
    doubt = [text for text in rest if text.startswith(NOT_CONFIRMED)]
    said = [text for text in rest if text not in (*example, *doubt)]
    parts = [
        f"# {method.id}",
        f"{_text(title)} Version {method.version}.",
        f"Made from `edge/calc/` by `{COMMAND}`; change the method's docstring, not this page. "
        f"The same on a terminal: `stackproof calc show {method.id}`.",
        "## Formula",
        f"```\n{formula}\n```",
        *(_text(text) for text in said),
        "## Inputs",
        _table(("name", "unit", "range"), [_input(n, spec) for n, spec in method.inputs.items()]),
        f"`{method.command}`",
        "## Outputs",
        _table(
            ("name", "unit"),
            [(f"`{n}`", _text(unit) or _UNITLESS) for n, unit in method.outputs.items()],
        ),
        "## Example",
        *(_text(text.removeprefix(EXAMPLE + ": ")) for text in example),
        "## Source",
        _text(method.source),
        "## What is not confirmed",
        *(_sentence(_text(text.removeprefix(NOT_CONFIRMED))) for text in doubt),
    ]
    return "\n\n".join(parts) + "\n"


def rules_page(rules: RuleSet) -> str:
    """One rule set's or coefficient table's own rows as a page."""
    own = [row for row in rules.rows.values() if row.rule_set == rules.id]
    parts = [
        f"# {rules.id}",
        f"{_text(rules.title)} ({rules.zh}).",
        f"Made from `edge/calc/rule_sets/{rules.id}.toml` by `{COMMAND}`; change that file's "
        "successor, not this page: a published file never changes.",
        _table(("", ""), _head(rules)),
        "## Factors",
        _table(_ROW_COLUMNS, [_row(rules, row) for row in own]),
        "## Seen in",
        "\n".join(f"- **{key}**: {_text(title)}" for key, title in rules.sources.items()),
        "## What is not confirmed",
        _doubts(own),
    ]
    return "\n\n".join(parts) + "\n"


def index(by_id: Mapping[str, Method], rules: Sequence[RuleSet]) -> str:
    """All methods and all rule sets."""
    counted = [(each, [r for r in each.rows.values() if r.rule_set == each.id]) for each in rules]
    return "\n\n".join([
        "# Methods and rule sets",
        f"Made by `{COMMAND} docs/methods`; a test holds the pages true. Values are exact "
        "fractions until they are printed; a rule set says where they are rounded. What somebody "
        "else printed and which test holds it: [published cases](../published-cases.md).",
        "## Methods",
        _table(("method", "version", "computes", "source"), [
            (f"[{name}]({method_file(name)})", str(found.version),
             _text(found.text.partition("\n\n")[0]), _text(found.source))
            for name, found in by_id.items()
        ]),
        "## Rule sets and tables of coefficients",
        "Confidence of a row: "
        + "; ".join(f"**{word}**, {_MEANING[word]}" for word in CONFIDENCES) + ".",
        _table(("rule set", "中文", "edition", *CONFIDENCES), [
            (f"[{each.id}]({rules_file(each.id)})", each.zh, _text(each.edition),
             *(str(sum(row.confidence == word for row in own)) for word in CONFIDENCES))
            for each, own in counted
        ]),
    ]) + "\n"  # fmt: skip


def _input(name: str, spec: Input) -> tuple[str, str, str]:
    span = "" if spec.is_text else f"{spec.low or '…'} to {spec.high or '…'}"
    span += ", may be left out" if spec.optional else ""
    return f"`{name}`", _text(spec.unit) or "name", span.removeprefix(", ")


def _head(rules: RuleSet) -> list[tuple[str, str]]:
    rows = [
        ("edition", _text(rules.edition)),
        ("sector", rules.sector),
        ("a month's statement is made by it", "yes" if rules.record else "no"),
        ("global warming potentials", rules.gwp),
        ("takes over all rows of", _links(rules.extends)),
        ("may use rows of", _links(n for n in rules.tables if n not in rules.extends)),
    ]
    return [row for row in rows if row[1]]


def _row(rules: RuleSet, row: Row) -> tuple[str, ...]:
    seen = f"{', '.join(row.seen_in)}: {_text(row.locator)}"
    return (f"`{row.id}`", row_name_zh(rules, row), row.text, _text(row.unit), _text(row.basis),
            row.confidence, seen, _text(row.note))  # fmt: skip


def _doubts(rows: Iterable[Row]) -> str:
    """Every row that is not confirmed, by confidence."""
    found: dict[str, list[str]] = {}
    for row in rows:
        if not row.confirmed:
            found.setdefault(row.confidence, []).append(f"`{row.id}`")
    if not found:
        return "Every row was seen in two independent sources that agree."
    told = [
        f"- **{word}** ({_MEANING[word]}): {', '.join(found[word])}"
        for word in CONFIDENCES
        if word in found
    ]
    return "Whatever is computed with one of these names it.\n\n" + "\n".join(told)


def _links(rule_set_names: Iterable[str]) -> str:
    return ", ".join(f"[{name}]({rules_file(name)})" for name in rule_set_names)


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _text(text: str) -> str:
    """One line that no table and no tag takes for its own."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")
