// A line: for a smelter its potlines, with a pot's trace and the effects; else the whole process.
import { h } from "./dom.js";
import { effectsView } from "./effects.js";
import { factsView } from "./facts.js";
import { livePage } from "./page.js";
import { lineFigures, potAddress, potlineView } from "./potline.js";
import { stripView } from "./strip.js";
import { t } from "./texts.js";
import { pfcTile } from "./tiles.js";
import { traceView } from "./trace.js";
import { trendView } from "./trend.js";
import { headlineOf } from "./overview_model.js";

livePage((model, site) => (model.state.potlines.length ? potlines(model, site) : process(model, site)));

function potlines(model, site) {
  const trace = traceView(model, site);
  const link = h("a", { class: "pot-link", href: site.address });
  trace.node.append(h("p", { class: "unprinted" }, link));
  const line = () => view.line();
  let begun = false;
  const effects = effectsView(model, site.say, {
    csv: `${site.api}/effects.csv`, title: t("effects.title"), of: (effect) => effect.potline === line().id,
  });
  const view = potlineView(model, site, {
    below: [h("div", { class: "below" }, trace.node, effects.node)],
    select(one, pot) {
      trace.show(one, pot);
      link.href = potAddress(site.address, one.id, pot.id);
      link.textContent = t("pot.open", { id: pot.id });
    },
    opened: () => { if (begun) view.begin(); },
  });
  begun = true;
  view.begin();
  const tiles = [lineFigures(model, line), pfcTile(model, line)];
  const facts = factsView(model, line);
  const trend = trendCard(model, site);
  return {
    nodes: [h("div", { class: "tiles two" }, ...tiles.map((tile) => tile.node)), view.node, h("div", { class: "side" }, facts.node), trend.node],
    recall: () => view.again(),
    update: () => [view, trace, effects, ...tiles, facts, trend].forEach((one) => one.update()),
  };
}

function process(model, site) {
  const strip = stripView(model, { brief: false, address: site.address });
  const facts = factsView(model, () => undefined);
  const trend = trendCard(model, site);
  return {
    nodes: [h("section", { class: "card process alone" }, h("h2", {}, t("strip.title_all")), strip.node, h("p", { class: "note" }, t("strip.basis"))),
      trend.node, h("div", { class: "side alone" }, facts.node)],
    update: () => [strip, facts, trend].forEach((one) => one.update()),
  };
}

// Any point of the plant over an hour to a year; first what it emits.
function trendCard(model, site) {
  const { points } = model.state;
  const first = headlineOf(points);
  const drawable = Object.keys(points).filter((id) => points[id].role !== "state").sort();
  const select = h("select", { id: "trend-point" }, ...drawable.map((id) => h("option", { value: id }, id)));
  const trend = trendView(model, site, {});
  const show = () => trend.show(select.value);
  if (points[first]) select.value = first;
  select.addEventListener("change", show);
  if (drawable.length) show();
  const node = h("section", { class: "card trend-card alone" }, h("div", { class: "head" }, h("h2", {}, t("trend.heading")),
    h("label", { class: "right", for: "trend-point" }, `${t("trend.point")} `, select)), trend.node);
  return { node, update: trend.update };
}
