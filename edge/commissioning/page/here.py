"""Where a page is: its language, its address, what was typed last; what every page has. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from edge.commissioning.findings import Check, State
from edge.commissioning.page.doctor_words import in_chinese
from edge.commissioning.page.request import LANGUAGES, Asked
from edge.commissioning.page.session import RefusedError, Session
from edge.commissioning.page.tags import Content, Markup, joined, tag
from edge.commissioning.page.texts import Words

STEPS = ("devices", "clock", "round-trip", "record")
_NAMES = {"en": "EN", "zh": "中文"}
_CLASSES = {State.FAILED: "bad", State.WARNING: "warn", State.SKIPPED: "unknown"}


@dataclass(frozen=True)
class Here:
    """One answer.

    Attributes:
        session: what is known.
        token: first piece of every address.
        asked: the page.
        refused: why what was asked for was not done; None where nothing was.
        typed: the form that was refused.
    """

    session: Session
    token: str
    asked: Asked
    refused: RefusedError | None = None
    typed: Mapping[str, str] = field(default_factory=dict)

    @property
    def words(self) -> Words:
        """The page's language, the plant's time zone."""
        return Words(self.asked.language, self.session.part.site.plant.time_zone)

    def to(self, page: str, name: str = "", language: str = "") -> str:
        """An address."""
        pieces = [self.token, language or self.asked.language, page, name]
        return "/" + "/".join(piece for piece in pieces if piece)

    def post(
        self, action: str, name: str, *content: Content, label: str, kind: str | None = None
    ) -> Markup:
        """A form with one button."""
        return tag(
            "form", *content, tag("button", label, type="submit"),
            method="post", action=self.to(action, name), class_=kind,
        )  # fmt: skip

    def field(self, name: str, label: str, value: str = "", **more: str | bool) -> Markup:
        """A labelled field; what was refused stands in it again, marked."""
        is_wrong = self.refused is not None and self.refused.field == name
        typed = self.typed.get(name, value)
        box = tag(
            "input", name=name, value=typed, aria_invalid="true" if is_wrong else None,
            autocomplete="off", maxlength="200", **more,
        )  # fmt: skip
        return tag("label", tag("span", label), box)

    def beside(self, device: str) -> Markup | None:
        """The tick without which nothing is asked beside a running agent."""
        if not self.session.must_confirm(device):
            return None
        box = tag("input", type="checkbox", name="beside", value="yes", required=True)
        return tag(
            "label",
            box,
            tag("span", self.words("beside.one" if device else "beside.all")),
            class_="tick",
        )

    def check(self, check: Check) -> Markup:
        """One finding of the doctor: state, layer, what he says, and what to do."""
        words = self.words
        state = tag("span", words(f"state.{check.state.name}"), class_=_state(check.state))
        layer = f" · {words(f'layer.{check.layer}')}: "
        parts: list[Content] = [state, layer, self.said(check.sentence)]
        is_told = self.asked.language == "en" or in_chinese(check.todo) is not None
        if check.state is State.FAILED and not is_told:
            parts.append(tag("p", words("do"), " ", words(f"fix.{check.layer}")))
        if check.todo:
            parts.append(tag("p", words("do"), " ", self.said(check.todo)))
        return tag("li", *parts)

    def said(self, sentence: str) -> Content:
        """A sentence of the doctor in the page's language; in English, and so marked, else."""
        translated = in_chinese(sentence) if self.asked.language == "zh" else None
        return tag("span", sentence, lang="en") if translated is None else translated

    def whole(self, *content: Content) -> str:
        """The page around its content."""
        site, words = self.session.part.site, self.words
        title = f"{words('title')} · {site.plant.name or site.path.name}"
        head = tag(
            "head", tag("meta", charset="utf-8"),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("meta", name="color-scheme", content="light"), tag("title", title),
            tag("link", rel="icon", href="/static/icon.svg", type="image/svg+xml"),
            tag("link", rel="stylesheet", href="/static/page.css"),
        )  # fmt: skip
        top = tag("header", self._top(), *self._bands(), self._steps())
        body = tag("body", top, tag("main", *self._notices(), *content))
        return "<!doctype html>\n" + tag("html", head, body, lang=self.asked.language)

    def _top(self) -> Markup:
        site, words = self.session.part.site, self.words
        who = f"{site.plant.id or '–'} / {site.gateway.id or '–'} · {site.path.name}"
        name = tag("h1", f"{words('title')} · {site.plant.name or site.plant.id or '–'}")
        other = [
            tag("li", tag("a", _NAMES[language], lang=language,
                          href=self.to(self.asked.page, self.asked.name, language),
                          aria_current="true" if language == self.asked.language else None))
            for language in LANGUAGES
        ]  # fmt: skip
        return tag(
            "div",
            tag("div", name, tag("p", who)),
            tag("ul", *other, class_="languages"),
            class_="top",
        )

    def _steps(self) -> Markup:
        page = {"point": "devices"}.get(self.asked.page, self.asked.page)
        links = [
            tag("li", tag("a", f"{number} {self.words(f'step.{step}')}", href=self.to(step),
                          aria_current="page" if step == page else None))
            for number, step in enumerate(STEPS, 1)
        ]  # fmt: skip
        return tag("nav", tag("ul", *links, class_="steps"), aria_label=self.words("steps"))

    def _bands(self) -> list[Markup]:
        session = self.session
        found = list[Markup]()
        if session.part.site.plant.simulated:
            found.append(tag("p", self.words("band.simulated"), class_="band"))
        if session.is_agent_running:
            found.append(tag("p", self.words("band.running"), class_="band warn"))
        return found

    def _notices(self) -> list[Markup]:
        found, refused = list[Markup](), self.refused
        if refused is not None:
            found.append(tag("p", self.words(refused.key, **refused.values), class_="note bad",
                             role="alert"))  # fmt: skip
        if self.session.problems:
            told = [tag("li", problem, lang="en") for problem in self.session.problems]
            found.append(tag("ul", *told, class_="card checks"))
        if unwritten := self.session.part.unwritten:
            tables = ", ".join(f"[{name}]" for name in unwritten)
            found.append(tag("p", self.words("unwritten", tables=tables), class_="note warn"))
        return found


def _state(state: State) -> str:
    return f"state {_CLASSES.get(state, '')}".strip()


def checks(here: Here, found: tuple[Check, ...] | list[Check]) -> Markup:
    """Findings as a list."""
    return tag("ul", *map(here.check, found), class_="checks")


def rows(*said: tuple[str, Content]) -> Markup:
    """Names and what they are."""
    return tag("dl", *(joined((tag("dt", name), tag("dd", text))) for name, text in said))


def table(label: str, heads: list[Content], body: list[Markup]) -> Markup:
    """A table that scrolls sideways by itself where the screen is narrow."""
    head = tag("thead", tag("tr", *(tag("th", text, scope="col") for text in heads)))
    made = tag("table", head, tag("tbody", *body))
    return tag("div", made, class_="wide", role="region", aria_label=label, tabindex="0")
