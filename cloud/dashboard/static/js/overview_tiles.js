// Tiles of the overview that speak of the month: intensity, month to date, evidence.
import { partialText } from "./accumulated.js";
import { diamond, h, setOneClass, setText, svg } from "./dom.js";
import { number, unitText } from "./format.js";
import { elapsed, intensity, monthToDate, pressing } from "./overview_model.js";
import { has, language, t } from "./texts.js";
import { TILE_STATES, tile } from "./tiles.js";

const DAYS_URGENT = 10; // as the months' own rule (cloud.month.states)

// A figure with its unit, a tag for why there is none, a bar against a mark, and a line below.
function shell(title, size) {
  const [value, unit, tag] = [h("span", { class: "figure" }, "–"), h("span", { class: "unit" }), h("span", { class: "tag dq" })];
  const bar = bulletView();
  const mark = h("span", { class: "mark" });
  const text = h("span");
  const node = tile(title, size, h("p", { class: "big" }, value, " ", unit, " ", tag), bar.node, h("p", { class: "foot-line" }, mark, text));
  let shown = null;
  return {
    node,
    // symbol: "p2", "dq" or null
    say({ value: figure, unit: words, why, share, of, line, symbol }) {
      setText(value, figure === null ? "–" : figure);
      setText(unit, words || "");
      setText(tag, figure === null ? "" : why || "");
      tag.hidden = figure === null || !why; // without a figure the reason has the line below
      bar.set(share, of);
      setText(text, (figure === null && why) || line || "");
      setOneClass(node, [...TILE_STATES, "p2"], symbol);
      if (symbol !== shown) {
        shown = symbol;
        mark.textContent = "";
        if (symbol) mark.append(symbol === "p2" ? priority(2) : diamond());
      }
    },
  };
}

// How much of the way (0..1) is filled, and where the mark stands (0..1 or null); null: no bar.
function bulletView() {
  const [fill, mark] = [h("i"), h("b")];
  const node = h("div", { class: "meter", "aria-hidden": "true" }, fill, mark);
  return {
    node,
    set(share, of) {
      node.hidden = share === null || share === undefined;
      fill.style.width = `${Math.min(1, share || 0) * 100}%`;
      mark.hidden = of === null || of === undefined;
      mark.style.left = `${Math.min(1, of || 0) * 100}%`;
    },
  };
}

// A priority by colour, shape and digit: square 1, triangle 2, circle 3.
const SHAPES = {
  1: () => svg("rect", { x: "1", y: "1", width: "18", height: "18" }),
  2: () => svg("path", { d: "M10 1 19.5 19H.5z" }),
  3: () => svg("circle", { cx: "10", cy: "10", r: "9" }),
};
export const priority = (n) => svg("svg", { viewBox: "0 0 20 20", class: `symbol priority p${n}`, role: "img",
  "aria-label": t("alarms.priority", { n }) }, SHAPES[n](),
svg("text", { x: "10", y: n === 2 ? "17" : "14.5", "text-anchor": "middle", "aria-hidden": "true" }, String(n)));

const why = (reason) => t(has(`overview.reason.${reason}`) ? `overview.reason.${reason}` : `accumulated.reason.${reason}`);

export function intensityTile(slow) {
  const view = shell(t("tile.intensity"), "");
  return {
    node: view.node,
    update() {
      const found = intensity(slow.counted());
      if (found.reason) return view.say({ value: null, why: why(found.reason), symbol: "dq" });
      const { benchmark, over, value } = found;
      const line = benchmark === null ? t("intensity.no_benchmark")
        : t(over > 0 ? "intensity.over" : "intensity.under", { benchmark: number(benchmark, 4), percent: number(Math.abs(over) * 100, 1) });
      const top = benchmark === null ? null : 1.25 * Math.max(benchmark, value);
      return view.say({
        value: number(value, 3), unit: unitText(found.unit), share: top && value / top, of: top && benchmark / top, line,
        symbol: over > 0 ? "p2" : null,
      });
    },
  };
}

export function monthTile(slow) {
  const view = shell(t("tile.month"), "");
  return {
    node: view.node,
    update() {
      const found = monthToDate(slow.counted());
      if (found.reason) return view.say({ value: null, why: why(found.reason), symbol: "dq" });
      const { total, due, over, unit } = found;
      const partial = partialText(found.missing);
      const top = due === null ? null : 1.25 * Math.max(due, total);
      const line = due === null ? t(`allowed.${found.why}`)
        : t(over > 0 ? "allowed.over" : "pro_rata.under", { due: number(due, 0), n: number(Math.abs(over), 0), unit: unitText(unit) });
      return view.say({
        value: number(total, total < 1000 ? 2 : 0), unit: unitText(unit), why: partial,
        share: top && total / top, of: top && due / top, line, symbol: over > 0 ? "p2" : partial ? "dq" : null,
      });
    },
  };
}

// Will the month be complete: the one that presses most, what it lacks, and until when.
export function evidenceTile(model, slow, site) {
  const view = shell(t("tile.evidence"), "last");
  const link = h("a", { href: `/${language}/months` }, t("months.all"));
  view.node.append(h("p", { class: "note unprinted" }, link));
  return {
    node: view.node,
    update() {
      const rows = slow.months();
      const found = pressing(rows);
      if (!rows || !found) return view.say({ value: null, why: t(rows ? "evidence.none" : "accumulated.reason.counting"), symbol: rows ? null : "dq" });
      link.href = `${site.address}/months/${found.month}`;
      setText(link, t("evidence.open", { month: found.month, day: found.deadline || "–" }));
      const late = found.daysLeft !== null && found.daysLeft < 0;
      const near = found.daysLeft !== null && found.daysLeft <= DAYS_URGENT && found.state !== "open";
      const row = rows.find((one) => one.month === found.month);
      return view.say({
        value: found.daysLeft === null ? null : String(Math.abs(found.daysLeft)), unit: t(late ? "evidence.days_over" : "evidence.days_left"),
        why: found.daysLeft === null ? t("evidence.no_deadline") : "", share: elapsed(row, model.serverNow() * 1e6), line: t("evidence.line", { month: found.month, state: t(`month.state.${found.state}`), owed: owedText(found) }),
        symbol: late || near ? "p2" : found.blocking ? "dq" : null,
      });
    },
  };
}

export const owedText = ({ owed }) => (owed ? t("evidence.owed", { n: owed }) : t("evidence.nothing_owed"));
