// The tiles an operator reads first, but for the emission now (emission.js).
import { diamond, h, setOneClass, setText } from "./dom.js";
import { age, clockTime, number } from "./format.js";
import { ms } from "./model.js";
import { readingView } from "./reading.js";
import { t } from "./texts.js";

const DELIVERY_LATE_MS = 60000;
const POTS_NAMED_MAX = 4;
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

// Frequency and duration today, and what runs now.
export function effectsTile(model, line) {
  const rows = [["aef", 2, "aef_day"], ["aed", 2, "aed_day"]].map(([name, decimals, point]) => {
    const view = readingView({ decimals, unit: t(`unit.${name}`) });
    const node = h("div", {}, h("span", { class: "label" }, t(`effects.${name}`)), h("span", { class: "middling" }, view.node));
    return { node, update: () => view.update(model, `${line().id}.${point}`) };
  });
  const foot = footLine();
  const node = tile(t("tile.effects"), "", h("div", { class: "pair" }, ...rows.map((r) => r.node)), foot.node);
  return {
    node,
    update() {
      for (const row of rows) row.update();
      const running = line().pots.filter((pot) => model.runningEffect(line().id, pot.id));
      const ids = running.slice(0, POTS_NAMED_MAX).map((pot) => pot.id).join(" ") + (running.length > POTS_NAMED_MAX ? " …" : "");
      foot.update(running.length ? t("effects.running", { n: running.length, ids }) : t("effects.none_running"), false);
      setOneClass(node, TILE_STATES, running.length ? "alert" : null);
    },
  };
}

// Share of trusted data: the mean over the inputs of the month's figure, each counting once, so
// that one dead main meter cannot hide behind many good ones.
export function trustedTile(model) {
  const value = h("span", { class: "figure" });
  const bar = h("i");
  const each = h("p", { class: "note" });
  const foot = footLine();
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
        : t("trusted.each", { n: inputs.length }));
      const measured = Object.keys(model.state.points).filter((id) => !model.state.points[id].computed);
      const bad = measured.filter((id) => ["bad", "stale", "none"].includes(model.reading(id).grade)).length;
      foot.update(bad ? t("trusted.bad", { n: bad, m: measured.length }) : t("trusted.all", { m: measured.length }), bad > 0);
      setOneClass(node, TILE_STATES, bad || mean === null ? "dq" : null);
    },
  };
}

const inputName = (model, id) =>
  model.state.potlines.some((line) => line.id === id) ? t("trusted.pots", { id }) : id;

// Delivery: how far the sealed part is behind, what waits, and the last receipt.
export function deliveryTile(model) {
  const behind = h("span", { class: "figure" });
  const unit = h("span", { class: "unit" });
  const sealed = h("p", { class: "note" });
  const foot = footLine();
  const node = tile(t("tile.delivery"), "last", h("p", { class: "big" }, behind, " ", unit), sealed, foot.node);
  return {
    node,
    update() {
      const lag = model.behindMs();
      const now = model.serverNow();
      setText(behind, lag === null ? "–" : age(lag));
      setText(unit, lag === null ? t("delivery.never") : t("delivery.behind"));
      const marks = model.state.gateways.filter((g) => g.sealed_through_ns !== null);
      const through = Math.min(...marks.map((g) => ms(g.sealed_through_ns)));
      setText(sealed, marks.length ? t("delivery.sealed", { time: clockTime(through, model.zone) }) : t("delivery.unsealed"));
      foot.update(waitingText(model, marks, now), lag === null || lag > DELIVERY_LATE_MS);
      setOneClass(node, TILE_STATES, lag === null || lag > DELIVERY_LATE_MS ? "dq" : null);
    },
  };
}

function waitingText(model, marks, now) {
  const spools = model.state.gateways.filter((g) => g.spool);
  const frames = spools.reduce((sum, g) => sum + g.spool.frames, 0);
  const waiting = spools.filter((g) => g.spool.oldest_ns !== null);
  const words = [frames ? t("delivery.frames", { n: frames }) : t("delivery.nothing")];
  if (waiting.length) {
    const oldest = Math.max(...waiting.map((g) => model.ageOf(g.id, g.spool.oldest_ns)));
    words.push(t("delivery.oldest", { age: age(oldest) }));
  }
  const receipts = marks.filter((g) => g.receipt_ns !== null).map((g) => now - ms(g.receipt_ns));
  if (receipts.length) words.push(t("delivery.receipt", { age: age(Math.max(...receipts)) }));
  return words.join(" · ");
}
