"""The commissioning record as one HTML file that prints on A4: no script runs, nothing is fetched.

Every label stands in English and Chinese: plant and reviewers read it. What a program wants is in
it as JSON, in a block that browsers do not show.
"""

import base64
import datetime as dt
import hashlib
import html
import json
from collections.abc import Iterator
from decimal import Decimal
from zoneinfo import ZoneInfo

from edge.commissioning.findings import State
from edge.commissioning.record import Entry, OfDevice, Record
from evidence.quality import sentence

NS = 1_000_000_000

_STYLE = """
@page { size: A4 landscape; margin: 12mm }
body { font: 10pt/1.35 system-ui, "Noto Sans CJK SC", "Microsoft YaHei", sans-serif; color: #000 }
h1 { font-size: 15pt; margin: 0 0 2mm } h2 { font-size: 12pt; margin: 6mm 0 1mm }
table { border-collapse: collapse; width: 100% } thead { display: table-header-group }
th, td { border: 0.3mm solid #666; padding: 1mm 1.5mm; text-align: left; vertical-align: top }
th { background: #eee; font-weight: 600 } tr { break-inside: avoid } h2 { break-after: avoid }
td.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
td.blank { min-width: 26mm } code { font-size: 8.5pt } .bad { font-weight: 700 }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.5mm 4mm; margin: 1mm 0 }
dt { color: #444 } dd { margin: 0 } .simulated { border: 0.6mm solid #000; padding: 1mm 2mm }
.sign { display: grid; grid-template-columns: repeat(3, 1fr); gap: 8mm; margin-top: 12mm }
.sign div { border-top: 0.3mm solid #000; padding-top: 1mm } .sign { break-inside: avoid }
"""

_HEADS = (
    ("Point", "测点"), ("Place in the device", "设备内位置"), ("Bytes", "原始字节"),
    ("Value read", "读取值"), ("Quality", "质量"), ("Read at", "读取时间"),
    ("Face value", "表头示值"), ("Difference", "差值"), ("Difference, %", "差值百分比"),
    ("Within tolerance", "在允差内"),
)  # fmt: skip

_BLANK = '<td class="blank"></td>'  # to be filled in by hand
_BAD = ' class="bad"'


_STATES = {
    State.FINE: ("fine", "正常"), State.WARNING: ("warning", "注意"),
    State.FAILED: ("fails", "不合格"), State.SKIPPED: ("not looked at", "未检查"),
}  # fmt: skip


def style_hash() -> str:
    """Of the one style in the file, for a content security policy: base64 of its SHA-256."""
    return base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()


