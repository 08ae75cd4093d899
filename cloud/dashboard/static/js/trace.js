// The selected pot's last ten minutes: title with the value now, chart, and the same as text; longer
// ranges are those of the series.
import { traceChart } from "./chart.js";
import { h, setAttr, setText } from "./dom.js";
import { duration, number } from "./format.js";
import { ms } from "./model.js";
import { get } from "./polled.js";
import { readingView } from "./reading.js";
import { t } from "./texts.js";
import { trendView } from "./trend.js";

const WINDOW_MS = 600000;

export function traceView(model, site) {
  const title = h("h3");
  const value = readingView({ decimals: 2 });
  const host = h("div", { class: "chart", role: "img" });
  const summary = h("p", { class: "note" });
  const live = h("div", { class: "live-trace" }, h("p", { class: "head" }, title, h("span", { class: "right" }, `${t("trace.now")} `, value.node)), host, summary);
  const limitV = () => Number(view.shown.line.anode_effect.v_start_v);
  const limit = () => ({ volts: limitV(), text: t("trace.threshold", { v: view.shown.line.anode_effect.v_start_v }) });
  const trend = trendView(model, site, { live, limit });
  const node = h("section", { class: "trace" }, trend.node);
  const view = { node, shown: null, rows: [] };
  let chart = null;

  // Show a pot; fetches what the server remembers of it.
  view.show = async (line, pot) => {
    view.shown = { line, pot };
    view.rows = [];
    setText(title, t("trace.title", { id: pot.id }));
    setAttr(host, "aria-label", t("trace.aria", { id: pot.id }));
    if (chart) chart.remove();
    chart = traceChart(host, {
      zone: model.zone, limitV: limitV(), limitText: limit().text, sealedText: t("trace.sealed"),
    });
    trend.show(pot.voltage);
    const rows = await history(site.plant, pot.voltage);
    if (view.shown.pot === pot) view.rows = rows;
    view.update();
  };

  view.update = () => {
    if (!view.shown) return;
    const { line, pot } = view.shown;
    trend.update();
    const reading = value.update(model, pot.voltage);
    if (reading.tickNs) append(view.rows, ms(reading.tickNs), reading.value, ms(reading.facts.interval_ns));
    const { rows } = view;
    const gateway = model.gateway(line.gateway);
    const sealed = gateway && gateway.sealed_through_ns !== null ? ms(gateway.sealed_through_ns) / 1000 : null;
    if (chart) chart.set(rows.map((row) => row[0] / 1000), rows.map((row) => row[1]), sealed);
    const words = summaryOf(rows, limitV());
    setText(summary, chart ? words : `${t("trace.nolib")} ${words}`);
  };
  return view;
}

// [[ms, number or null]] of the server's memory, gaps made visible
export async function history(plant, point) {
  const query = `plant=${encodeURIComponent(plant)}&point=${encodeURIComponent(point)}`;
  const { body } = await get(`/api/v1/history?${query}`);
  const rows = [];
  if (body) body.ticks_ns.forEach((tick, at) => append(rows, ms(tick), body.values[at], 1000));
  return rows;
}

// A silence longer than three intervals becomes a gap, never a straight line.
function append(rows, tick, value, intervalMs) {
  const last = rows.length ? rows[rows.length - 1][0] : null;
  if (last !== null && tick <= last) return;
  if (last !== null && tick - last > 3 * intervalMs) rows.push([last + intervalMs, null]);
  rows.push([tick, value === null ? null : Number(value)]);
  while (rows[0][0] < tick - WINDOW_MS) rows.shift();
}

function summaryOf(rows, limitV) {
  const values = rows.filter((row) => row[1] !== null).map((row) => row[1]);
  if (!values.length) return t("trace.empty");
  let [above, gap] = [0, 0];
  for (let at = 1; at < rows.length; at += 1) {
    const [value, span] = [rows[at - 1][1], rows[at][0] - rows[at - 1][0]];
    if (value === null) gap += span;
    else if (value >= limitV) above += span;
  }
  return t("trace.summary", {
    low: number(Math.min(...values), 2), high: number(Math.max(...values), 2), v: limitV,
    above: duration(above), gap: duration(gap),
  });
}
