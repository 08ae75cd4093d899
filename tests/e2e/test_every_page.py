"""Every page that the collector serves, in both languages and widths, as who may do all sees it.

Pages are those of the application's own routes: one that has no example here is a failure, not a
gap. The live plant lies in no region. The edge's own pages have a walk in test_commission_page.py.
Screenshots are made where STACKPROOF_SCREENSHOTS names a folder for them.
"""

import json
import re
import tarfile
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from cloud.api.access import ACCESS, PAGE
from tests.e2e.conftest import Server, Watched
from tests.e2e.fake_plant import HOSTILE, PLANT
from tests.e2e.looking import DESK, PHONE, serious, shoot
from tests.e2e.test_accounts import invite as invited
from tests.unit.cloud.drill_examples import BEGIN_NS, VOLUME
from tests.unit.cloud.review.review_examples import MONTH

pytestmark = pytest.mark.browser

Open = Callable[..., Watched]
Start = Callable[..., Server]
SEALED = Path(__file__).parents[1] / "vectors/sealed-2026-11-27.tar.xz"
LIVE, MINI, MONTHS = "/plants/{plant}", "/plants/{plant}", "/plants/{plant}/months/{month}"
A, B = f"/plants/{PLANT}", "/plants/mini"
B_MONTH = f"{B}/months/{MONTH}"
#: route behind the language -> addresses that show what it has: at A it is live, at B signed
PAGES: dict[str, tuple[str, ...]] = {
    "/": ("/",),
    LIVE: (A,),
    f"{LIVE}/line": (f"{A}/line",),
    f"{LIVE}/lines/{{line}}/pots/{{pot}}": (f"{A}/lines/line-1/pots/07",),
    f"{LIVE}/figures": (f"{A}/figures",),
    f"{LIVE}/meters": (f"{A}/meters",),
    f"{LIVE}/fleet": (f"{A}/fleet",),
    f"{LIVE}/commissioning": (f"{B}/commissioning",),
    f"{LIVE}/commissioning/{{gateway}}/{{device}}": (f"{B}/commissioning/edge-1/gas-1",),
    f"{LIVE}/plan": (f"{A}/plan?year=2026&month=2026-10",),
    f"{LIVE}/shift": (f"{A}/shift",),
    f"{LIVE}/year": (f"{B}/year?year=2026",),
    "/alarms": ("/alarms",),
    "/months": ("/months",),
    MONTHS: (f"{A}/months/2026-10", B_MONTH),
    f"{MONTHS}/samples": (f"{B_MONTH}/samples",),
    f"{MONTHS}/drill": (f"{B_MONTH}/drill", f"{B_MONTH}/drill?line=line/fuel/natural-gas"),
    f"{MONTHS}/drill/{{gateway}}/{{point}}": (f"{B_MONTH}/drill/edge-1/{VOLUME}",),
    f"{MONTHS}/drill/{{gateway}}/{{point}}/{{seq}}":
        (f"{B_MONTH}/drill/edge-1/{VOLUME}/1?tick={BEGIN_NS}",),
    f"{MONTHS}/documents/{{sha256}}": (f"{B_MONTH}/documents/{{invoice}}",),
    f"{MONTHS}/visit": (f"{B_MONTH}/visit",),
    f"{MONTHS}/review": (f"{B_MONTH}/review",),
    f"{MONTHS}/review/line": (f"{B_MONTH}/review/line?item={{line}}",),
    f"{MONTHS}/review/decide": (f"{B_MONTH}/review/decide",),
    "/reviews": ("/reviews",),
    "/reviews/across": ("/reviews/across?seed=7-12-31&count=1",),
    "/verify": ("/verify",),
    "/verify/{brought}": ("/verify/{brought}",),
    f"{MINI}/records": (f"{B}/records",),
    f"{MINI}/records/{{sha256}}": (f"{B}/records/{{invoice}}",),
    f"{MINI}/persons": (f"{B}/persons",),
    f"{MINI}/sign": (f"{B}/sign",),
    f"{MINI}/sign/{{kind}}": (f"{B}/sign/invoice", f"{B}/sign/sample-result"),
    f"{MINI}/import/{{kind}}": (f"{B}/import/invoice",),
    f"{MINI}/key": (f"{B}/key",),
    f"{MINI}/labels": (f"{B}/labels?id=coal-2026-10-01&count=3",),
    "/sign-in": ("/sign-in",),
    "/invited/{secret}": ("{invited}",),
    "/account": ("/account",),
    "/accounts": ("/accounts",),
}  # fmt: skip


