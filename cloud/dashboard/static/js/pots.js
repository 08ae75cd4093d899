// The pot map: one cell a pot, patched in place; a listbox for keyboard and screen reader.
import { h, setAttr, setOneClass, setText } from "./dom.js";
import { age, duration, number } from "./format.js";
import { ms } from "./model.js";
import { reason, stateText } from "./reading.js";
import { t } from "./texts.js";

const KINDS = ["effect", "high", "nodata", "out", "normal"];
const TINTS = ["t0", "t1", "t2"];
const TINT_V = 0.08; // half width of the middle tint around the line's target voltage
const DENSE_FROM = 61; // more pots than this are drawn without text

export function potsView(model, line, select) {
  const dense = line.pots.length >= DENSE_FROM;
  const cells = line.pots.map((pot) => cellOf(pot));
  const node = h("div", { class: `pots${dense ? " dense" : ""}`, role: "listbox",
    "aria-label": t("map.label", { id: line.id }) }, ...cells.map((cell) => cell.node));
  const keys = { line, cells };
  node.addEventListener("keydown", (event) => onKey(event, keys, select));
  node.addEventListener("click", (event) => {
    const found = cells.find((cell) => cell.node.contains(event.target));
    if (found) select(found.pot.id);
  });
  const legend = legendView(line);
  return {
    node: h("div", {}, node, legend.node),
    update(selected) {
      const counts = new Map(KINDS.map((kind) => [kind, 0]));
      for (const cell of cells) {
        const status = model.potStatus(line, cell.pot);
        counts.set(status.kind, counts.get(status.kind) + 1);
        patch(model, line, cell, status, cell.pot.id === selected);
      }
      if (!cells.some((cell) => cell.node.tabIndex === 0)) cells[0].node.tabIndex = 0;
      legend.update(counts);
    },
  };
}

function cellOf(pot) {
  const [volts, word] = [h("span", { class: "volts" }), h("span", { class: "word" })];
  const node = h("div", { class: "pot", role: "option", tabindex: "-1", "data-pot": pot.id },
    h("span", { class: "id" }, pot.id), volts, word);
  return { pot, node, volts, word, kind: null };
}

function patch(model, line, cell, status, selected) {
  const { kind, volts, state } = status;
  const shown = volts.value !== null;
  setText(cell.volts, shown ? `${number(volts.value, 2)} V` : "–");
  const words = statusWords(model, line, status);
  setText(cell.word, cellWord(model, line, cell.pot, status, words));
  setOneClass(cell.node, KINDS, kind);
  setOneClass(cell.node, TINTS, kind === "normal" ? tint(line, volts.value) : null);
  if (cell.kind !== kind) cell.node.classList.toggle("fresh", kind === "effect" && cell.kind !== null);
  cell.kind = kind;
  const spoken = shown ? t("pot.volts", { v: number(volts.value, 1) }) : t("pot.novolts");
  setAttr(cell.node, "aria-label", t("pot.aria", { id: cell.pot.id, status: words, volts: spoken }));
  setAttr(cell.node, "aria-selected", String(selected));
  setAttr(cell.node, "title", `${t("pot", { id: cell.pot.id })}: ${words}${state.facts ? "" : ` (${t("none.unconfigured")})`}`);
  if (selected && cell.node.tabIndex !== 0) {
    for (const other of cell.node.parentNode.children) other.tabIndex = -1;
    cell.node.tabIndex = 0;
  }
}

// The few letters there is room for.
function cellWord(model, line, pot, { kind, volts }, words) {
  if (kind === "normal") return "";
  if (kind === "nodata") return volts.grade === "stale" ? t("age.old", { age: age(volts.ageMs) }) : t("status.nodata");
  if (kind !== "effect") return words;
  const { start_ns: start, gateway } = model.runningEffect(line.id, pot.id);
  return t("status.effect_cell", { time: duration(model.tickMs(gateway) - ms(start)) });
}

// What the pot is in, in the page's language.
export function statusWords(model, line, { kind, volts, state }) {
  if (kind === "high") return t("status.high", { v: line.anode_effect.v_start_v });
  if (kind === "nodata") {
    const worse = volts.value === null || volts.grade === "stale" ? volts : state;
    return reason(model, worse) || t("status.nodata");
  }
  if (kind !== "out") return t(`status.${kind}`);
  return stateText(state);
}

function tint(line, volts) {
  const off = Number(volts) - Number(line.anode_effect.target_v);
  return TINTS[off < -TINT_V ? 0 : off > TINT_V ? 2 : 1];
}

// Roving tab stop: arrows move, Home and End jump, Enter or Space selects.
function onKey(event, { cells }, select) {
  const at = cells.findIndex((cell) => cell.node === document.activeElement);
  if (at < 0) return;
  if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    select(cells[at].pot.id);
    return;
  }
  const top = cells[0].node.offsetTop;
  const columns = cells.filter((cell) => cell.node.offsetTop === top).length;
  const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns, Home: -at, End: cells.length - 1 - at };
  const to = at + (steps[event.key] === undefined ? NaN : steps[event.key]);
  if (!(to >= 0 && to < cells.length)) return;
  event.preventDefault();
  cells[at].node.tabIndex = -1;
  cells[to].node.tabIndex = 0;
  cells[to].node.focus();
}

function legendView(line) {
  const entries = KINDS.map((kind) => {
    const count = h("b");
    const name = { effect: "status.effect", high: "status.high", nodata: "status.nodata",
      out: "status.out_legend", normal: "status.normal_legend" }[kind];
    const key = h("i", { class: `pot key ${kind}${kind === "normal" ? " t1" : ""}` });
    const node = h("span", {}, key, count, ` ${t(name, { v: line.anode_effect.v_start_v })}`);
    return { kind, count, node };
  });
  return {
    node: h("p", { class: "legend" }, ...entries.map((entry) => entry.node)),
    update(counts) {
      for (const { kind, count, node } of entries) {
        setText(count, String(counts.get(kind)));
        node.style.display = counts.get(kind) || kind === "normal" ? "" : "none";
      }
    },
  };
}
