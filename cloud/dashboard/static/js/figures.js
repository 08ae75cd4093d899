// How is this number made? Each live figure with its formula, its inputs and their meters, its
// factors with source and confidence; and what hour, day and month have counted.
import { accumulatedView } from "./accumulated.js";
import { h, setText } from "./dom.js";
import { named, signs, unitText } from "./format.js";
import { madeName } from "./overview_cards.js";
import { headlineOf } from "./overview_model.js";
import { livePage } from "./page.js";
import { readingView, reason } from "./reading.js";
import { embedded, language, t } from "./texts.js";
import { dayOf } from "./times.js";

livePage((model, site) => {
  const [made, methods] = [embedded("made"), embedded("methods")];
  const headline = headlineOf(model.state.points);
  const ordered = [...made].sort((a, b) => (b.id === headline) - (a.id === headline));
  const cards = ordered.map((row) => figureView(model, site, made, methods, row));
  const accumulated = accumulatedView(model, site);
  const none = made.length ? [] : [h("p", { class: "card alone" }, t("made.none"))];
  return {
    nodes: [accumulated.node, h("div", { class: "head alone" }, h("h2", {}, t("made.title")), h("a", { class: "right", href: `${site.address}/months/${monthNow(model)}` }, t("made.month"))), ...none, ...cards.map((card) => card.node)],
    update: () => [accumulated, ...cards].forEach((view) => view.update()),
  };
});

// "2026-11" of the plant's calendar
function monthNow(model) {
  return dayOf(model.serverNow(), model.zone).slice(0, 7);
}

function anchor(id) {
  return `figure-${id}`;
}

function figureView(model, site, made, methods, row) {
  const now = readingView();
  const lines = [...row.of.map(([id, sign]) => inputView(model, site, made, id, sign)), ...row.inputs.map((id) => inputView(model, site, made, id))];
  const name = h("h3", {}, madeName(row, made));
  const id = h("span", { class: "note", translate: "no" }, row.id);
  const indicator = /indicator/.test(row.id) ? [h("span", { class: "tag plain" }, t("accumulated.indicator"))] : [];
  const node = h("section", { class: "card made", id: anchor(row.id) },
    h("div", { class: "head" }, name, id, ...indicator, h("span", { class: "right big" }, now.node)),
    h("p", { class: "note" }, row.of.length ? t("made.sum") : t("made.formula")),
    ...(row.formula ? [h("pre", { class: "formula", translate: "no" }, signs(row.formula[language]))] : []),
    table(t("made.inputs"), ["input", "value", "age_quality", "meter"], lines.map((line) => line.node)),
    ...(row.factors.length ? [table(t("made.factors"), ["factor", "value", "confidence", "source"], row.factors.map(factorRow))] : []),
    ...(row.method ? [methodView(row.method, methods[row.method])] : []));
  return {
    node,
    update() {
      now.update(model, row.id);
      lines.forEach((line) => line.update());
    },
  };
}

function table(caption, columns, rows) {
  const names = columns.map((name) => t(`made.col.${name}`));
  const head = h("tr", {}, ...columns.map((name, at) => h("th", { scope: "col", class: name === "value" ? "num" : "" }, names[at])));
  for (const row of rows) names.forEach((name, at) => { row.children[at].dataset.label = name; });
  return h("div", { class: "wide", tabindex: "0", role: "region", "aria-label": caption }, h("table", { class: "cards" }, h("caption", {}, caption), h("thead", {}, head), h("tbody", {}, ...rows)));
}

// A figure that is made in turn leads to its card, a meter to the table of meters.
function inputView(model, site, made, id, sign = 1) {
  const value = readingView({ bare: true });
  const [quality, meter] = [h("td"), h("td")];
  const inner = made.find((row) => row.id === id);
  const href = inner ? `#${anchor(id)}` : `${site.address}/meters?find=${encodeURIComponent(id)}`;
  const node = h("tr", {}, h("th", { scope: "row" }, sign < 0 ? "− " : "", h("a", { href, translate: "no" }, inner ? madeName(inner, made) : id)),
    h("td", { class: "num" }, value.node), quality, meter);
  return {
    node,
    update() {
      const reading = value.update(model, id);
      const why = reason(model, reading);
      setText(quality, why || t("quality.good"));
      quality.className = why ? "dq-text" : "";
      const facts = reading.facts || { provenance: "computed", device: "" };
      setText(meter, `${t(`prov.${facts.provenance}`)}${facts.device ? ` · ${named(facts.device)}` : ""}`);
    },
  };
}

function factorRow(factor) {
  const value = h("td", { class: "num" }, factor.value, " ", h("span", { class: "unit" }, unitText(factor.unit)));
  const sure = h("span", { class: factor.confidence === "confirmed" ? "" : "tag dq" }, t(`confidence.${factor.confidence}`));
  const from = h("td", { class: "source", translate: "no" }, factor.from ? `${factor.from}: ` : "", factor.source);
  return h("tr", {}, h("th", { scope: "row" }, language === "zh" ? factor.name.zh : factor.name.en), value, h("td", {}, sure), from);
}

function methodView(id, method) {
  return h("details", {}, h("summary", {}, t("made.method", { id, version: method.version })),
    h("p", { class: "note" }, t("made.method_source"), " ", h("span", { translate: "no" }, method.source)),
    h("pre", { class: "formula", translate: "no" }, method.text),
    h("p", { class: "note" }, t("made.method_command"), " ", h("code", { translate: "no" }, `stackproof calc show ${id}`)));
}
