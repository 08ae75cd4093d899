"""A screening told to people: what stands out, ranked, and what was asked. Pure."""

from collections import Counter
from collections.abc import Iterator

from edge.calc.screening.screen import Answer
from evidence.findings import shown
from evidence.phrases import phrase, translated
from evidence.screen.screened import Screened, question_names
from evidence.screen.texts import question_text, report_text, sentence_of

LISTED_MAX = 50
#: of one month
ISSUES_LISTED_MAX = 20
_VERDICT = "verdict."


def report_lines(screened: Screened, language: str) -> Iterator[str]:
    """Line by line, in one of `texts.LANGUAGES`."""

    def text(key: str, **values: object) -> str:
        return report_text(key, language, **values)

    yield text(
        "title", archives=len(screened.reports), months=len(screened.months),
        questions=len(question_names()), answers=len(screened.answers),
    )  # fmt: skip
    yield from _states(screened, language)
    for refused in screened.refused:
        why = refused.why
        if why.startswith(_VERDICT):
            why = text(why.removeprefix(_VERDICT))
            yield "  " + text("refused", archive=shown(refused.archive), why=why)
        else:
            yield "  " + text("unfit", archive=shown(refused.archive), why=shown(why))
    if not screened.months:
        return
    if screened.verified:
        told = {translated("identity", r.identity, language) for r in screened.reports}
        yield "  " + text("verified", identity=" · ".join(sorted(told)))
    else:
        yield "  " + text("unverified")
    yield "  " + text("not_fraud")
    yield "  " + text("level", percent=f"{100 * screened.level:g}")
    for key, facts in screened.notes:
        yield "  " + text(f"note.{key}", **facts)
    yield ""
    out = screened.standing_out
    yield text("out", n=len(out)) if out else text("none")
    for rank, answer in enumerate(out[:LISTED_MAX], 1):
        yield from _answer(rank, answer, language)
    if len(out) > LISTED_MAX:
        yield "  " + text("rest", n=len(out) - LISTED_MAX)
    yield ""
    yield text("asked")
    yield from _asked(screened, language)


def _states(screened: Screened, language: str) -> Iterator[str]:
    """Each month's verdict and completeness, and the sentences of what is missing or open."""
    for archive, state in screened.states.items():
        yield f"  {shown(archive)}: {state.headline(language)}"
        issues = [*state.incomplete, *state.questions]
        for issue in issues[:ISSUES_LISTED_MAX]:
            yield f"    {issue.code}  {issue.sentence(language)}"
        if rest := len(issues[ISSUES_LISTED_MAX:]) + state.unlisted:
            yield "    " + phrase("summary.more", language, n=rest)


def _answer(rank: int, answer: Answer, language: str) -> Iterator[str]:
    result = answer.result
    name = question_text(result.question, "name", language)
    yield (
        f"{rank:>3}. {name} · {result.plant} {result.month} · {shown(result.where)} · "
        f"{result.statistic}"
    )
    yield f"     {shown(sentence_of(result, language))}"
    if answer.among is None:
        told = report_text("limit", language, times=f"{result.beyond:.1f}")
    else:
        told = report_text(
            "chance", language, chance=f"{result.chance:.2g}", among=f"{answer.among:.2g}"
        )
    yield f"     {told}"
    causes = question_text(result.question, "causes", language)
    yield f"     {report_text('innocent', language, causes=causes)}"


def _asked(screened: Screened, language: str) -> Iterator[str]:
    looked = Counter(answer.result.question for answer in screened.answers)
    out = Counter(answer.result.question for answer in screened.standing_out)
    for name in question_names():
        said = question_text(name, "name", language)
        key = "asked_row" if looked[name] else "nothing"
        yield "  " + report_text(key, language, name=said, looked=looked[name], out=out[name])
