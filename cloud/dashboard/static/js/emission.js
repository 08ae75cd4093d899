// Emission now: what this sector's headline is, with its trace and what it is made of. Views that
// must not be added (steel's now and month) have a tile each.
import { h, setOneClass, setText, svg } from "./dom.js";
import { number, unitText } from "./format.js";
import { ms } from "./model.js";
import { normalView } from "./normal.js";
import { readingView } from "./reading.js";
import { t } from "./texts.js";
import { TILE_STATES, tile } from "./tiles.js";

const WINDOW_MS = 600000;
const STEEL = ["plant.now_co2_t_h", "plant.month_co2_t_h"]; // both are told, or why one is not

// [text key of the title, point, text key of a remark or "", parts: [text key, points]], of which
// those are shown whose point is there
function views(model) {
  const isSteel = model.state.plant.sector === "steel";
  const lines = model.state.potlines.map((line) => line.id);
  const fuels = ["part.fuel", ["plant.fuel_co2_t_h"]];
  const clinker = ["part.clinker_indicator", ["plant.clinker_indicator_co2_t_h"]];
  const all = [
    ["tile.emission", "plant.co2e_t_h", "", [
      ["part.anode", lines.map((id) => `${id}.anode_co2_t_h`)],
      ["part.pfc", lines.map((id) => `${id}.pfc_record_tco2e_h`)],
      ["part.fuel", ["plant.gas_co2_t_h"]], fuels,
    ]],
    ["tile.emission.indicator", "plant.co2_indicator_t_h", "note.indicator", [fuels, clinker]],
    ["tile.emission.now", "plant.now_co2_t_h", "note.now", []],
    ["tile.emission.month", "plant.month_co2_t_h", "note.month", [["part.reconciliation", ["plant.reconciliation_co2_t_h"]], fuels]],
  ].filter(([, point]) => model.state.points[point] || (isSteel && STEEL.includes(point)));
  // where the figure of record flows, the indicator beside it is no headline
  const chosen = all.filter(([, point]) => point !== "plant.co2_indicator_t_h" || !model.state.points["plant.co2e_t_h"]);
  if (chosen.length) return chosen;
  return model.state.points["plant.fuel_co2_t_h"]
    ? [["tile.emission.fuels", "plant.fuel_co2_t_h", "note.fuels", []]] : [["tile.emission", "plant.co2e_t_h", "", []]];
}

// normal: what the plant's people call normal, by figure
export const emissionTiles = (model, normal) => views(model).map((view) =>
  emissionTile(model, normal.find((band) => band.figure === view[1]), ...view));

function emissionTile(model, band, title, point, remark, wanted) {
  const total = readingView({ decimals: 2 });
  const path = svg("path", {});
  const spark = svg("svg", { class: "spark", viewBox: "0 0 600 24", preserveAspectRatio: "none", role: "img", "aria-label": t("tile.emission.trace") }, path);
  const there = wanted.filter(([, ids]) => ids.length && ids.every((id) => model.state.points[id]));
  const parts = there.map(([key, ids]) => {
    const value = h("b");
    const unit = h("span", { class: "unit" }, unitText(model.state.points[ids[0]].unit));
    return { ids, value, node: h("span", {}, `${t(key)} `, value, " ", unit) };
  });
  const range = h("p", { class: "note" });
  const normal = band ? normalView(band, unitText((model.state.points[point] || { unit: "t/h" }).unit)) : null;
  const node = tile(t(title), "half first", h("p", { class: "big" }, total.node), ...(normal ? [normal.node] : []), spark, range,
    ...(remark ? [h("p", { class: "note" }, t(model.state.points[point] ? remark : "note.no_flow"))] : []),
    h("p", { class: "parts" }, ...parts.map((part) => part.node)));
  const seen = [];
  return {
    node,
    point,
    history(rows) { seen.splice(0, seen.length, ...rows); },
    update() {
      const reading = total.update(model, point);
      setOneClass(node, TILE_STATES, reading.grade === "good" ? null : "dq");
      if (reading.facts && reading.tickNs) follow(seen, reading);
      if (normal) normal.update(reading);
      path.setAttribute("d", sparkPath(seen));
      setText(range, rangeText(seen));
      for (const part of parts) setText(part.value, sumText(model, part.ids));
    },
  };
}

function sumText(model, ids) {
  const values = ids.map((id) => model.reading(id).value);
  if (values.includes(null)) return "–";
  return number(values.reduce((sum, value) => sum + Number(value), 0), 2);
}

function follow(rows, reading) {
  const tick = ms(reading.tickNs);
  if (rows.length && tick <= rows[rows.length - 1][0]) return;
  rows.push([tick, reading.value === null ? null : Number(reading.value)]);
  while (rows[0][0] < tick - WINDOW_MS) rows.shift();
}

function rangeText(rows) {
  const values = rows.map((row) => row[1]).filter((value) => value !== null);
  return values.length < 2 ? "" : t("tile.emission.range", { low: number(Math.min(...values), 2), high: number(Math.max(...values), 2) });
}

// Gaps stay gaps; the scale is the window's own, at least 2 % of the value high.
function sparkPath(rows) {
  const values = rows.map((row) => row[1]).filter((value) => value !== null);
  if (values.length < 2) return "";
  const end = rows[rows.length - 1][0];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const span = Math.max(high - low, Math.abs(high) * 0.02, 1e-9);
  const middle = (low + high) / 2;
  let pen = "M";
  return rows.map(([tick, value]) => {
    if (value === null) { pen = "M"; return ""; }
    const point = `${pen}${(600 - (end - tick) / 1000).toFixed(1)} ${(12 - ((value - middle) / span) * 20).toFixed(1)}`;
    pen = "L";
    return point;
  }).join("");
}
