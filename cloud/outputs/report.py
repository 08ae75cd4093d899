"""The report of a month, in one language, as a paper. Pure.

Figures are the statement's own strings; where the platform takes fewer places, what is typed there
stands beside them. Plots show shapes, and say from what.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from cloud.outputs.blocks import NEW_PAGE, Block, Paper, code, facts, heading, listing, table, text
from cloud.outputs.book import lines_of
from cloud.outputs.counters import counter_sentences
from cloud.outputs.errors import OutputError
from cloud.outputs.headline import emission_unit, headline, line_name
from cloud.outputs.materials import materials_of, materials_table
from cloud.outputs.plots import qr
from cloud.outputs.report_pictures import completeness_of, effects_of, sources_of, trend_of
from cloud.outputs.reported import Checked
from cloud.outputs.sealed import SealedMonth
from cloud.outputs.typing_sheet import LABELS
from cloud.outputs.words import word, word_or
from edge.calc.flags import Flag
from evidence.findings import Verdict, utc
from evidence.phrases import phrase, translated

#: findings, flags and reservations that are listed one by one
LISTED_MAX = 200
#: issues that the first page has room for
OPEN_MAX = 10
_READ = ("first", "last")


def report_paper(checked: Checked, language: str) -> Paper:
    """The report."""
    month = checked.month
    bands = [word("band.simulated", language)] if month.simulated else []
    state = checked.report.state
    if not state.is_plain:
        bands.append(state.headline(language))
    if checked.report.verdict is not Verdict.PASSED:
        bands.append(phrase(f"verdict.{state.verdict}.means", language))
    if month.closing == "interim":
        bands.append(word("band.interim", language))
    paper = Paper(
        title=word("report.title", language),
        language=language,
        running=f"{month.plant['name']} · {month.month}",
        footer=f"SHA-256 {month.sha256}",
        bands=bands,
    )
    try:
        for part in _PARTS:
            paper.blocks.extend(part(checked, language))
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        if checked.report.verdict is Verdict.PASSED:
            raise  # a defect of ours
        # what only readings tell is compared by the verifier, and here it has any form
        raise OutputError(
            f"{checked.file_name}: its statement is of no form that a report can be made of; "
            "see stackproof verify"
        ) from error
    return paper


def _opening(checked: Checked, language: str) -> Iterator[Block]:
    month, report = checked.month, checked.report
    period = month.given["period"]
    yield heading(f"{month.plant['name']} {month.month}", 1)
    rows = [
        ("plant", f"{month.plant['id']} ({word(f'sector.{month.rules.sector}', language)})"),
        ("rule_set", f"{month.output['rule_set']} — {_title(month, language)}"),
        ("edition", str(month.output["edition"])),
        ("period", f"{period['from']} – {period['to']} ({month.plant['time_zone']})"),
        ("closing", f"{word(f'closing.{month.closing}', language)}, {month.closed_on}"),
        ("verdict", report.state.headline(language)),
        ("identity", translated("identity", report.identity, language)),
        ("timestamp", translated("timestamp", report.timestamp, language)),
        ("statement", month.statement_sha256),
    ]
    if month.replaces:
        rows.append(("replaces", month.replaces))
    yield facts([(word(f"report.{key}", language), value) for key, value in rows])


def _title(month: SealedMonth, language: str) -> str:
    return month.rules.zh if language == "zh" else month.rules.title


def _headline(checked: Checked, language: str) -> Iterator[Block]:
    month = checked.month
    yield heading(word("report.headline", language))
    head = [word(f"report.{key}", language) for key in ("figure", "value", "unit")]
    shown = [list(row) for row in headline(month.given, month.output, language)]
    shown[0][0] += checked.report.state.beside_total(language)
    if "intensity" in month.output:
        shown[-1][0] += checked.report.state.beside_total(language)
    yield table(head, shown, widths=[4, 2, 1.4], align="lrl", size=9)


def _open(checked: Checked, language: str) -> Iterator[Block]:
    """On the first page: what the month lacks, what is to be explained, what nobody looked at."""
    state = checked.report.state
    yield heading(word("report.open", language))
    issues = [*state.incomplete, *state.questions]
    rows = [
        [word(f"weight.{issue.weight}", language), issue.code, issue.sentence(language)]
        for issue in issues[:OPEN_MAX]
    ]
    if rows:
        yield table([], rows, widths=[1.2, 1.6, 8], size=7)
    more = len(issues[OPEN_MAX:]) + state.unlisted
    if more or not rows:
        yield text(word("report.more", language, n=more) if more else word("report.none", language))
    uncovered = checked.month.output.get("pfc", {}).get("not_covered", [])
    if uncovered:
        yield heading(word("report.not_covered", language), 3)
        yield listing([word_or(f"uncovered.{n}", language, f"{row['what']}: {row['why']}")
                       for n, row in enumerate(uncovered)])  # fmt: skip
    yield heading(phrase("summary.not_checked", language), 3)
    yield listing([translated("unchecked", s, language) for s in checked.report.not_checked])


def _lines(checked: Checked, language: str) -> Iterator[Block]:
    month = checked.month
    yield heading(word("report.lines", language))
    yield text(word("report.lines.how", language), "small")
    for line in lines_of(month.output):
        yield heading(line_name(month.rules, line, language), 3)
        rows = [
            [word_or(f"parameter.{name}", language, name), parameter["value"], parameter["unit"],
             word(f"basis.{parameter['basis']}", language), _source(parameter, language)]
            for name, parameter in line["parameters"].items()
        ]  # fmt: skip
        if "emission_t" in line:
            rows.append(
                [word("parameter.emission_t", language), line["emission_t"], emission_unit(line),
                 word("basis.calculated", language), ""]
            )  # fmt: skip
        head = [word(f"report.{k}", language) for k in ("figure", "value", "unit", "basis", "from")]
        yield table(head, rows, widths=[2.4, 2, 1.6, 1.1, 5], align="lrlll", size=7)


def _source(parameter: Mapping[str, Any], language: str) -> str:
    source = str(parameter["source"])
    provenance = parameter.get("provenance", {})
    if set(provenance) == {"frames"}:
        frames = provenance["frames"]
        point = frames.get("point", frames.get("potline", "?"))
        rule = word_or(f"rule.{frames.get('rule')}", language, str(frames.get("rule")))
        return word("source.frames", language, point=point, rule=rule)
    if parameter["confidence"] in ("given", "confirmed"):
        return source
    confidence = word(f"confidence.{parameter['confidence']}", language)
    return f"[{confidence}] {source}"


def _platform(checked: Checked, language: str) -> Iterator[Block]:
    """Every figure of the workbook, so that both can be held against each other."""
    book, number = checked.book, int(checked.month.month[5:])
    beside = checked.report.state.beside_total(language)
    yield heading(word("report.platform", language))
    layout = book.layout
    yield text(
        word("report.platform.how", language, id=layout.id,
             confidence=word(f"confidence.{layout.confidence}", language)),
        "small",
    )  # fmt: skip
    for page in book.pages:
        rows = []
        for row in page.rows:
            if number in row.values:
                labels = [row.texts.get(name, "") for name in LABELS if name in page.sheet.columns]
                label = " · ".join(filter(None, [*labels, row.texts["item"]]))
                label += beside if row.is_total else ""
                value = row.values[number]
                rows.append([label, value.text, row.texts["unit"], row.texts["basis"]])
        if rows:
            yield heading(page.sheet.title, 3)
            head = [word(f"report.{k}", language) for k in ("figure", "value", "unit", "basis")]
            yield table(head, rows, widths=[6, 2, 1.5, 1.2], align="lrll", size=7)


def _checks(checked: Checked, language: str) -> Iterator[Block]:
    checks = checked.month.output.get("cross_checks", [])
    within = checked.month.given.get("checks", [])
    if not checks and not within:
        return
    yield heading(word("report.checks", language))
    yield text(word("report.checks.how", language), "small")
    rows = [
        [
            word_or(f"check.{check['check']}", language, str(check["check"])),
            _flat({_field(key, language): check[key] for key in check if key != "check"}),
        ]
        for check in [*checks, *within]
    ]
    yield table([], rows, widths=[2, 5], size=7)


def _field(key: str, language: str) -> str:
    return word_or(f"field.{key}", language, key)


def _flat(value: Any) -> str:  # noqa: ANN401 - a statement's own maps and lists
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_flat(one)}" for key, one in value.items())
    if isinstance(value, list):
        return ", ".join(map(_flat, value))
    return str(value)


def _bridges(checked: Checked, language: str) -> Iterator[Block]:
    """How documents of another period were brought to the month's."""
    bridges = checked.month.given.get("bridges", [])
    if not bridges:
        return
    yield heading(word("report.bridges", language))
    yield text(word("report.bridges.how", language), "small")
    head = [word(f"report.bridge.{key}", language) for key in ("what", "from", "to", "value", "by")]
    for bridge in bridges:
        yield heading(f"{bridge['source']} · {bridge['point']} · {bridge['unit']}", 3)
        rows = [_bridge_row("period", bridge, bridge["period_quantity"], language)]
        rows += [
            _bridge_row(end, bridge[end], bridge[end]["added"], language)
            for end in ("start", "end")
            if end in bridge
        ]
        share = word("report.bridge.share", language, percent=bridge["bridged_percent"])
        month = word("report.bridge.month", language)
        rows.append([month, "", "", bridge["quantity"], share])
        yield table(head, rows, widths=[2, 2.6, 2.6, 1.6, 4], align="lllrl", size=7)


