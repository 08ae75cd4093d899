// Every point of the plant: value, age, quality in words, share of the total, calibration, gaps.
import { h, setAttr, setText } from "./dom.js";
import { age, duration, named, number } from "./format.js";
import { kindOf, matches, shares, sorted, worstFirst } from "./meters_model.js";
import { livePage } from "./page.js";
import { readingView, reason } from "./reading.js";
import { embedded, t } from "./texts.js";
import { moment } from "./times.js";

const TURNS = 30; // rows out of sight are redrawn one in so many a second: none is older than that
const MARGIN = "200px"; // of what is nearly in sight

const COLUMNS = ["point", "value", "age", "quality", "share", "due", "gap", "meter"];
const NUMBERS = ["value", "age", "share"];

livePage((model) => {
  const [made, due] = [embedded("made"), embedded("due")];
  const query = new URLSearchParams(location.search);
  const look = { find: query.get("find") || "", bad: query.has("bad"), kind: query.has("find") || query.has("bad") ? "" : "meter", by: null, down: false };
  const rows = Object.keys(model.state.points).map((id) => rowOf(model, id, due));
  const body = h("tbody", {}, ...rows.map((row) => row.node));
  const count = h("p", { class: "note", role: "status" });
  let before = "";
  const arrange = () => { // anew only for another look or another quality: rows do not dance
    const now = JSON.stringify([look, rows.map((row) => row.reading.grade)]);
    if (now === before) return;
    before = now;
    const shown = rows.filter((row) => matches(row, look));
    const next = look.by ? sorted(shown, look.by, look.down) : worstFirst(shown);
    body.append(...next.map((row) => row.node)); // moves what is there: nothing is made anew
    const visible = new Set(next);
    for (const row of rows) row.node.hidden = !visible.has(row);
    setText(count, t("meters.count", { n: next.length, m: rows.length }));
  };
  const heads = headsOf(look, arrange);
  const table = h("table", { class: "meters" }, h("caption", { class: "unseen" }, t("meters.title")), h("thead", {}, h("tr", {}, ...heads)), body);
  const drawAll = () => rows.forEach((row) => row.draw());
  const tools = toolsOf(look, () => { arrange(); drawAll(); }, model.state.potlines.length > 0);
  const inSight = watched(rows);
  let turn = 0;
  window.addEventListener("beforeprint", drawAll);
  return {
    nodes: [h("section", { class: "card alone" }, h("div", { class: "head" }, h("h2", {}, t("meters.title")), count), tools,
      h("div", { class: "wide", tabindex: "0", role: "region", "aria-label": t("meters.title") }, table),
      h("p", { class: "note" }, t("meters.basis")), ...(due === null ? [h("p", { class: "note" }, t("meters.due.not_yours"))] : []))],
    update() {
      const of = shares(model, made);
      rows.forEach((row) => row.measure(of.get(row.id)));
      arrange();
      turn = (turn + 1) % TURNS;
      rows.forEach((row, at) => { if (!row.node.hidden && (inSight.has(row) || at % TURNS === turn)) row.draw(); });
    },
  };
});

// Those rows that can be seen now, or nearly; one that comes into sight is drawn at once.
function watched(rows) {
  const of = new Map(rows.map((row) => [row.node, row]));
  const inSight = new Set();
  const observer = new IntersectionObserver((entries) => entries.forEach(({ target, isIntersecting }) => {
    const row = of.get(target);
    if (!isIntersecting) inSight.delete(row);
    else if (!inSight.has(row)) { inSight.add(row); row.draw(); }
  }), { rootMargin: MARGIN });
  rows.forEach((row) => observer.observe(row.node));
  return inSight;
}

