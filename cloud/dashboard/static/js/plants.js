// All plants one may see, a line each. Polled: the socket is one plant's.
import { h, setText } from "./dom.js";
import { age, number, unitText } from "./format.js";
import { owedText } from "./overview_tiles.js";
import { doubtful, pressing } from "./overview_model.js";
import { Polled } from "./polled.js";
import { embedded, language, t, tOr } from "./texts.js";
import { clockTime, zoneOffset } from "./times.js";

const EVERY_MS = 2000;
const MONTHS_MS = 60000;
const LOST_MS = 8000;
const STALE_SHOWN_MS = 3000;

const state = { told: embedded("told"), heardAt: performance.now() };
const live = new Polled("/api/v1/overview", EVERY_MS, (told) => { state.told = told; state.heardAt = performance.now(); });
const months = new Polled("/api/v1/months", MONTHS_MS);
const body = document.getElementById("plants");
const rows = new Map();

// The server's time, carried on since it was told; while it is lost it stands.
const serverNow = () => state.told.server_ns / 1e6 + Math.min(LOST_MS, performance.now() - state.heardAt);

// The zone that all plants have; null where they have several: then each row has its own clock, and
// the header UTC.
function zoneOfAll() {
  const zones = new Set(state.told.plants.map((one) => one.plant.time_zone).filter(Boolean));
  return zones.size === 1 ? [...zones][0] : null;
}

function rowOf(id) {
  const cells = ["plant", "now", "trusted", "effects", "gateways", "month"].map((name) => h(name === "plant" ? "th" : "td", { class: name === "now" ? "num" : "", "data-label": t(`plants.${name}`) }));
  cells[0].setAttribute("scope", "row");
  const link = h("a", { href: `/${language}/plants/${encodeURIComponent(id)}`, translate: "no" });
  const sector = h("span", { class: "note" });
  cells[0].append(link, " ", sector);
  return { node: h("tr", {}, ...cells), cells, link, sector };
}

function cell(node, text, bad) {
  setText(node, text);
  node.classList.toggle("dq-text", Boolean(bad));
}

function nowText({ headline }) {
  if (!headline) return [t("plants.no_figure"), true];
  if (headline.grade === "none") return [`– ${t("none.yet")}`, true];
  const old = headline.age_ns / 1e6;
  if (headline.grade === "bad") return [`– ${headline.why[language]}`, true];
  const figure = `${number(headline.value, 2)} ${unitText(headline.unit)} ${t(`plants.figure.${headline.point}`)}`;
  return [old > STALE_SHOWN_MS ? `${figure} · ${t("age.old", { age: age(old) })}` : figure, headline.grade !== "good"];
}

function patch(row, told, monthRows) {
  const { plant, trusted, effects, gateways } = told;
  setText(row.link, plant.name || plant.id);
  setText(row.sector, `${zoneOfAll() === null && plant.time_zone ? `${clockTime(serverNow(), plant.time_zone)} ${zoneOffset(serverNow(), plant.time_zone)} · ` : ""}${tOr(`sector.${plant.sector}`, "sector.other", { id: plant.sector })}${plant.simulated ? ` · ${t("band.simulated")}` : ""}`);
  const [, now, share, running, connected, month] = row.cells;
  cell(now, ...nowText(told));
  const points = told.points || { without: 0 }; // a collector of before does not say
  const lacks = points.without ? t("trusted.lacks", { n: points.without, m: points.measured, id: points.first }) : "";
  cell(share, [trusted ? trustedText(trusted) : t("none.yet"), lacks].filter(Boolean).join(" · "), !trusted || trusted.lowest_share < 0.95 || points.without > 0);
  const known = effects.filter((one) => one.heard);
  const shown = known.length ? known : effects; // of a gateway that is not heard: they may have ended
  cell(running, shown.length ? t(known.length ? "plants.running" : "plants.running_last", { n: shown.length, ids: shown.slice(0, 4).map((one) => one.pot).join(" ") }) : t(`plants.${quiet(told)}`), shown.length > known.length);
  running.classList.toggle("alert-text", known.length > 0);
  const dark = gateways.offline + gateways.silent;
  cell(connected, dark ? t("plants.dark", { n: dark, m: gateways.all }) : t("plants.connected", { m: gateways.all }), dark > 0);
  const pressed = monthRows ? pressing(monthRows) : null;
  const doubted = doubtful(monthRows);
  const pressedText = pressed ? monthText(pressed) : t(monthRows ? "plants.settled" : "plants.asking");
  const failed = doubted !== null && doubted.sealed.exit_status === 1;
  const seal = doubted ? `${doubted.month}: ${doubted.sealed.headline[language]}` : "";
  cell(month, [pressedText, seal].filter(Boolean).join(" · "), doubted ? !failed : pressed && (pressed.blocking > 0 || pressed.state === "late"));
  month.classList.toggle("alert-text", failed);
}

