// Every point of the plant, with quality and where it was taken; filled only while it is open.
import { h, setText } from "./dom.js";
import { clockTime, age } from "./format.js";
import { ms } from "./model.js";
import { readingView, reason } from "./reading.js";
import { t } from "./texts.js";

const COLUMNS = ["point", "value", "age", "quality", "source_time", "provenance"];

export function pointsView(model) {
  const ids = Object.keys(model.state.points);
  const count = h("span", { class: "note" });
  const body = h("tbody");
  const head = h("tr", {}, ...COLUMNS.map((name) => h("th", { scope: "col", class: name === "value" ? "num" : "" }, t(`col.${name}`))));
  const table = h("table", {}, h("thead", {}, head), body);
  const node = h("details", { class: "card points" },
    h("summary", {}, h("h2", {}, t("points.title")), count),
    h("div", { class: "wide", tabindex: "0", role: "region", "aria-label": t("points.title") }, table));
  let rows = null;
  const view = {
    node,
    update() {
      const bad = ids.filter((id) => ["bad", "none"].includes(model.reading(id).grade)).length;
      setText(count, t("points.count", { n: ids.length, bad }));
      if (!node.open) return;
      if (!rows) {
        const trouble = (id) => (model.reading(id).grade === "good" ? 1 : 0); // what is wrong comes first
        rows = [...ids].sort((a, b) => trouble(a) - trouble(b)).map((id) => rowOf(model, id));
        body.append(...rows.map((row) => row.node));
      }
      for (const row of rows) row.update();
    },
  };
  node.addEventListener("toggle", () => view.update());
  return view;
}

function rowOf(model, id) {
  const view = readingView({ bare: true });
  const cells = COLUMNS.map((name) => h("td", { class: name === "value" ? "num" : "" }));
  cells[0].textContent = id;
  cells[1].append(view.node);
  return {
    node: h("tr", {}, ...cells),
    update() {
      const reading = view.update(model, id);
      const { facts } = reading;
      const seen = reading.tickNs !== undefined;
      setText(cells[2], seen ? t("age.ago", { age: age(reading.ageMs) }) : "–");
      const why = reason(model, reading);
      setText(cells[3], why || model.state.qualities[0][document.documentElement.lang.startsWith("zh") ? 1 : 0]);
      setText(cells[4], seen && reading.sourceNs !== null ? clockTime(ms(reading.sourceNs), model.zone) : "–");
      setText(cells[5], `${t(`prov.${facts.provenance}`)}${facts.device ? ` · ${facts.device}` : ""}`);
    },
  };
}
