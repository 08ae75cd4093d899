// Emitted so far: this hour, day and month as the month counts them, and where month and year end.
// Asked for every ten seconds: it changes with committed frames, not with live values.
import { h, setText } from "./dom.js";
import { age, number, unitText } from "./format.js";
import { ms } from "./model.js";
import { Polled } from "./polled.js";
import { language, t, tOr } from "./texts.js";
import { clockTime, moment } from "./times.js";

const PERIODS = ["hour", "day", "month"];
const PROJECTIONS = ["month", "year"];
const EVERY_MS = 10000;

export function accumulatedView(model, site) {
  const through = h("span", { class: "note" });
  const columns = Object.fromEntries([...PERIODS.map((n) => `period.${n}`), ...PROJECTIONS.map((n) => `projection.${n}`)]
    .map((name) => [name, column(t(`accumulated.${name}`))]));
  const node = h("section", { class: "card accumulated" },
    h("div", { class: "head" }, h("h2", {}, t("accumulated.title")), through),
    h("div", { class: "columns" }, ...Object.values(columns).map((one) => one.node)));
  const view = { node, told: null };
  const draw = () => {
    const told = view.told || { reason: asked.refused === 404 ? "not-counted" : "counting" };
    setText(through, throughText(model, told));
    for (const name of PERIODS) periodInto(columns[`period.${name}`], model, told, (told.periods || {})[name]);
    for (const name of PROJECTIONS) {
      projectionInto(columns[`projection.${name}`], told, (told.projection || {})[name], (told.indicated || {})[name]);
    }
  };
  view.update = () => {
    if (!model.frozen) asked.update(model.now());
    if (view.told === null) draw();
    else setText(through, throughText(model, view.told));
  };
  const asked = new Polled(`${site.api}/accumulated`, EVERY_MS, (told) => { view.told = told; draw(); });
  draw();
  return view;
}

function throughText(model, told) {
  if (!told.through_ns) return t(`accumulated.reason.${told.reason || "nothing-yet"}`);
  const at = ms(told.through_ns);
  const words = t("accumulated.through", { time: clockTime(at, model.zone), age: age(model.serverNow() - at) });
  const behind = told.is_behind ? [t("accumulated.behind")] : [];
  const unfit = told.unfit_frames ? [t("accumulated.unfit", { n: told.unfit_frames })] : [];
  return [words, ...behind, ...unfit].join(" · ");
}

function column(title) {
  const [when, big, note, list] = [h("span", { class: "note" }), h("p", { class: "big" }), h("p", { class: "note" }), h("dl", { class: "facts" })];
  return { node: h("div", {}, h("h3", {}, title, " ", when), big, note, list), when, big, note, list };
}

const figure = (value, unit) => [h("span", { class: "figure" }, value === null ? "–" : number(value, 2)),
  " ", h("span", { class: "unit" }, unitText(unit))];
const tag = (text) => h("span", { class: "tag dq" }, text);
const row = (name, ...value) => h("div", {}, h("dt", {}, name), h("dd", {}, ...value));

function fill(one, when, big, note, rows) {
  setText(one.when, when);
  renew(one.big, big);
  setText(one.note, note);
  renew(one.list, rows);
}

function renew(node, children) {
  node.textContent = "";
  node.append(...children);
}

function periodInto(one, model, told, period) {
  if (!period || period.reason) {
    const why = (period && period.reason) || told.reason || "nothing-yet";
    fill(one, "", [...figure(null, ""), " ", tag(t(`accumulated.reason.${why}`))], "", []);
    return;
  }
  const lines = period.lines.map((line) => row(lineName(line), ...figure(line.sign * Number(line.emission_t), told.unit)));
  const missing = period.missing.map((part) => row(missingName(part), "– ", tag(missingText(part))));
  const whole = period.completeness;
  fill(one, spanText(model, period), [...figure(period.total_t, told.unit), ...(period.missing.length ? [" ", tag(partialText(period.missing))] : [])],
    completenessText(whole),
    [...lines, ...missing, ...feedRows(period.indicator, told.unit), ...sureRows(period.uncertainty, told.unit)]);
}