// Why no effect is told of: there are no pots, nobody is heard, or there is none.
const quiet = ({ plant, gateways }) =>
  (plant.sector !== "aluminium" ? "no_pots" : gateways.offline + gateways.silent === gateways.all ? "effects_unknown" : "no_effects");

const floor1 = (share) => number(Math.floor(share * 1000) / 10, 1);

function trustedText(trusted) {
  const mean = `${floor1(trusted.share)} %`;
  return trusted.lowest_share < 0.9995 ? `${mean} · ${t("trusted.worst", { id: trusted.lowest, share: floor1(trusted.lowest_share) })}` : mean;
}

function monthText(found) {
  const left = found.daysLeft === null ? "" : t(found.daysLeft < 0 ? "month.left.over" : found.daysLeft ? "month.left" : "month.left.today", { days: Math.abs(found.daysLeft) });
  return [`${found.month} ${t(`month.state.${found.state}`)}`, owedText(found), left].filter(Boolean).join(" · ");
}

// Of a plant whose configuration is not known: why it does not go on, or that it waits for one.
function patchOther(row, { plant, reasons }) {
  setText(row.link, plant);
  cell(row.said, reasons.length ? reasons.map((one) => tOr(`alarm.${one}`, "alarm.other", { reason: one })).join(" ") : t("plants.unconfigured"), !reasons.length);
  row.said.classList.toggle("alert-text", reasons.length > 0);
}

function otherRow(id) {
  const link = h("a", { href: `/${language}/plants/${encodeURIComponent(id)}`, translate: "no" });
  const said = h("td", { colspan: "5" });
  return { node: h("tr", {}, h("th", { scope: "row", "data-label": t("plants.plant") }, link), said), link, said };
}

// Rows of one kind. A plant may come under the other one: of the first, without a configuration.
function drawRows(kind, all, idOf, make, fill) {
  const keys = new Set(all.map((told) => `${kind} ${idOf(told)}`));
  for (const [key, row] of rows) if (key.startsWith(`${kind} `) && !keys.has(key)) { row.node.remove(); rows.delete(key); }
  for (const told of all) {
    const key = `${kind} ${idOf(told)}`;
    if (!rows.has(key)) { rows.set(key, make(idOf(told))); body.append(rows.get(key).node); }
    fill(rows.get(key), told);
  }
}

function draw() {
  if (document.hidden) return;
  live.update(performance.now());
  months.update(performance.now());
  const rowsOf = (id) => (months.answer ? months.answer.filter((row) => row.plant === id) : null);
  drawRows("other", state.told.others, (one) => one.plant, otherRow, patchOther);
  drawRows("known", state.told.plants, (one) => one.plant.id, rowOf, (row, told) => patch(row, told, rowsOf(told.plant.id)));
  const silent = performance.now() - state.heardAt;
  const lost = silent > LOST_MS;
  const server = state.told.server_ns / 1e6;
  const zone = zoneOfAll();
  const clock = (at) => `${clockTime(at, zone || "UTC")} ${zone ? zoneOffset(at, zone) : "(UTC)"}`;
  document.body.classList.toggle("lost", lost);
  const banner = document.getElementById("banner");
  banner.hidden = !lost;
  setText(banner, lost ? `${t("lost.banner", { time: clock(server) })} ${t("lost.age", { age: age(silent) })}` : "");
  setText(document.getElementById("clock"), lost ? t("header.lost") : clock(serverNow()));
}

body.textContent = "";
setInterval(draw, 1000);
draw();
