// Cards of the overview: what is emitting now, by source, and the months of evidence.
import { h, setText } from "./dom.js";
import { number, unitText } from "./format.js";
import { countedOf, headlineOf, metersOf, partsOf } from "./overview_model.js";
import { owedText as owed } from "./overview_tiles.js";
import { readingView } from "./reading.js";
import { language, t, tOr } from "./texts.js";

const MONTHS_SHOWN = 4;
const COLUMNS = [["source", ""], ["now", "num"], ["part", "part"], ["month", "num"], ["inputs", ""]];

// Name of a figure for people: its table and what it is about; its meter where that is not enough.
export function madeName(row, made) {
  const kind = row.name ? (language === "zh" ? row.name.zh : tOr(`kind.${row.name.en}`, "kind.other", { id: row.name.en.replace(/-/g, " ") })) : "";
  const table = tOr(`category.${row.table}`, "kind.other", { id: row.table });
  if (!row.table) return tOr(`figure.${row.id}`, "kind.other", { id: row.id });
  const isAlone = made.filter((one) => one.table === row.table && kind && one.name && one.name.en === row.name.en).length < 2;
  return kind ? `${table} · ${kind}${isAlone ? "" : ` (${row.inputs[0]})`}` : `${table}${/^line/.test(row.id) ? ` · ${row.id.split(".")[0]}` : ""}`;
}

export function sourcesView(model, site, slow, made) {
  const headline = headlineOf(model.state.points);
  const rows = partsOf(made, headline).map(({ row, sign }) => sourceView(model, slow, made, row, sign));
  const head = h("tr", {}, ...COLUMNS.map(([name, kind]) => h("th", { scope: "col", class: kind }, t(`sources.${name}`))));
  const table = h("table", { class: "sources cards" }, h("thead", {}, head), h("tbody", {}, ...rows.map((row) => row.node)));
  const how = h("a", { class: "right", href: `${site.address}/figures` }, t("sources.how"));
  const body = rows.length ? h("div", { class: "wide" }, table) : h("p", { class: "note" }, t("sources.none"));
  const part = h("p", { class: "note" }, t("sources.partial"));
  return {
    node: h("section", { class: "card emitting" }, h("div", { class: "head" }, h("h2", {}, t("sources.title")), how), body, part),
    update() {
      const sum = rows.reduce((total, row) => total + Math.abs(row.value()), 0); // null counts as 0
      rows.forEach((row) => row.update(sum));
      part.hidden = sum === 0 || rows.every((row) => row.value() !== null);
    },
  };
}

function sourceView(model, slow, made, row, sign) {
  const now = readingView({ decimals: 2 });
  const bar = h("i");
  const cell = (name, kind, ...content) => h("td", { class: kind, "data-label": t(`sources.${name}`) }, ...content);
  const [percent, month, inputs] = [h("span", { class: "note" }), cell("month", "num"), cell("inputs", "")];
  const node = h("tr", { title: row.id }, h("th", { scope: "row" }, madeName(row, made)), cell("now", "num", now.node),
    cell("part", "part", h("div", { class: "meter", "aria-hidden": "true" }, bar), percent), month, inputs);
  const meters = metersOf(made, row.id);
  const value = () => { const { value: text } = model.reading(row.id); return text === null ? null : sign * Number(text); };
  return {
    node,
    value,
    update(sum) {
      now.update(model, row.id);
      const mine = value();
      const share = sum > 0 ? Math.abs(mine) / sum : 0;
      bar.style.width = `${share * 100}%`;
      setText(percent, mine !== null && sum > 0 ? `${number(share * 100, 1)} %` : t("sources.unknown"));
      const told = slow.counted();
      const counted = countedOf(told, made, row);
      const apart = row.table === "burnt" ? "sources.apart" : "sources.uncounted";
      setText(month, counted === null ? t(apart) : `${number(counted, 2)} ${unitText(told.unit)}`);
      month.classList.toggle("untold", counted === null);
      const bad = meters.filter((id) => ["bad", "stale", "none", "absent"].includes(model.reading(id).grade));
      setText(inputs, bad.length ? t("sources.bad", { n: bad.length, m: meters.length, id: bad[0] }) : t("sources.good", { m: meters.length }));
      inputs.className = bad.length ? "dq-text" : "";
    },
  };
}

// The newest months: state, what is owed, until when.
export function monthsView(model, site, slow) {
  const body = h("tbody");
  const empty = h("p", { class: "note" }, t("accumulated.reason.counting"));
  const head = h("tr", {}, ...["month", "state", "owed", "left"].map((name) => h("th", { scope: "col", class: name === "left" ? "num" : "" }, t(`months.${name}`))));
  const node = h("section", { class: "card evidence" }, h("div", { class: "head" }, h("h2", {}, t("months.title")),
    h("a", { class: "right", href: `/${language}/months` }, t("months.all"))), h("table", {}, h("thead", {}, head), body), empty);
  let shown = "";
  return {
    node,
    update() {
      const rows = (slow.months() || []).slice(0, MONTHS_SHOWN);
      empty.hidden = rows.length > 0;
      const text = JSON.stringify(rows);
      if (text === shown) return; // links stay where they are
      shown = text;
      body.textContent = "";
      body.append(...rows.map((row) => h("tr", {}, h("td", {}, h("a", { href: `${site.address}/months/${row.month}` }, row.month)),
        h("td", {}, t(`month.state.${row.state}`), ...sealedText(row)), h("td", {}, owed({ owed: row.owed.length })), h("td", { class: "num" }, leftText(row)))));
    },
  };
}

// What the collector's own verification of the archive came to, where it has one.
const LOOKS = ["passed", "failed", "cannot-decide", "open"];
const sealedText = ({ sealed }) =>
  (sealed ? [h("br"), h("span", { class: `sealed ${LOOKS[sealed.exit_status]}` }, sealed.headline[language])] : []);

function leftText(row) {
  if (["sealed", "amended"].includes(row.state)) return t("months.settled");
  if (row.days_left === null) return t("evidence.no_deadline");
  if (row.days_left === 0) return t("month.left.today");
  return t(row.days_left > 0 ? "month.left" : "month.left.over", { days: Math.abs(row.days_left) });
}