def _bridge_row(what: str, span: Mapping[str, Any], value: str, language: str) -> list[str]:
    by = ""
    if "first" in span:
        readings = " → ".join(f"{span[e]['value']} ({utc(span[e]['tick_ns'])})" for e in _READ)
        by = word("report.bridge.read", language, readings=readings)
    elif "documents" in span:
        by = word("report.bridge.told", language, sha256=f"{span['documents']['sha256'][0][:16]}…")
    elif "parts" in span:
        by = ", ".join(
            f"{word_or(f'parameter.{key}', language, key)} {part}"
            for key, part in span["parts"].items()
        )
    name = word(f"report.bridge.{what}", language)
    return [name, utc(span["from_ns"]), utc(span["to_ns"]), value, by]


def _departures(checked: Checked, language: str) -> Iterator[Block]:
    """Where practice departed from the plan that is in the archive."""
    planned = checked.month.planned
    yield heading(word("report.plan", language))
    if not planned.plan_sha256:
        yield text(word("report.plan.none", language))
        return
    yield text(
        word("report.plan.how", language, revision=planned.revision, sha256=planned.plan_sha256),
        "small",
    )
    rows = [list(row) for row in planned.sentences(language)]
    if planned.problem or not rows:
        yield text(planned.problem or word("report.plan.kept", language))
        return
    head = [word(f"report.plan.{key}", language) for key in ("about", "so", "mends")]
    yield table(head, rows, widths=[1.6, 5, 4], size=7)


