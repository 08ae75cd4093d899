// A potline: its map, which pots are in effect since when, and what a chosen pot does.
import { h, setOneClass, setText } from "./dom.js";
import { duration } from "./format.js";
import { ms } from "./model.js";
import { potsView } from "./pots.js";
import { readingView } from "./reading.js";
import { t } from "./texts.js";
import { moment } from "./times.js";

const NAMED_MAX = 6;

export const potAddress = (address, line, pot) => `${address}/lines/${encodeURIComponent(line)}/pots/${encodeURIComponent(pot)}`;

// Switch, map and what is in effect; below: nodes that stand under the map.
// select(line, pot id): a pot was chosen; opened(line): another line is shown.
export function potlineView(model, site, { select, opened, below }) {
  const { potlines } = model.state;
  let line = potlines[0];
  let map = null;
  let chosen = null;
  const title = h("h2");
  const sub = h("span", { class: "note" });
  const host = h("div");
  const running = runningView(model, site, () => line);
  const buttons = potlines.map((one) => h("button", { type: "button" }, one.id));
  const switcher = h("div", { class: "switch right", role: "group", "aria-label": t("line.switch") }, ...buttons);
  const node = h("section", { class: "card potline" },
    h("div", { class: "head" }, title, sub, ...(potlines.length > 1 ? [switcher] : [])),
    running.node, host, ...(below || []));
  const choose = (id) => {
    chosen = id;
    if (select) select(line, line.pots.find((pot) => pot.id === id));
    map.update(chosen);
  };
  const open = (one) => {
    line = one;
    map = potsView(model, line, choose);
    host.textContent = "";
    host.append(map.node);
    setText(title, t("line.title", { id: line.id }));
    setText(sub, t("line.sub", { n: line.pots.length }));
    buttons.forEach((button, at) => button.setAttribute("aria-pressed", String(potlines[at] === line)));
    if (opened) opened(line);
  };
  buttons.forEach((button, at) => button.addEventListener("click", () => { open(potlines[at]); view.update(); }));
  const view = {
    node,
    line: () => line,
    // the pot that asks to be looked at: the one in effect, else the first
    begin: () => choose((line.pots.find((pot) => model.runningEffect(line.id, pot.id)) || line.pots[0]).id),
    again: () => chosen && choose(chosen),
    update() {
      map.update(chosen);
      running.update();
    },
  };
  open(line);
  return view;
}

// "In effect now: 20 since 13:45:45 (0:05), 21 …", each a way to its pot.
function runningView(model, site, line) {
  const words = h("span");
  const list = h("span", { class: "running-list" });
  const node = h("p", { class: "in-effect" }, words, " ", list);
  const links = new Map();
  return {
    node,
    update() {
      const pots = line().pots.filter((pot) => model.runningEffect(line().id, pot.id));
      const heard = model.isHeard(line().gateway);
      const dark = line().pots.filter((pot) => model.potStatus(line(), pot).kind === "nodata").length;
      const none = !heard ? "effects.not_known" : dark ? "effects.none_of_known" : "effects.none_running";
      const some = heard ? "effects.now" : "effects.last_known";
      setText(words, pots.length ? t(some, { n: pots.length }) : t(none, { n: dark }));
      setOneClass(node, ["alert", "dq-text"], heard && pots.length ? "alert" : !heard || dark ? "dq-text" : null);
      const shown = new Set(pots.slice(0, NAMED_MAX).map((pot) => pot.id));
      for (const [id, link] of links) {
        if (!shown.has(id)) { link.remove(); links.delete(id); }
      }
      for (const id of shown) {
        const { start_ns: start, gateway } = model.runningEffect(line().id, id);
        if (!links.has(id)) {
          links.set(id, h("a", { href: potAddress(site.address, line().id, id) }));
          list.append(links.get(id), " ");
        }
        const lasts = duration(model.tickMs(gateway) - ms(start));
        setText(links.get(id), t("effects.since", { id, time: moment(ms(start), model.zone, model.serverNow()), lasts }));
      }
    },
  };
}

// Figures of the line's day, and PFC as three things that are never added and never share a label.
export function lineFigures(model, line) {
  const rows = [["aef", 2, "aef_day"], ["aed", 2, "aed_day"], ["aem", 2, "aem_day"]].map(([name, decimals, point]) => {
    const view = readingView({ decimals, unit: t(`unit.${name}`) });
    const node = h("div", {}, h("span", { class: "label" }, t(`effects.${name}`)), h("span", { class: "middling" }, view.node));
    return { node, update: () => view.update(model, `${line().id}.${point}`) };
  });
  const node = h("section", { class: "card tile" }, h("h2", {}, t("tile.effects")),
    h("div", { class: "pair" }, ...rows.map((row) => row.node)), h("p", { class: "note" }, t("effects.overvoltage")));
  return { node, update: () => rows.forEach((row) => row.update()) };
}
