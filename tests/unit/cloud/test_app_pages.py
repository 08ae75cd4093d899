"""The pages as the server renders them, the table of texts, and the rules for static files."""

import json
import re
from collections.abc import Sequence
from html import unescape
from pathlib import Path

import pytest

from cloud.accounts.roles import Principal, Right
from cloud.alarms.core import Alarm, Book, Key, Phase
from cloud.alarms.store import AlarmStore
from cloud.api.page_words import keys_of
from cloud.api.rendering import DASHBOARD, load_strings
from cloud.live.hub import LiveHub
from tests.unit.cloud.app_examples import (
    Months,
    Nothing,
    Streams,
    alarm_parts,
    make_accounts,
    make_app,
    make_client,
)
from tests.unit.cloud.kept import brief
from tests.unit.cloud.live_examples import GATEWAY, T0, ManualClock, configuration

HOSTILE = '<img src=x onerror="alert(1)">&{{7*7}}</script><script>alert(2)</script>'
STATIC = DASHBOARD / "static"
HAN = "\u4e00-\u9fff"
SCRIPTS = sorted((STATIC / "js").glob("*.js"))
STYLES = sorted((STATIC / "css").glob("*.css"))


def page(language: str = "en", **plant: str) -> str:
    hub = LiveHub(ManualClock())
    hub.on_config("mini", GATEWAY, configuration(**plant))
    return make_client(make_app(hub)).get(f"/{language}/").text


def embedded(html: str, ident: str) -> str:
    pattern = rf'<script type="application/json" id="{ident}">(.*?)</script>'
    found = re.search(pattern, html, re.DOTALL)
    assert found is not None
    return found.group(1)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("ZH", "zh"),
        ("en-US,en;q=0.9,zh;q=0.1", "en"),
        ("de", "en"),
        ("", "en"),
    ],
)
def test_home_goes_to_the_browsers_language(header: str, language: str) -> None:
    answer = make_client().get("/", headers={"Accept-Language": header})
    assert answer.status_code == 302
    assert answer.headers["location"] == f"/{language}/"


@pytest.mark.parametrize(("language", "lang"), [("en", "en"), ("zh", "zh-CN")])
def test_the_live_page_in_both_languages(language: str, lang: str) -> None:
    html = page(language)
    assert f'<html lang="{lang}">' in html
    assert json.loads(embedded(html, "snapshot"))["plant"]["id"] == "mini"
    strings = json.loads(embedded(html, "strings"))
    table = load_strings()
    assert strings == {key: table[key][language] for key in strings}
    assert {"age.old", "month.state.open", "tile.month"} <= strings.keys()
    assert not {"shift.nav", "record.sign", "visit.title"} & strings.keys()  # of other pages


def test_every_text_that_a_module_names_is_in_the_table_and_loaded() -> None:
    table = load_strings()
    for script in SCRIPTS:
        source = script.read_text(encoding="utf-8")
        named = set(re.findall(r'\bt\("([^"]+)"', source))
        named |= set(re.findall(r'\btOr\([^"]+"([a-z_]+\.[^"]+)"', source))
        assert named <= table.keys(), script.name
        assert named <= set(keys_of(script.stem, table)), script.name


def test_the_page_of_a_named_plant_and_of_none() -> None:
    client = make_client()
    assert "<title>Overview · Mini" in client.get("/en/plants/mini").text
    assert client.get("/en/plants/nowhere").status_code == 404
    assert client.get("/fr/").status_code == 404
    assert client.get("/fr/plants/mini").status_code == 404


def test_before_any_plant_the_page_says_it_waits_and_looks_again() -> None:
    client = make_client(make_app(LiveHub(ManualClock())))
    html = client.get("/zh/").text
    assert "等待首个厂区接入" in html
    assert '<meta http-equiv="refresh" content="5">' in html


def test_several_plants_have_a_line_each_and_one_is_shown() -> None:
    hub = LiveHub(ManualClock())
    hub.on_config("mini", GATEWAY, configuration())
    client = make_client(make_app(hub))
    assert f'aria-label="{load_strings()["plants.switch"]["en"]}"' not in client.get("/en/").text
    hub.on_config("other", GATEWAY, configuration(id="other", name=HOSTILE))
    told = client.get("/zh/").text
    assert 'href="/zh/plants/mini"' in told
    assert 'href="/zh/plants/other"' in told
    assert "<script>alert" not in told
    html = client.get("/zh/plants/other").text
    assert f'aria-label="{load_strings()["plants.switch"]["zh"]}"' in html
    assert 'href="/en/plants/other"' in html  # the language switch stays with the plant