def _uncertainty(checked: Checked, language: str) -> Iterator[Block]:
    yield heading(word("report.uncertainty", language))
    told = checked.uncertainty or checked.month.output.get("uncertainty")
    if told is None:
        yield text(word("report.uncertainty.none", language))
        return
    yield text(word("report.uncertainty.how", language, k=told["k"]), "small")
    keys = ("of_t", "expanded_t", "expanded_percent", "assessed_percent", "not_assessed_percent")
    rows = [
        [word_or(f"total.{key}", language, key), *(total.get(name, "–") for name in keys)]
        for key, total in told["totals"].items()
    ]
    head = [word("report.figure", language), *(word(f"uncertainty.{k}", language) for k in keys)]
    yield table(head, rows, widths=[3, 2, 2, 2, 2, 2], align="lrrrrr")


def _findings(checked: Checked, language: str) -> Iterator[Block]:
    report = checked.report
    yield heading(word("report.findings", language))
    told = report.as_map(language)
    yield text(phrase(f"verdict.{report.verdict.value}.means", language))
    if not told["findings"]:
        yield text(word("report.none", language))
        return
    rows = [
        [found["code"], translated("where", found["where"], language),
         translated("sentence", found["sentence"], language)]
        for found in told["findings"][:LISTED_MAX]
    ]  # fmt: skip
    head = [word(f"report.{key}", language) for key in ("code", "where", "sentence")]
    yield table(head, rows, widths=[1.6, 2.4, 6], size=7)
    if (more := len(told["findings"]) - LISTED_MAX) > 0:
        yield text(word("report.more", language, n=more), "small")


def _flags(checked: Checked, language: str) -> Iterator[Block]:
    month = checked.month
    yield heading(word("report.flags", language))
    sentences = [Flag(flag).sentence(language) for flag in month.output["flags"]]
    sentences += counter_sentences(month.given, month.documents, language)
    if (more := len(sentences) - LISTED_MAX) > 0:
        sentences[LISTED_MAX:] = [word("report.more", language, n=more)]
    reserved = month.given.get("reservations") or {}
    if reserved:
        sentences.append(word("flag.reservations", language, told=_flat(reserved)[:600]))
    yield listing(sentences) if sentences else text(word("report.none", language))


def _materials(checked: Checked, language: str) -> Iterator[Block]:
    source = materials_table()
    yield heading(word("report.materials", language))
    yield text(
        word("report.materials.how", language, source=source["source"],
             confidence=word(f"confidence.{source['confidence']}", language)),
        "small",
    )  # fmt: skip
    rows = [
        [material.names[language], word(f"material.{material.state}", language),
         str(material.count) if material.count else ""]
        for material in materials_of(checked.month)
    ]  # fmt: skip
    head = [word(f"report.{key}", language) for key in ("material", "state", "documents")]
    yield table(head, rows, widths=[6, 2, 1], align="llr")


def _closing(checked: Checked, language: str) -> Iterator[Block]:
    month = checked.month
    yield NEW_PAGE
    yield heading(word("report.verify", language))
    yield text(word("report.verify.how", language))
    yield text(f"stackproof verify {checked.file_name} --trust trust.pem", "mono")
    content = f"stackproof:archive:{month.plant['id']}:{month.month}:{month.sha256}"
    rows = [(word("notes.archive", language), month.sha256),
            (word("notes.statement", language), month.statement_sha256)]  # fmt: skip
    yield code(qr(content), rows)
    yield text(word("report.made", language), "small")


_PARTS = (
    _opening, _headline, _open, _lines, _platform, sources_of, trend_of, effects_of,
    completeness_of, _bridges, _departures, _checks, _uncertainty, _findings, _flags, _materials,
    _closing,
)  # fmt: skip
