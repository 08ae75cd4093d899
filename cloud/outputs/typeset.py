"""A paper as PDF: the same paper and font, the same bytes. Touches typst; the font comes from here.

The font is the machine's: one with Chinese in it has 20 MB, and only the letters used go into the
file. Without one a paper would be full of boxes, so then there is none, and the sentence says what
to install.
"""

import json
from functools import cache
from importlib import resources

import typst

from cloud.outputs.blocks import Paper
from cloud.outputs.errors import OutputError

#: fonts with simplified Chinese, the best first
FONTS = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN",
    "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Microsoft YaHei", "PingFang SC", "SimHei",
    "Noto Serif CJK SC", "SimSun",
)  # fmt: skip
_NO_FONT = (
    "no font with Chinese characters is installed, so no PDF can be made; install one "
    "(Debian, Ubuntu: apt-get install fonts-noto-cjk; Fedora, openEuler: dnf install "
    "google-noto-sans-cjk-fonts), or put Noto Sans CJK SC into ~/.local/share/fonts"
)
#: comes with the typesetter; has the subscripts that Chinese fonts lack
_SIGNS = "DejaVu Sans Mono"
_EPOCH = 0  # papers bear the dates of what they tell of, not of their printing


def pdf_bytes(paper: Paper) -> bytes:
    """The PDF of a paper; OutputError without a font, or where it cannot be set."""
    document = json.dumps({**paper.as_map(), "fonts": [chinese_font(), _SIGNS]}, ensure_ascii=False)
    source = resources.files("cloud.outputs").joinpath("paper.typ").read_bytes()
    try:
        data = typst.compile(
            source, format="pdf", font_paths=_fonts(), sys_inputs={"document": document},
            timestamp=_EPOCH,
        )  # fmt: skip
    except typst.TypstError as error:
        raise OutputError(f"the paper cannot be set: {error}") from error
    if not isinstance(data, bytes):
        raise OutputError("the paper cannot be set: the typesetter gave no PDF")
    return data


def chinese_font() -> str:
    """The best font with Chinese of this machine; OutputError says what to install."""
    there = set(_fonts().families())
    found = next((name for name in FONTS if name in there), None)
    if found is None:
        raise OutputError(_NO_FONT)
    return found


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=True, include_embedded_fonts=True)