@pytest.mark.parametrize("others", [("maxi",), ("maxi", "mini")])
def test_plants_without_a_configuration_have_a_row_that_says_why(
    monkeypatch: pytest.MonkeyPatch, others: Sequence[str]
) -> None:
    """The first page said that it waits for a plant, or showed the only one that was in order."""
    amiss = {"maxi": {"damaged": "torn"}}
    monkeypatch.setattr(Streams, "served", lambda _: ["mini"])
    monkeypatch.setattr(Streams, "amiss", lambda _: amiss)
    hub = LiveHub(ManualClock())
    if "mini" not in others:
        hub.on_config("mini", GATEWAY, configuration())
    client, texts = make_client(make_app(hub)), load_strings()
    told = {"maxi": ["damaged"], "mini": []}
    overview = client.get("/api/v1/overview").json()
    assert overview["others"] == [{"plant": one, "reasons": told[one]} for one in others]
    for language in ("en", "zh"):
        said = texts["alarm.damaged"][language]
        page = client.get(f"/{language}/")
        assert (page.status_code, said in unescape(page.text)) == (200, True)
        waits = texts["plants.unconfigured"][language]
        table = page.text.partition("<tbody")[2].partition("</tbody")[0]
        assert (waits in unescape(table)) is ("mini" in others)
        page = client.get(f"/{language}/plants/maxi")
        assert (page.status_code, said in unescape(page.text)) == (503, True)
        assert f'href="/{language}/alarms?plant=maxi"' in page.text
        page = client.get(f"/{language}/alarms?plant=maxi")
        assert page.status_code == 200
        assert f'href="/{language}/plants/maxi' not in page.text  # it has no pages to go to
    assert client.get("/api/v1/alarms?plant=maxi").json()["standing"] == []
    assert client.get("/en/plants/nowhere").status_code == 404
    amiss.clear()  # nobody sent anything yet
    assert (texts["waiting.title"]["en"] in client.get("/en/").text) is ("mini" in others)