def test_every_page_has_an_example() -> None:
    """The table of rights holds all routes: one that is not in it does not start."""
    served = {path.removeprefix(PAGE) for way, path in ACCESS if way == "GET" and PAGE in path}
    assert served == set(PAGES)


#: text that stands on a Chinese page as it is, and why
AS_IT_IS = {
    "stackproof": "the product's name",
    "demo-smelter": "a plant's id",
    "mini": "a plant's id",
    "purchasing": "a department, as the plan of these tests names it",
}
#: what a page says of itself: its width, and text without a Chinese character that reads as English
LOOK = r"""async (asItIs) => {
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const hidden = 'script, style, noscript, code, [translate=no], [lang=en]';
  const known = new RegExp(`\\b(?:${asItIs.join("|")})(?![\\w-])`, "g");
  const texts = [document.title];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let n = walker.nextNode(); n; n = walker.nextNode()) {
    if (!n.parentElement.closest(hidden)) texts.push(n.data);
  }
  for (const e of document.querySelectorAll('[title], [aria-label], [placeholder], [alt]')) {
    for (const name of ['title', 'aria-label', 'placeholder', 'alt']) {
      if (e.hasAttribute(name) && !e.closest(hidden)) texts.push(e.getAttribute(name));
    }
  }
  const english = texts.map((s) => s.trim()).filter((s) => !/[\u4e00-\u9fff]/.test(s)
    && /(?:^|[\s("])[A-Za-z]?[a-z]{3,}(?=[.,;:!?)"]*(?:\s|$))/.test(s.replace(known, "")));
  const cut = [...document.querySelectorAll("table.cards, table.meters")]
    .map((e) => e.parentElement).filter((e) => e.scrollWidth > e.clientWidth + 1)
    .map((e) => e.getAttribute("aria-label"));
  const uneven = [...document.querySelectorAll(".pages")].flatMap((nav) => {
    const tops = [...nav.querySelectorAll("a")].map((a) => {
      const words = document.createRange();
      words.selectNode([...a.childNodes].find((n) => n.nodeType === 3 && n.data.trim()));
      return words.getBoundingClientRect().top;
    });
    return Math.max(...tops) - Math.min(...tops) > 0.5 ? [tops] : [];
  });
  return {cut, uneven, width: document.documentElement.scrollWidth, english: [...new Set(english)],
          hacked: window.hacked};
}"""


@dataclass
class Walk:
    """One browser that goes from page to page; what is wrong is said at the end, all of it."""

    watched: Watched
    server: Server
    wrong: list[str] = field(default_factory=list)
    axe_at_all_sizes: bool = False

    def see(
        self, language: str, address: str, sizes: Sequence[tuple[int, int]], *, prefix: str = ""
    ) -> None:
        """Both sizes of a page; axe at the first of them or at all, unless it is one of names."""
        page = self.watched.page
        name = f"{prefix}{language}{re.sub(r'[/?=]', '-', address)[:80]}"
        answer = page.goto(f"{self.server.url}/{language}{address}")
        if answer is None or answer.status != 200:
            self.wrong.append(f"{name}: {answer and answer.status}")
            return
        settled(page)
        if address.startswith("/plants/") and not page.locator(".simulated").count():
            self.wrong.append(f"{name}: nothing says that the plant is simulated")
        for n, (width, height) in enumerate(sizes):
            page.set_viewport_size({"width": width, "height": height})
            shoot(page, f"{name}-{width}")
            self.look(f"{name}-{width}", width, is_chinese=language == "zh")
            if (n == 0 or self.axe_at_all_sizes) and not prefix:
                self.wrong += [f"{name}: {' '.join(one)}" for one in serious(page)]

    def look(self, name: str, width: int, *, is_chinese: bool) -> None:
        """What the page, its console and the network say."""
        told = self.watched.page.evaluate(LOOK, list(AS_IT_IS))
        english = told["english"] if is_chinese else []
        found = [*self.watched.complaints, *(f"English: {text}" for text in english)]
        found += [f"asked of others: {url}" for url in self.watched.requests
                  if not url.startswith((self.server.url, "data:", "blob:"))]  # fmt: skip
        found += [f"values out of sight: {region}" for region in told["cut"]]
        found += [f"links of one row stand at {tops}" for tops in told["uneven"]]
        if told["width"] != width:
            found.append(f"{told['width']} px wide")
        if told["hacked"] is not None:
            found.append(f"a name was executed: {told['hacked']}")
        self.wrong += [f"{name}: {one}" for one in found]
        self.watched.complaints.clear()
        self.watched.requests.clear()


