// Line and meters now, and what is told of a gateway: name, value, and where it was taken.
import { h, setText } from "./dom.js";
import { age, number, unitText } from "./format.js";
import { ms } from "./model.js";
import { readingView } from "./reading.js";
import { t, tOr } from "./texts.js";
import { clockTime, moment } from "./times.js";

const MIDNIGHT_MS = 90000; // a count that starts this near to midnight is the whole day's
const CLOCK_OFF_MS = 2000; // further apart than this the two clocks are told apart

export function factsView(model, line) {
  const list = h("dl", { class: "facts" });
  const rows = wanted(model, line()).map((row) => (row.total ? totalRow(model, row) : nowRow(model, row)));
  list.append(...rows.map((row) => row.node));
  return {
    node: h("section", { class: "card" }, h("h2", {}, t("facts.title")), list),
    update: () => rows.forEach((row) => row.update()),
  };
}

// What of this plant belongs here, from its own configuration.
function wanted(model, line) {
  const { points, statement } = model.state;
  const rows = [];
  const add = (row) => { if (row.id && points[row.id]) rows.push(row); };
  if (line) {
    add({ name: t("fact.line_current"), id: line.line_current });
    add({ name: t("fact.line_voltage"), id: line.line_current.replace(/current$/, "voltage") });
    add({ name: t("fact.metal_rate"), id: `${line.id}.metal_t_h`, decimals: 3 });
  }
  add({ name: t("fact.metal_today"), id: statement.metal, total: true });
  for (const stream of statement.auxiliary) {
    const kind = kindText(stream.kind);
    add({ name: t("fact.power", { kind }), id: stream.power_point });
    add({ name: t("fact.used_today", { kind }), id: stream.point, total: true });
  }
  for (const stream of statement.fuels) {
    const kind = kindText(stream.kind);
    add({ name: t("fact.gas_flow", { kind }), id: stream.flow_point });
    add({ name: t("fact.used_today", { kind }), id: stream.point, total: true });
  }
  return rows;
}

const kindText = (kind) => tOr(`kind.${kind}`, "kind.other", { id: kind.replace(/-/g, " ") });

function shell(id, value) {
  const [text, sub] = [h("span"), h("span", { class: "sub" })];
  return { node: h("div", { title: id }, h("dt", {}, text, sub), h("dd", {}, value)), text, sub };
}

function nowRow(model, { name, id, decimals }) {
  const view = readingView({ decimals });
  const row = shell(id, view.node);
  setText(row.text, name);
  row.update = () => {
    const { facts } = view.update(model, id);
    setText(row.sub, t(`prov.${facts.provenance}`));
  };
  return row;
}

// A totaliser's count of the day; the reason stands in the value's place while there is none.
function totalRow(model, { name, id }) {
  const figure = h("span", { class: "figure" });
  const unit = h("span", { class: "unit" });
  const tag = h("span", { class: "tag dq" });
  const row = shell(id, h("span", { class: "reading" }, figure, " ", unit, " ", tag));
  const last = readingView();
  setText(row.text, name);
  row.update = () => {
    const reading = last.update(model, id);
    const count = model.state.today[id];
    const why = last.node.querySelector(".tag").textContent;
    setText(figure, count ? number(count.amount, reading.facts.decimals) : "–");
    setText(unit, unitText(reading.facts.unit));
    setText(tag, why);
    tag.hidden = why === "";
    setText(row.sub, count ? sinceText(model, count) : t(`prov.${reading.facts.provenance}`));
  };
  return row;
}

function sinceText(model, count) {
  const time = clockTime(ms(count.from_ns), model.zone);
  if (count.reset) return t("since.reset", { time });
  const [hours, minutes, seconds] = time.split(":").map(Number);
  const sinceMidnight = ((hours * 60 + minutes) * 60 + seconds) * 1000;
  return count.whole && sinceMidnight < MIDNIGHT_MS ? t("since.midnight") : t("since.time", { time });
}

// What is told of a gateway, in the order of `gatewayTexts`.
export const GATEWAY_ROWS = ["online", "live", "waiting", "oldest", "sealed", "receipt", "receipted", "clock", "config", "order"];

// [text, is it a reason not to trust?] of each
export function gatewayTexts(model, g) {
  const none = [t("gw.none"), false];
  const ago = (ns) => t("age.ago", { age: age(model.serverNow() - ms(ns)) });
  const silentMs = g.received_ns === null ? 0 : model.serverNow() - ms(g.received_ns);
  const silent = silentMs > Math.max(5000, 3 * ms(g.interval_ns));
  const online = g.online && silent ? [t("gw.silent", { age: age(silentMs) }), true]
    : [t(`gw.online.${g.online === null ? "unknown" : g.online ? "yes" : "no"}`), !g.online];
  const { spool } = g;
  return [
    online,
    g.received_ns === null ? unheard(model, g) : [ago(g.received_ns), silent],
    spool ? [t("gw.frames", { n: number(spool.frames, 0), kb: number(spool.bytes / 1000, 1) }), false] : none,
    spool && spool.oldest_ns !== null ? [age(model.ageOf(g.id, spool.oldest_ns)), false] : none,
    g.sealed_through_ns === null ? [t("delivery.never"), true] : [moment(ms(g.sealed_through_ns), model.zone, model.serverNow()), false],
    g.receipt_ns === null ? none : [ago(g.receipt_ns), false],
    spool ? [t("gw.of", { a: spool.receipted_seq, b: spool.head_seq }), false] : none,
    clockText(g) || none,
    g.cfg ? [g.cfg.slice(0, 12), false] : none,
    orderText(g) || none,
  ];
}

// what became of the newest site order; null where there was none
function orderText(g) {
  const { order, ordered } = g;
  if (ordered !== null && (!order || order.number < ordered)) return [t("gw.order.sent", { n: ordered }), false];
  if (!order) return null;
  const outcome = t(`gw.order.${order.outcome.replace(" ", "_")}`, { n: order.number });
  const bad = ["refused", "rolled back", "set aside"].includes(order.outcome);
  return [order.reason ? t("gw.order.because", { outcome, reason: order.reason }) : outcome, bad];
}

// Nothing live since the collector's start: the log knows when its newest object came.
const unheard = (model, g) => (g.receipt_ns ? [t("gw.live.receipt", { time: moment(ms(g.receipt_ns), model.zone, model.serverNow()) }), true] : [t("gw.none"), false]);

function clockText(g) {
  if (!g.clock) return null;
  const offMs = ms(g.received_ns - g.sent_ns);
  if (Math.abs(offMs) > CLOCK_OFF_MS) return [t("gw.clock.off", { s: number(offMs / 1000, 0) }), true];
  const error = g.clock.error_ms;
  const source = tOr(`gw.clock.source.${g.clock.source}`, "gw.clock.source", { source: g.clock.source });
  return [error === null ? t("gw.clock.free", { source }) : t("gw.clock.error", { source, ms: error }), false];
}
