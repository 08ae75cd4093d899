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

livePage((model, site) => (model.state.potlines.length ? potlines(model, site) : process(model, site)));

function potlines(model, site) {
  const trace = traceView(model, site.plant);
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
  return {
    nodes: [h("div", { class: "tiles two" }, ...tiles.map((tile) => tile.node)), view.node, h("div", { class: "side" }, facts.node)],
    recall: () => view.again(),
    update: () => [view, trace, effects, ...tiles, facts].forEach((one) => one.update()),
  };
}

function process(model, site) {
  const strip = stripView(model, { brief: false, address: site.address });
  const facts = factsView(model, () => undefined);
  return {
    nodes: [h("section", { class: "card process alone" }, h("h2", {}, t("strip.title_all")), strip.node, h("p", { class: "note" }, t("strip.basis"))),
      h("div", { class: "side alone" }, facts.node)],
    update: () => [strip, facts].forEach((one) => one.update()),
  };
}