function headsOf(look, arrange) {
  const heads = COLUMNS.map((name) => {
    const button = h("button", { type: "button", class: "sort" }, t(`meters.${name}`), h("span", { "aria-hidden": "true" }));
    const head = h("th", { scope: "col", class: NUMBERS.includes(name) ? "num" : "" }, button);
    button.addEventListener("click", () => {
      look.down = look.by === name ? !look.down : NUMBERS.includes(name);
      look.by = name;
      heads.forEach((one, at) => {
        const mine = COLUMNS[at] === look.by;
        setAttr(one, "aria-sort", mine ? (look.down ? "descending" : "ascending") : null);
        setText(one.firstChild.lastChild, mine ? (look.down ? " ▼" : " ▲") : "");
      });
      arrange();
    });
    return head;
  });
  return heads;
}

function toolsOf(look, arrange, hasPots) {
  const find = h("input", { type: "search", id: "find", maxlength: "80", autocapitalize: "none", spellcheck: "false", value: look.find });
  find.addEventListener("input", () => { look.find = find.value.trim(); arrange(); });
  const bad = h("input", { type: "checkbox", id: "bad" });
  bad.checked = look.bad;
  bad.addEventListener("change", () => { look.bad = bad.checked; arrange(); });
  const kinds = h("select", { id: "kind" }, ...["meter", ...(hasPots ? ["pot"] : []), "computed", ""].map((kind) => {
    const option = h("option", { value: kind }, t(`meters.kind.${kind || "all"}`));
    option.selected = kind === look.kind;
    return option;
  }));
  kinds.addEventListener("change", () => { look.kind = kinds.value; arrange(); });
  return h("div", { class: "tools unprinted" }, h("label", { for: "find" }, t("meters.find")), find,
    h("label", { for: "kind" }, t("meters.kind")), kinds, h("span", {}, bad, " ", h("label", { for: "bad" }, t("meters.only_bad"))));
}

function rowOf(model, id, due) {
  const view = readingView({ bare: true });
  const cells = Object.fromEntries(COLUMNS.map((name) => [name, h("td", { class: NUMBERS.includes(name) ? "num" : "", "data-label": t(`meters.${name}`) })]));
  cells.value.append(view.node);
  const row = { id, node: h("tr", {}, h("th", { scope: "row", translate: "no" }, id), ...COLUMNS.slice(1).map((name) => cells[name])), kind: kindOf(model.state, id), reading: model.reading(id) };
  row.measure = (share) => {
    const { device } = model.state.points[id];
    Object.assign(row, { reading: model.reading(id), share, gap: model.gapOf(id), due: due && device ? due[device] : undefined });
  };
  row.draw = () => {
    view.update(model, id);
    const { share } = row;
    const { facts } = row.reading;
    setText(cells.age, row.reading.tickNs === undefined ? t("none.yet") : age(row.reading.ageMs));
    const why = reason(model, row.reading);
    setText(cells.quality, why || t("quality.good"));
    cells.quality.className = why ? "dq-text" : "";
    setText(cells.share, share === undefined ? t("meters.no_part") : row.reading.value === null ? t("sources.unknown") : `${number(share * 100, 1)} %`);
    dueInto(cells.due, facts, due, row.due);
    setText(cells.gap, gapText(model, row.gap));
    setText(cells.meter, `${t(`prov.${facts.provenance}`)}${facts.device ? ` · ${named(facts.device)}` : ""} · ${facts.gateway}`);
  };
  return row;
}

function dueInto(cell, facts, due, mine) {
  if (facts.computed) setText(cell, t("meters.computed"));
  else if (due === null) setText(cell, t("meters.due.unseen"));
  else if (!mine) setText(cell, t("meters.due.not_planned"));
  else setText(cell, mine.day ? t(mine.is_late ? "meters.due.late" : "meters.due.day", { day: mine.day }) : t("meters.due.none"));
  cell.className = mine && (mine.is_late || !mine.day) ? "dq-text" : "";
}

function gapText(model, gap) {
  if (!gap) return t("meters.gap.none");
  const from = moment(gap.fromMs, model.zone, model.serverNow());
  return gap.toMs === null ? t("meters.gap.lasts", { time: from }) : t("meters.gap.was", { time: from, lasts: duration(gap.toMs - gap.fromMs) });
}
