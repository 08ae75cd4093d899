// What every live page has: model, one connection, header, alarms; redraws on arrival and each second.
import { alarmsView } from "./alarms.js";
import { setText } from "./dom.js";
import { headerView } from "./header.js";
import { Link } from "./link.js";
import { Model } from "./model.js";
import { firstSnapshot, language } from "./texts.js";

// What a page looks like depends on the configuration; when that changes it is built anew.
const shapeOf = (state) => JSON.stringify([state.plant, state.potlines, state.statement, Object.keys(state.points), state.gateways.map((g) => g.id)]);

// build(model, site) -> {nodes, update(), recall()}: recall, if there is one, fetches what happened
// while nobody was connected. site: the plant's id, its address, and say(text) for screen readers.
export function livePage(build) {
  const plant = firstSnapshot.plant.id;
  const site = {
    plant,
    address: `/${language}/plants/${encodeURIComponent(plant)}`,
    api: `/api/v1/plants/${encodeURIComponent(plant)}`,
    say: (text) => setText(document.getElementById("say"), text),
  };
  const model = new Model(firstSnapshot, () => performance.now());
  const main = document.getElementById("values");
  const begin = () => {
    const made = build(model, site);
    main.textContent = "";
    main.append(...made.nodes);
    return made;
  };
  let shape = shapeOf(model.state);
  let page = begin();
  let state = "connecting";
  const header = headerView(model);
  const alarms = alarmsView(model);

  const draw = () => {
    if (document.hidden) return;
    page.update();
    header.update(state);
    alarms.update();
  };
  const take = (message) => {
    const complete = model.take(message);
    if (message.type === "snapshot" && shapeOf(model.state) !== shape) {
      shape = shapeOf(model.state);
      page = begin();
    }
    draw();
    return complete;
  };
  const link = new Link(plant, take, (now) => {
    if (state === "lost" && now !== "lost" && page.recall) page.recall(); // what happened meanwhile
    state = now;
    model.frozen = now === "lost";
    draw();
  });
  document.addEventListener("visibilitychange", draw);
  setInterval(draw, 1000);
  draw();
  link.start();
}