// Clinker has no counter as a rule: what the kiln's raw meal makes of it stands beside the figures, in none of them.
function feedRows(found, unit) {
  if (!found) return [];
  const isTag = () => tag(t("accumulated.indicator"));
  const rows = [row(t("accumulated.indicator.clinker", { kind: kindName(found.kind, found.zh) }),
    ...figure(found.clinker_t, "t")), row(t("accumulated.indicator.co2"), ...figure(found.emission_t, unit), " ", isTag())];
  if (Number(found.covered_percent) < 100) rows.push(row(t("accumulated.indicator.covered"), `${number(found.covered_percent, 2)} %`));
  if (found.total_t) rows.push(row(t("accumulated.indicator.total"), ...figure(found.total_t, unit), " ", isTag()));
  return rows;
}

// Of the total, as far as somebody said how sure its meters and factors are.
function sureRows(sure, unit) {
  if (!sure) return [];
  const name = t("accumulated.uncertainty");
  if (!sure.expanded_t) return [row(name, "– ", tag(t("accumulated.not_assessed")))];
  const percent = sure.expanded_percent ? ` (${number(sure.expanded_percent, 2)} %)` : "";
  const share = Number(sure.assessed_percent) < 100 ? [" ", tag(t("accumulated.assessed", { percent: number(sure.assessed_percent, 0) }))] : [];
  return [row(name, "±", ...figure(sure.expanded_t, unit), percent, ...share)];
}

function completenessText(lowest) {
  if (!lowest) return t("accumulated.no_completeness");
  const percent = number(lowest.percent, 2);
  return Number(lowest.percent) < 100 ? t("accumulated.completeness", { percent, point: lowest.point }) : t("accumulated.complete");
}

// "14:00–15:00" of an hour; where counting began later than the period, since when
function spanText(model, period) {
  const clock = (ns) => clockTime(ms(ns), model.zone).slice(0, 5);
  if (period.since_ns > period.from_ns) return t("accumulated.since", { time: moment(ms(period.since_ns), model.zone, model.serverNow()) });
  const isHour = period.to_ns - period.from_ns < 2 * 3.6e12;
  return isHour ? `${clock(period.from_ns)}–${clock(period.to_ns)}` : "";
}

const kindName = (kind, names) => (language === "zh" && names ? names : tOr(`kind.${kind}`, "kind.other", { id: kind.replace(/-/g, " ") }));
const lineName = (line) => `${t(`category.${line.category}`)}: ${kindName(line.kind, line.zh)}${line.unit ? ` (${line.unit})` : ""}`;
const missingName = (part) => (part.kind ? lineName(part) : t(`category.${part.category}`));
// "a part is missing: Clinker", beside every figure that has not all of its parts; "" for one that has
export function partialText(missing) {
  const parts = [...new Set(missing.map((part) => t(`category.${part.category}`)))];
  return parts.length ? t("accumulated.partial_of", { parts: parts.join(language === "zh" ? "、" : ", ") }) : "";
}
const missingText = (part) => t(`accumulated.missing.${part.reason}`, { point: part.point || "" });

function projectionInto(one, told, projected, indicated) {
  if (!projected || projected.reason) {
    const why = (projected && projected.reason) || told.reason || "nothing-yet";
    fill(one, "", [...figure(null, ""), " ", tag(t(`accumulated.reason.${why}`))], "", []);
    return;
  }
  const rows = indicated && indicated.emission_t ? [row(t("accumulated.indicator.total"),
    ...figure(indicated.emission_t, told.unit), " ", tag(t("accumulated.indicator")))] : [];
  if (projected.allowance_t) {
    rows.push(row(t("accumulated.allowance"), ...figure(projected.allowance_t, told.unit)),
      row(t(Number(projected.balance_t) < 0 ? "accumulated.short" : "accumulated.left"), ...figure(Math.abs(projected.balance_t), told.unit)));
    if (projected.benchmark_t_t) rows.push(row(t("accumulated.benchmark"), `${projected.benchmark_t_t} ${unitText(told.unit)}/t`));
  } else {
    rows.push(row(t("accumulated.allowance"), "– ", tag(t(`accumulated.no_allowance.${projected.no_allowance}`))));
  }
  if (projected.months_not_counted && projected.months_not_counted.length) {
    rows.push(row(t("accumulated.months_not_counted"), projected.months_not_counted.join(" ")));
  }
  fill(one, "", [...figure(projected.emission_t, told.unit), ...(projected.is_whole ? [] : [" ", tag(t("accumulated.partial"))])],
    t("accumulated.method.by-days", { days: number(projected.days, 2), whole: number(projected.of_days, 0) }), rows);
}
