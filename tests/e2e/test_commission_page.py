"""The edge's commissioning page in a real browser: an engineer's way from the meter to paper."""

import hashlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import ROOT, Watched
from tests.e2e.fake_meters import HOSTILE
from tests.e2e.looking import shoot, violations, width_of

pytestmark = pytest.mark.browser

WORDS = {
    "en": {
        "all": "Ask all devices", "away": "does not work: network connection", "read": "Read now",
        "taken": "the site file's", "wrong": "That is no number", "compare": "Compare",
        "outside": "outside tolerance", "within": "within tolerance", "clock": "Clocks",
        "trip": "Round trip", "record": "The record", "make": "Make the record",
        "save": "Save the file", "open": "Open to print",
    },
    "zh": {
        "all": "查询全部设备", "away": "不正常：网络连接", "read": "立即读取",
        "taken": "站点文件所取", "wrong": "不是数字", "compare": "核对",
        "outside": "超出允差", "within": "在允差内", "clock": "时钟", "trip": "签名往返",
        "record": "调试记录", "make": "生成记录", "save": "保存文件", "open": "打开并打印",
    },
}  # fmt: skip


@contextmanager
def commissioning(folder: Path) -> Iterator[str]:
    """The gateway's own page, over two simulated meters: its address."""
    command = [sys.executable, "-m", "tests.e2e.fake_meters", str(folder)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.communicate()  # ends its input, so it ends


@pytest.mark.parametrize(("language", "width"), [("en", 1440), ("zh", 390)])
def test_from_the_meter_to_paper(
    open_page: Callable[..., Watched], tmp_path: Path, language: str, width: int
) -> None:
    with commissioning(tmp_path) as url:
        watched = open_page(f"{url}{language}/devices", width=width, height=900)
        Walk(watched.page, language, width).whole(tmp_path)
        assert watched.complaints == []
        assert {urlsplit(asked).netloc for asked in watched.requests} == {urlsplit(url).netloc}


class Walk:
    """One engineer, one language, one screen."""

    def __init__(self, page: Page, language: str, width: int) -> None:
        self.page, self.words = page, WORDS[language]
        self.name = f"{language}-{width}"
        self.width = width

    def whole(self, folder: Path) -> None:
        page, words = self.page, self.words
        expect(page.get_by_role("heading", level=1)).to_contain_text(HOSTILE)
        self.press("all")
        expect(page.locator("#gas-1")).to_contain_text(words["away"])
        expect(page.locator("#ac-1")).to_contain_text("8000.00 kW")
        self.look("devices")
        page.get_by_role("link", name="ac-1.power").click()
        self.press("read")
        expect(page.locator("td.taken", has_text="50000")).to_contain_text(words["taken"])
        self.type(face="8,010", tolerance="0.1", instrument="<b>A12</b>", by="Li Wei 李伟")
        expect(page.get_by_role("alert")).to_contain_text(words["wrong"])
        expect(page.locator("input[name=face]")).to_have_value("8,010")
        self.look("refused")
        self.type(face="8010")
        expect(page.locator("#face")).to_contain_text(words["outside"])
        self.type(face="8000")
        expect(page.locator("#face")).to_contain_text(words["within"])
        self.look("point")
        for step in ("clock", "trip"):
            page.get_by_role("navigation").get_by_role("link", name=words[step]).click()
            self.look(step)
        page.get_by_role("navigation").get_by_role("link", name=words["record"]).click()
        self.press("make")
        self.look("made")
        self.paper(folder)

    def paper(self, folder: Path) -> None:
        """The file that is saved is the one whose SHA-256 is told, and the one that is shown."""
        page, words = self.page, self.words
        with page.expect_download() as saving:
            page.get_by_role("link", name=words["save"]).click()
        path = folder / saving.value.suggested_filename
        saving.value.save_as(path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        expect(page.locator("#made")).to_contain_text(digest)
        page.get_by_role("link", name=words["open"]).click()
        expect(page.get_by_text("Li Wei 李伟")).to_be_visible()
        colour = page.evaluate("() => getComputedStyle(document.querySelector('th')).borderStyle")
        assert colour == "solid"  # its one style is let through
        shoot(page, f"commission-paper-{self.name}")

    def press(self, word: str) -> None:
        self.page.get_by_role("button", name=self.words[word], exact=True).click()
        self.page.wait_for_load_state()

    def type(self, **fields: str) -> None:
        for name, text in fields.items():
            self.page.locator(f"input[name={name}]").fill(text)
        self.press("compare")

    def look(self, name: str) -> None:
        """Nothing sticks out sideways, and axe has nothing to say."""
        shoot(self.page, f"commission-{name}-{self.name}")
        assert (name, width_of(self.page), violations(self.page)) == (name, self.width, [])
