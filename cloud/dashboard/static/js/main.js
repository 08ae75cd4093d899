// Puts the live page together: model, connection, views; redraws on arrival and once a second.
import { accumulatedView } from "./accumulated.js";
import { alarmsView } from "./alarms.js";
import { h, setText } from "./dom.js";
import { effectsView } from "./effects.js";
import { emissionTiles } from "./emission.js";
import { factsView, gatewayView } from "./facts.js";
import { headerView } from "./header.js";
import { Link } from "./link.js";
import { Model } from "./model.js";
import { pointsView } from "./points.js";
import { potsView } from "./pots.js";
import { firstSnapshot, t } from "./texts.js";
import { deliveryTile, effectsTile, pfcTile, trustedTile } from "./tiles.js";
import { history, traceView } from "./trace.js";

const plant = firstSnapshot.plant.id;
const model = new Model(firstSnapshot, () => performance.now());
const say = (text) => setText(document.getElementById("say"), text);

// What the page looks like depends on the configuration; when that changes it is built anew.
const shapeOf = (state) => JSON.stringify([state.plant, state.potlines, state.statement, Object.keys(state.points), state.gateways.map((g) => g.id)]);

function build() {
  const { potlines, gateways } = model.state;
  let line = potlines[0];
  const current = () => line;
  const main = document.getElementById("values");
  main.textContent = "";
  const emissions = emissionTiles(model);
  const accumulated = accumulatedView(model, plant);
  const tiles = [...emissions, ...(line ? [pfcTile(model, current), effectsTile(model, current)] : []), trustedTile(model), deliveryTile(model)];
  const side = [factsView(model, current), ...gateways.map((g) => gatewayView(model, g.id))];
  const points = pointsView(model);
  const panel = line ? potlinePanel(potlines, current, (chosen) => { line = chosen; }) : null;
  main.append(h("div", { class: line ? "tiles" : "tiles few" }, ...tiles.map((view) => view.node)), accumulated.node);
  if (panel) main.append(panel.node);
  main.append(h("div", { class: panel ? "side" : "side alone" }, ...side.map((view) => view.node)), points.node);
  const recall = () => {
    for (const view of emissions) history(plant, view.point).then((rows) => view.history(rows));
    if (panel) panel.recall();
  };
  recall();
  return { recall, update: () => [...tiles, accumulated, ...(panel ? [panel] : []), ...side, points].forEach((view) => view.update()) };
}

// Potline: switch, map, the selected pot's trace, the effects.
function potlinePanel(potlines, current, choose) {
  const trace = traceView(model, plant);
  const effects = effectsView(model, say);
  const title = h("h2");
  const sub = h("span", { class: "note" });
  const host = h("div");
  const buttons = potlines.map((line) => h("button", { type: "button" }, line.id));
  const node = h("section", { class: "card potline" },
    h("div", { class: "head" }, title, sub, ...(potlines.length > 1 ? [h("div", { class: "switch right", role: "group", "aria-label": t("line.switch") }, ...buttons)] : [])),
    host, h("div", { class: "below" }, trace.node, effects.node));
  let map = null;
  let selected = null;
  const select = (id) => {
    selected = id;
    trace.show(current(), current().pots.find((pot) => pot.id === id));
    map.update(selected);
  };
  const open = (line) => {
    choose(line);
    map = potsView(model, line, select);
    host.textContent = "";
    host.append(map.node);
    setText(title, t("line.title", { id: line.id }));
    setText(sub, t("line.sub", { n: line.pots.length }));
    buttons.forEach((button, at) => button.setAttribute("aria-pressed", String(potlines[at] === line)));
    const running = line.pots.find((pot) => model.runningEffect(line.id, pot.id));
    select((running || line.pots[0]).id);
  };
  buttons.forEach((button, at) => button.addEventListener("click", () => { open(potlines[at]); draw(); }));
  open(current());
  return {
    node,
    recall: () => select(selected),
    update() {
      map.update(selected);
      trace.update();
      effects.update();
    },
  };
}

let shape = shapeOf(model.state);
const header = headerView(model);
const alarms = alarmsView(model);
let page = build();
let state = "connecting";

function draw() {
  if (document.hidden) return;
  page.update();
  header.update(state);
  alarms.update();
}

function take(message) {
  const complete = model.take(message);
  if (message.type === "snapshot" && shapeOf(model.state) !== shape) {
    shape = shapeOf(model.state);
    page = build();
  }
  draw();
  return complete;
}

const link = new Link(plant, take, (now) => {
  if (state === "lost" && now !== "lost") page.recall(); // what happened meanwhile
  state = now;
  model.frozen = now === "lost";
  draw();
});
document.addEventListener("visibilitychange", draw);
setInterval(draw, 1000);
draw();
link.start();
