"""The front's pages in a browser: what is emitted now renews itself, and a slice falls silent."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Watched
from tests.e2e.looking import fits, serious, shoot
from tests.ports import free_port
from tests.unit.cloud.front.front_examples import (
    Fronted,
    Served,
    Slice,
    StrangeSlice,
    serve,
    stranger,
)
from tests.unit.cloud.front.test_front_own import MONTHS, month
from tests.unit.cloud.front.test_front_rows import review

pytestmark = pytest.mark.browser

Open = Callable[..., Watched]
#: what a page does when it is looked at again, and every ten seconds
RENEW = "() => document.dispatchEvent(new Event('visibilitychange'))"


class Province:
    """A front at a port over two slices with plants, and one with reviews."""

    def __init__(self, folder: Path, west: StrangeSlice) -> None:
        self.slices = {"north": Slice("mini", "works-b"), "south": Slice("kiln")}
        self.slices["north"].send("works-b", [None, 138, None])
        self.slices["south"].send("kiln", ["12.5", 18, None])
        self.fronted, port = Fronted(folder, {**self.slices, "west": west}), free_port()
        self.fronted.look()
        self._served, self.url = Served(self.fronted.app, port), f"http://127.0.0.1:{port}"

    def end(self) -> None:
        for one in (self._served, *self.slices.values()):
            one.kill()


@pytest.fixture
def province(tmp_path: Path) -> Iterator[Province]:
    with stranger() as west:
        told = [review("steel-1", "2026-09", open=1, next_due="2026-10-04")]
        serve(west, ["steel-1"])
        west.answer("reviews", {"reviews": told, "next": None})
        late = month("steel-1", MONTHS[20], state="late", level="alarm")
        west.answer("months", [*(month("steel-1", of) for of in MONTHS[:13]), late])
        made = Province(tmp_path, StrangeSlice(west))
        yield made
        made.end()


def test_what_is_emitted_now_renews_itself_and_a_slice_falls_silent(
    province: Province, open_page: Open
) -> None:
    watched = open_page(f"{province.url}/en/live")
    page = watched.page
    good, silent = (page.locator(f'tr[data-key="{key}"]') for key in (
        "mini/plant.co2e_t_h@north", "kiln/plant.co2e_t_h@south"))  # fmt: skip
    expect(good).to_contain_text("5.86 t CO₂e/h (of record)")
    expect(silent).to_contain_text("some inputs missing")
    province.slices["south"].kill()
    province.fronted.clock.now_ns += 10 * 10**9
    province.fronted.look()
    page.evaluate(RENEW)
    expect(silent).to_contain_text("stale, not shown")
    expect(silent).to_contain_text("– (of record)")
    expect(page.locator('[data-live="collectors"] tr[data-key="south"]')).to_contain_text(
        "does not answer since"
    )
    for path in ("live", "reviews", "months"):
        for language in ("en", "zh"):
            page.goto(f"{province.url}/{language}/{path}")
            expect(page.locator('[data-live="rows"] tr').first).to_be_visible()
            assert serious(page) == []
            fits(page)
            shoot(page, f"front-{path}-{language}")
    expect(page.locator(f'a[href$="/zh/plants/steel-1/months/{MONTHS[20]}"]')).to_be_visible()
    assert watched.complaints == []
