// The tiles an operator reads first, but for the emission now (emission.js).
import { diamond, h, setOneClass, setText } from "./dom.js";
import { number } from "./format.js";
import { readingView } from "./reading.js";
import { t } from "./texts.js";

export const TILE_STATES = ["alert", "dq"];

export function tile(title, size, ...content) {
  return h("section", { class: `card tile ${size}` }, h("h2", {}, title), ...content);
}

function footLine() {
  const mark = diamond();
  const text = h("span");
  const node = h("p", { class: "foot-line" }, mark, text);
  return {
    node,
    update(words, bad) {
      setText(text, words);
      mark.style.display = bad ? "" : "none";
    },
  };
}

// PFC as three things that are never added and never share a label.
export function pfcTile(model, line) {
  const record = readingView({ decimals: 3 });
  const indicator = readingView({ decimals: 3 });
  const row = (name, value, size) => h("div", { class: "row" },
    h("span", {}, t(`pfc.${name}`), h("span", { class: "note" }, t(`pfc.${name}.note`))),
    h("span", { class: `value ${size}` }, value));
  const node = tile(t("tile.pfc"), "wide", h("div", { class: "pfc" },
    row("record", record.node, ""), row("indicator", indicator.node, "small"),
    row("uncovered", h("span", { class: "note" }, t("pfc.uncovered.value")), "small")));
  return {
    node,
    update() {
      const figure = record.update(model, `${line().id}.pfc_record_tco2e_h`);
      indicator.update(model, `${line().id}.pfc_indicator_tco2e_h`);
      setOneClass(node, TILE_STATES, figure.grade === "good" ? null : "dq");
    },
  };
}

// Share of trusted data: the mean over the inputs of the month's figure, each counting once, so
// that one dead main meter cannot hide behind many good ones.
export function trustedTile(model, site) {
  const value = h("span", { class: "figure" });
  const bar = h("i");
  const each = h("p", { class: "note" });
  const foot = footLine();
  const link = h("a", { class: "unprinted", href: `${site.address}/meters?bad=1` }, t("trusted.which"));
  foot.node.append(link);
  const node = tile(t("tile.trusted"), "", h("p", { class: "big" }, value, " ", h("span", { class: "unit" }, "%")),
    h("div", { class: "meter", "aria-hidden": "true" }, bar), each, foot.node);
  return {
    node,
    update() {
      const inputs = model.state.trusted.filter((row) => row.share !== null);
      const mean = inputs.length ? inputs.reduce((sum, row) => sum + row.share, 0) / inputs.length : null;
      setText(value, mean === null ? "–" : number(Math.floor(mean * 1000) / 10, 1));
      bar.style.width = `${(mean || 0) * 100}%`;
      const worst = inputs.reduce((low, row) => (!low || row.share < low.share ? row : low), null);
      const low = worst && worst.share < 0.9995;
      setText(each, low ? t("trusted.worst", { id: inputName(model, worst.id), share: number(Math.floor(worst.share * 1000) / 10, 1) })
        : t(inputs.length ? "trusted.each" : "trusted.none", { n: inputs.length }));
      const measured = Object.keys(model.state.points).filter((id) => !model.state.points[id].computed);
      const bad = measured.filter((id) => ["bad", "stale", "none"].includes(model.reading(id).grade)).length;
      foot.update(bad ? t("trusted.bad", { n: bad, m: measured.length }) : t("trusted.all", { m: measured.length }), bad > 0);
      link.hidden = !bad;
      setOneClass(node, TILE_STATES, bad || mean === null ? "dq" : null);
    },
  };
}

const inputName = (model, id) =>
  model.state.potlines.some((line) => line.id === id) ? t("trusted.pots", { id }) : id;
