// Overview of a plant: what emits, is it trusted, what is in effect, will the month be complete.
import { todoView } from "./todo.js";
import { h } from "./dom.js";
import { emissionTiles } from "./emission.js";
import { evidenceTile, intensityTile, monthTile } from "./overview_tiles.js";
import { monthsView, sourcesView } from "./overview_cards.js";
import { livePage } from "./page.js";
import { Polled } from "./polled.js";
import { potAddress, potlineView } from "./potline.js";
import { stripView } from "./strip.js";
import { embedded, t } from "./texts.js";
import { trustedTile } from "./tiles.js";
import { history } from "./trace.js";

const COUNTED_MS = 10000; // changes with committed frames
const MONTHS_MS = 60000;

livePage((model, site) => {
  const made = embedded("made");
  const counted = new Polled(`${site.api}/accumulated`, COUNTED_MS);
  const months = new Polled(`/api/v1/months?plant=${encodeURIComponent(site.plant)}`, MONTHS_MS);
  const slow = { counted: () => counted.answer, months: () => months.answer };
  const emissions = emissionTiles(model, embedded("normal"));
  const tiles = [...emissions, intensityTile(slow), monthTile(slow), trustedTile(model, site), evidenceTile(model, slow, site)];
  const main = model.state.potlines.length ? mapOf(model, site) : stripOf(model, site);
  const todo = todoView(model, site);
  const [sources, evidence] = [sourcesView(model, site, slow, made), monthsView(model, site, slow)];
  const nodes = [
    h("div", { class: `tiles of${tiles.length}` }, ...tiles.map((tile) => tile.node)),
    main.node, todo.node, sources.node, evidence.node,
  ];
  const recall = () => emissions.forEach((view) => history(site.plant, view.point).then((rows) => view.history(rows)));
  recall();
  return {
    nodes,
    recall,
    update() {
      if (!model.frozen) [counted, months].forEach((one) => one.update(model.now()));
      [...tiles, main, todo, sources, evidence].forEach((view) => view.update());
    },
  };
});

// The map: choosing a pot is going to it.
function mapOf(model, site) {
  let opened = false;
  const view = potlineView(model, site, {
    select: (line, pot) => { if (opened) location.assign(potAddress(site.address, line.id, pot.id)); },
  });
  opened = true;
  return view;
}

function stripOf(model, site) {
  const strip = stripView(model, { brief: true, address: site.address });
  const node = h("section", { class: "card process" }, h("div", { class: "head" }, h("h2", {}, t("strip.title")),
    h("a", { class: "right", href: `${site.address}/line` }, t("strip.all"))), strip.node);
  return { node, update: strip.update };
}