def settled(page: Page) -> None:
    """A live page has heard the server; of all others the text is there."""
    if page.locator("#boot, #status").count():
        expect(page.locator("#status .live")).to_be_visible()
    if page.locator("#needs-action").count():
        expect(page.locator("#needs-action li").first).to_be_visible()
    expect(page.locator("h1").first).to_be_visible()


def everything(start_server: Start, *more: str) -> Server:
    """The server that every page is asked of, busy and with a meter that does not answer."""
    return start_server("--records", "--everything", "--operator=walk", "--dead-gas", *more)


def addresses(names: Mapping[str, str]) -> list[str]:
    """All of `PAGES`, behind the language."""
    return [address.format(**names) for of in PAGES.values() for address in of]


@pytest.mark.parametrize(("language", "sizes"), [("en", (DESK, PHONE)), ("zh", (PHONE, DESK))])
def test_every_page(
    open_page: Open, start_server: Start, tmp_path: Path, pytestconfig: pytest.Config,
    *, language: str, sizes: tuple[tuple[int, int], tuple[int, int]],
) -> None:  # fmt: skip
    """Axe once a page and language; with `--long` at both sizes of both languages."""
    server = everything(start_server)
    names = prepare(server, tmp_path, f"somebody-{language}")
    walk = Walk(open_page("about:blank"), server, axe_at_all_sizes=pytestconfig.getoption("long"))
    for address in addresses(names):
        walk.see(language, address, sizes)
    assert walk.wrong == [], "\n".join(walk.wrong)


def test_below_the_floor_a_page_says_what_it_needs(
    open_page: Open, start_server: Start, tmp_path: Path
) -> None:
    """To a browser that does not know a word of the modules; without them only alarms are whole."""
    server = everything(start_server)
    names = prepare(server, tmp_path, "somebody-old")
    page = open_page("about:blank").page
    page.route("**/static/js/*", lambda route: route.fulfill(
        content_type="text/javascript", body="a word = of tomorrow"))  # fmt: skip
    needing = []
    for address in addresses(names):
        url = f"{server.url}/en{address}"
        scripts = re.findall(r'src="/static/js/([a-z_]+)', page.request.get(url).text())
        if set(scripts) - {"alarm_badge", "alarm_page"}:
            needing.append(address)
            page.goto(url)
            expect(page.locator("main")).to_contain_text("browser of 2020 or newer")
    assert len(needing) == 12, needing


#: what a plant may call itself and its devices: markup, a turned direction, emoji, quotes, 中文,
#: and no blank to break the line at
NAME = HOSTILE + (
    " \"'\u202etfel ot thgir\u200f \u0645\u0635\u0646\u0639 🏭 北方铝业第一电解车间 " + 60 * "W"
)


def test_names_are_text_and_leave_the_values_in_sight(
    open_page: Open, start_server: Start, tmp_path: Path
) -> None:
    """On every page that holds one."""
    server = everything(start_server, "--hostile", f"--name={NAME}")
    names = prepare(server, tmp_path, "somebody")
    walk, named = Walk(open_page("about:blank"), server), 0
    for address in addresses(names):
        if "onerror" in walk.watched.page.request.get(f"{server.url}/en{address}").text():
            walk.see("en", address, (PHONE, DESK), prefix="names-")
            named += 1
    assert walk.wrong == [], "\n".join(walk.wrong)
    assert named > 12, named


def asked(server: Server, path: str, data: bytes | None = None) -> Any:
    headers = {"X-CSRF-Token": "of-all", "Origin": server.url, "Content-Type": "application/x-tar"}
    request = urllib.request.Request(f"{server.url}/api/v1{path}", data, headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def prepare(server: Server, folder: Path, person: str) -> Mapping[str, str]:
    """What addresses name that is not known before: an invoice, a line, a link, an archive."""
    with tarfile.open(SEALED) as packed:
        packed.extract("cement.tar", folder, filter="data")
    brought = asked(server, "/verify?name=cement.tar", (folder / "cement.tar").read_bytes())
    rows = asked(server, "/plants/mini/documents?kind=invoice")
    line = asked(server, f"/plants/mini/months/{MONTH}")["figures"]["made"]["lines"][0]
    return {
        "brought": brought["id"],
        "invoice": rows[0]["sha256"],
        "invited": invited(server, person),
        "line": f"line/{line['category']}/{line['kind']}",
    }