def page(record: Record) -> str:
    """The record as a file's text."""
    title = f"Commissioning record {record.plant or '-'}/{record.gateway or '-'}"
    body = "\n".join(_body(record))
    # "<" inside JSON strings could end the block: it is written as an escape
    data = json.dumps(record.as_map(), ensure_ascii=False).replace("<", "\\u003c")
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{_text(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"{body}\n</main>\n"
        f'<script type="application/json" id="record">{data}</script>\n</body>\n</html>\n'
    )


def _body(record: Record) -> Iterator[str]:
    yield f"<h1>{_both('Commissioning record', '调试记录')}: {_text(record.plant_name or '-')}</h1>"
    if record.simulated:
        yield f'<p class="simulated">{_both("Simulated data", "模拟数据")}</p>'
    yield _list(
        (("Plant, gateway", "厂区、网关"), f"{record.plant or '-'} / {record.gateway or '-'}"),
        *_unwritten(record),
        (("Made at", "制作时间"), _time(record.made_ns, record.time_zone)),
        (("Made by", "制作人"), record.by),
        (("Software", "软件"), record.software),
        (("Site file, SHA-256", "站点文件 SHA-256"), record.site_sha256),
    )
    for device in record.devices:
        yield from _device(device, record.time_zone)
    yield from _clocks(record)
    yield from _trip(record)
    places = (("Read by", "读数人"), ("Checked by", "复核人"), ("Date", "日期"))
    cells = "".join(f"<div>{_both(*place)}</div>" for place in places)
    yield f'<div class="sign">{cells}</div>'


def _clocks(record: Record) -> Iterator[str]:
    if not record.checks:
        return
    yield f"<h2>{_both('Clocks', '时钟')}</h2>"
    heads = (("Whose", "对象"), ("State", "状态"), ("What was found", "检查结果"))
    cells = "".join(f"<th>{_both(*head)}</th>" for head in heads)
    rows = "".join(
        f"<tr><td>{_text(check.subject)}</td><td>{_both(*_STATES[check.state])}</td>"
        f"<td>{_text(check.sentence)}</td></tr>"
        for check in record.checks
    )
    yield f"<table><thead><tr>{cells}</tr></thead><tbody>{rows}</tbody></table>"


def _trip(record: Record) -> Iterator[str]:
    """What the collector has taken of what this gateway signed."""
    if (trip := record.trip) is None:
        return
    yield f"<h2>{_both('Signature to the collector and back', '签名往返')}</h2>"
    seen, zone = trip.seen, record.time_zone
    if seen.trouble:
        yield f'<p class="bad">{_both("Not known", "未知")}: {_text(seen.trouble)}</p>'
        return
    rows = [
        (("Agent", "网关程序"), "running 运行中" if seen.is_running else "not running 未运行"),
        (("Newest signed object, seq", "最新签名对象序号"), str(seen.signed_seq)),
        (("Under receipt up to seq", "已回执至序号"), str(seen.receipted_seq)),
    ]
    if seen.received_ns is not None:
        rows.append(
            (("Taken by the collector at", "采集端接收时间"), _time(seen.received_ns, zone))
        )
    rows.append((("Seen here at", "本机查看时间"), _time(seen.after_ns, zone)))
    if (ahead := trip.collector_ahead_s) is not None:
        least, most = ahead
        watched = (
            f"seq {trip.began.signed_seq + 1}: {trip.took_s:.1f} s; {least:+.1f} s … {most:+.1f} s"
        )
        heads = (
            "From signature to receipt at most; collector's clock ahead by",
            "签名至回执用时上限；采集端时钟超前",
        )
        rows.append((heads, watched))
    yield _list(*rows)


def _unwritten(record: Record) -> Iterator[tuple[tuple[str, str], str]]:
    if record.unwritten:
        yield ("Not in the site file yet", "站点文件尚缺"), ", ".join(record.unwritten)


def _device(device: OfDevice, time_zone: str) -> Iterator[str]:
    yield f"<h2>{_both('Device', '设备')}: {_text(device.id)}</h2>"
    ratios = ", ".join(f"{name} {value}" for name, value in device.ratios.items())
    yield _list(
        (("Address", "地址"), device.url),
        (("Profile", "设备模板"), f"{device.profile} ({device.quality_level})"),
        (("Register map from", "寄存器表来源"), device.source),
        (("Ratios", "变比"), ratios or "-"),
        (("Face values from", "示值仪表"), device.instrument or "________________________"),
    )
    if device.trouble:
        yield f'<p class="bad">{_both("Not read", "未能读取")}: {_text(device.trouble)}</p>'
    heads = "".join(f"<th>{_both(*head)}</th>" for head in _HEADS)
    rows = "".join(_row(entry, time_zone) for entry in device.entries)
    yield f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"


def _row(entry: Entry, time_zone: str) -> str:
    code = int(entry.shown.quality)
    kind = "" if entry.shown.quality.usable else _BAD
    return (
        f"<tr><td>{_text(entry.point)}</td><td>{_text(entry.place)}</td>"
        f'<td><code>{entry.raw or "-"}</code></td><td class="n">{_text(entry.shown.text)}</td>'
        f"<td{kind}>{_both(sentence(code), sentence(code, 'zh'))}</td>"
        f"<td>{_time(entry.read_ns, time_zone)}</td>"
        f"{_face(entry, time_zone)}{_number(entry.difference)}{_number(entry.percent)}"
        f"{_within(entry)}</tr>"
    )


def _face(entry: Entry, time_zone: str) -> str:
    if entry.face is None:
        return _BLANK
    typed = "" if entry.face_ns is None else f"<br><small>{_time(entry.face_ns, time_zone)}</small>"
    return f'<td class="n">{entry.face:f}{typed}</td>'


def _within(entry: Entry) -> str:
    if entry.is_within is None:
        return _BLANK
    said = _both("yes", "是") if entry.is_within else _both("no", "否")
    how = _both("last digit", "末位数字") if entry.tolerance is None else f"± {entry.tolerance:f} %"
    return f"<td{'' if entry.is_within else _BAD}>{said}<br><small>{how}</small></td>"


def _number(number: Decimal | None) -> str:
    if number is None:
        return _BLANK
    return f'<td class="n">{number:f}</td>'


def _list(*rows: tuple[tuple[str, str], str]) -> str:
    cells = "".join(f"<dt>{_both(*head)}</dt><dd>{_text(text)}</dd>" for head, text in rows)
    return f"<dl>{cells}</dl>"


def _both(english: str, chinese: str) -> str:
    return f'{_text(english)} <span lang="zh">{_text(chinese)}</span>'


def _text(text: str) -> str:
    return html.escape(text)


def _time(at_ns: int, time_zone: str) -> str:
    at = dt.datetime.fromtimestamp(at_ns // NS, ZoneInfo(time_zone))
    return f"{at:%Y-%m-%d %H:%M:%S %z}"
