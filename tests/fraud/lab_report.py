"""A laboratory's report as a real PDF, with a QR code: set by typst, the code made by segno."""

import io
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

import segno
import typst

_PAGE = """
#set document(title: "Test report", date: datetime({made}))
#set page(width: 148mm, height: 210mm)
#set text(size: 9pt)
#align(center)[= {laboratory}]
Report No. #h(1em) {number}

Date of issue #h(1em) {day}

Sample of coal, tested by GB/T 212, GB/T 213 and GB/T 476; for the sample received only.

#table(columns: 4, [Item], [Basis], [Result], [Unit], {rows})
{code}
"""


@dataclass(frozen=True)
class LabReport:
    """What a laboratory issues.

    Attributes:
        laboratory, number: on the paper.
        issued: its day, and when its PDF was made.
        values: name, basis, value; percent.
        qr: what the code says; None for the laboratory's form, "" for no code.
    """

    laboratory: str
    number: str
    issued: datetime
    values: tuple[tuple[str, str, str], ...]
    qr: str | None = None

    @property
    def code(self) -> str:
        """What its QR code says."""
        if self.qr is not None:
            return self.qr
        carbon = self.values[-1][2]
        return f"https://lab.example/r?no={self.number}&day={self.issued:%Y-%m-%d}&car={carbon}"

    @cache  # noqa: B019 - reports are values, and the same few are printed again and again
    def pdf(self) -> bytes:
        """The report's PDF."""
        made = self.issued.astimezone(UTC)
        names = ("year", "month", "day", "hour", "minute", "second")
        source = _PAGE.format(
            made=", ".join(f"{name}: {getattr(made, name)}" for name in names),
            laboratory=self.laboratory, number=self.number, day=f"{self.issued:%Y-%m-%d}",
            rows="".join(f"[{name}], [{basis}], [{value}], [%]," for name, basis, value in
                         self.values),
            code='#image("code.svg", width: 30mm)' if self.code else "",
        )  # fmt: skip
        files = {"main": source.encode()}
        if self.code:
            drawn = io.BytesIO()
            segno.make(self.code, error="m").save(drawn, kind="svg", border=4, scale=4)
            files["code.svg"] = drawn.getvalue()
        return bytes(typst.compile(files))