def test_a_plant_that_is_not_ones_own_has_no_row_without_a_configuration(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    amiss = {one: {"damaged": "torn"} for one in ("maxi", "unplaced")}
    monkeypatch.setattr(Streams, "amiss", lambda _: amiss)
    of_maxi = Principal("", frozenset({Right.SEE, Right.RECORDS}), ("maxi",))
    client = make_client(make_app(LiveHub(ManualClock()), accounts=make_accounts(unsigned=of_maxi)))
    said = load_strings()["alarm.damaged"]["en"]
    for path in ("", "months", "reviews", "reviews/across"):  # lists have nothing of it
        page = unescape(client.get(f"/en/{path}").text)
        assert "maxi" in page, path
        assert said in page, path
        assert "unplaced" not in page, path


@pytest.mark.parametrize("simulated", [True, False])
def test_the_simulated_band_stands_exactly_on_simulated_plants(simulated: bool) -> None:
    hub = LiveHub(ManualClock())
    hub.on_config("mini", GATEWAY, configuration(simulated=simulated))
    html = make_client(make_app(hub)).get("/en/").text
    assert ('<p class="simulated"' in html) is simulated


def test_a_hostile_name_stays_text() -> None:
    html = page(name=HOSTILE)
    assert "<img" not in html
    assert "<script>alert" not in html
    assert json.loads(embedded(html, "snapshot"))["plant"]["name"] == HOSTILE
    assert "&lt;img src=x" in html


def test_no_inline_script_style_or_foreign_address_in_any_page() -> None:
    for html in (page("en"), page("zh"), page(name=HOSTILE)):
        kinds = re.findall(r"<script([^>]*)>", html)
        assert all("src=" in kind or "application/json" in kind for kind in kinds)
        assert "<style" not in html
        assert not re.search(r"<[^>]*\s(?:on\w+|style)\s*=", html.replace("&lt;", ""))
        assert not re.search(r'(?:src|href)="(?:https?:)?//', html)


def test_every_file_a_page_names_is_there() -> None:
    client = make_client()
    for path in re.findall(r'(?:src|href)="(/static/[^"]+)"', page()):
        if "/vendor/" not in path:  # filled by the build hook, tested with it
            assert client.get(path).status_code == 200, path


def test_every_text_exists_in_both_languages_with_the_same_places() -> None:
    for key, texts in load_strings().items():
        assert set(texts) == {"en", "zh"}, key
        assert all(text.strip() for text in texts.values()), key
        places = {lang: set(re.findall(r"\{(\w+)\}", text)) for lang, text in texts.items()}
        assert places["en"] == places["zh"], key


def test_no_ascii_punctuation_between_han_characters() -> None:
    near = re.compile(rf"[{HAN}][,;:()!?.]|[,;:()!?][{HAN}]")
    wrong = {k: v["zh"] for k, v in load_strings().items() if near.search(v["zh"])}
    assert wrong == {}


def test_english_texts_hold_no_han_characters() -> None:
    wrong = [k for k, v in load_strings().items() if re.search(rf"[{HAN}]", v["en"])]
    assert wrong == []


def test_every_text_is_used_and_every_used_text_exists() -> None:
    sources = [*SCRIPTS, *(DASHBOARD / "templates").glob("*.html")]
    code = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    keys = set(load_strings())
    # made of two parts: `state.${name}` in a module, "account.role." ~ name in a template
    parts = re.findall(r"`([a-z.]+\.)\$\{", code) + re.findall(r'"([a-z.]+\.)" ~', code)
    parts += re.findall(r"""\blabel\(["']([a-z.]+\.)["'],""", code)
    python = "\n".join(p.read_text() for p in DASHBOARD.parent.rglob("*.py"))
    parts += re.findall(r'f"((?:alarms|front|month|review|visit)\.[a-z.]+\.)\{', python)
    refused = re.findall(r'AccountError\(\s*"([a-z-]+)"', python)
    refused += re.findall(r'AccountError\("([a-z-]+)" if .* else "([a-z-]+)"', python)[0]
    refused += re.findall(r'key(?:, detail.*)? = "(wait[a-z-]*)"', python)
    refused += re.findall(r'_check_same\(.*, "([a-z-]+)"\)', python)
    errors = {f"account.error.{key}" for key in refused}
    assert errors - keys == set()
    keys -= errors
    prefixes = tuple(parts)
    made = {key for key in keys if key.startswith(prefixes)}
    plain = set(re.findall(r"""["']([^"'\s]+)(?=["'])""", code + python))
    assert keys - made - plain == set()
    called = set(re.findall(r"""\bt\(["']([^"']+)["']""", code))
    assert called - keys - set(prefixes) == set()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_build_pages_from_text_only_and_stay_small(script: Path) -> None:
    code = script.read_text(encoding="utf-8")
    assert len(code.splitlines()) <= 250
    for banned in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(",
                   "new Function", "http://", "https://", "Date.now", "new Date()"):  # fmt: skip
        if banned in ("http://", "https://"):
            code = code.replace("http://www.w3.org/2000/svg", "")  # a name, not an address
        if banned == "Date.now" and script.name == "visit_card.js":
            continue  # carries the collector's clock on, through the sleep of a phone
        assert banned not in code


@pytest.mark.parametrize("style", STYLES, ids=lambda path: path.name)
def test_styles_fetch_nothing_and_know_no_green(style: Path) -> None:
    css = style.read_text(encoding="utf-8")
    assert "@import" not in css
    assert "url(" not in css
    for r, g, b in re.findall(r"#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})\b", css):
        red, green, blue = int(r, 16), int(g, 16), int(b, 16)
        assert green <= max(red, blue) + 8, f"#{r}{g}{b} is a green"


def test_only_the_adapter_knows_uplot_and_it_is_small() -> None:
    knowing = [p.name for p in SCRIPTS if "uPlot" in p.read_text(encoding="utf-8")]
    assert knowing == ["chart.js"]
    assert len((STATIC / "js/chart.js").read_text().splitlines()) <= 100


def test_of_a_thousand_alarms_the_page_of_all_plants_has_the_most_urgent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Fifteen thousand rows were 9 MB, every ten seconds, for each who looked."""
    monkeypatch.setattr("cloud.api.alarm_pages.ACTION_SHOWN", 2)
    hub, store, book = LiveHub(ManualClock()), AlarmStore(brief()), Book()
    hub.on_config("mini", GATEWAY, configuration())
    for number, priority in enumerate((3, 1, 2), 1):
        key = Key("mini", "meter-silent", GATEWAY, f"meter-{priority}")
        values = {"points": 1, "of": 1, "names": "x"}
        book.alarms[key] = Alarm(key, Phase.RAISED, T0, values, priority, number, T0)
    store.keep(book, "mini", ())
    clock, nothing = ManualClock(), Nothing()
    alarms, shifts = alarm_parts(hub, clock, Months(), nothing, nothing, store=store)
    client = make_client(make_app(hub, alarms=alarms, shifts=shifts))
    of_all, of_one = ("/en/alarms", [1, 2], True), ("/en/alarms?plant=mini", [1, 2, 3], False)
    for path, shown, more in (of_all, of_one):
        page = client.get(path).text
        assert sorted({int(one) for one in re.findall(r"meter-(\d)", page)}) == shown
        assert ("and 1 more that are less urgent" in page) is more
        assert "3 not acknowledged" in page


def test_an_address_without_a_page_is_told_in_its_language() -> None:
    """Each was English JSON: a browser's, of whoever types an address or comes too early."""
    client = make_client()
    for path in ("nope", "plants/nowhere/figures", "plants/mini/months/2020-01"):
        for language, said in (("zh", "没有此页面"), ("en", "There is no such page")):
            answer = client.get(f"/{language}/{path}")
            assert (answer.status_code, said in answer.text) == (404, True), path
            assert answer.headers["content-type"] == "text/html; charset=utf-8"
            assert "default-src" in answer.headers["content-security-policy"]
    assert client.get("/fr/months").json()["detail"].startswith("no page in language 'fr'")
    assert client.get("/api/v1/nope").json() == {"detail": "Not Found"}
