// What wants somebody's hand just now, at most seven lines, each with the way to it. The alarms'
// engine, where there is one, takes this card's place: it knows priorities and acknowledgement.
import { diamond, h, setText } from "./dom.js";
import { age } from "./format.js";
import { ms } from "./model.js";
import { metersOf, headlineOf, pressing } from "./overview_model.js";
import { triangle } from "./overview_tiles.js";
import { reason } from "./reading.js";
import { t } from "./texts.js";

const LINES_MAX = 7;
const DAYS_URGENT = 10;

export function todoView(model, site, slow, made) {
  const list = h("ol", { class: "todo" });
  const quiet = h("p", { class: "note" }, t("todo.none"));
  const more = h("p", { class: "note" });
  const node = h("section", { class: "card action", id: "needs-action" }, h("h2", {}, t("todo.title")), list, quiet, more);
  let shown = "";
  return {
    node,
    update() {
      const lines = todo(model, site, slow.months(), made);
      const keys = lines.slice(0, LINES_MAX).map((line) => `${line.mark} ${line.key} ${line.href}`).join("\n");
      if (keys !== shown) { // a line that stays is not made anew: focus and clicks survive
        shown = keys;
        list.textContent = "";
        list.append(...lines.slice(0, LINES_MAX).map((line) => h("li", {}, line.mark === "p2" ? triangle() : diamond(),
          h("a", { href: line.href }, line.key), h("span", { class: "note" }))));
      }
      lines.slice(0, LINES_MAX).forEach((line, at) => setText(list.children[at].lastChild, line.why));
      quiet.hidden = lines.length > 0;
      more.hidden = lines.length <= LINES_MAX;
      setText(more, t("todo.more", { n: lines.length - LINES_MAX }));
    },
  };
}

// [{mark, key, why, href}]: gateways first, since everything of theirs is dark; then meters that
// the figure is made of; then the month; then all other meters in one line.
export function todo(model, site, months, made) {
  const lines = [];
  const dark = new Set();
  for (const g of model.state.gateways) {
    const silentMs = g.received_ns === null ? Infinity : model.serverNow() - ms(g.received_ns);
    const silent = silentMs > Math.max(5000, 3 * ms(g.interval_ns));
    if (g.online === true && !silent) continue;
    dark.add(g.id);
    const why = silentMs === Infinity ? t("none.yet") : t("gw.silent_for", { age: age(silentMs) });
    lines.push({ mark: "dq", key: t("todo.gateway", { id: g.id }), why, href: `${site.address}/fleet` });
  }
  const wrong = Object.keys(model.state.points).filter((id) => {
    const reading = model.reading(id);
    return !reading.facts.computed && !dark.has(reading.facts.gateway) && ["bad", "stale", "none"].includes(reading.grade);
  });
  const counting = new Set([...metersOf(made, headlineOf(model.state.points)), ...inputsOf(model)]);
  const heavy = wrong.filter((id) => counting.has(id));
  for (const id of heavy) {
    lines.push({ mark: "dq", key: t("todo.meter", { id }), why: reason(model, model.reading(id)), href: `${site.address}/meters?find=${encodeURIComponent(id)}` });
  }
  const month = pressing(months);
  if (month && month.state !== "open" && month.daysLeft !== null && (month.daysLeft <= DAYS_URGENT || month.blocking)) {
    lines.push({ mark: "p2", key: t("todo.month", { month: month.month }), href: `${site.address}/months/${month.month}`,
      why: `${month.owed ? t("evidence.owed", { n: month.owed }) : t("evidence.nothing_owed")} · ${t(month.daysLeft < 0 ? "month.left.over" : "month.left", { days: Math.abs(month.daysLeft) })}` });
  }
  const light = wrong.length - heavy.length;
  if (light) lines.push({ mark: "dq", key: t("todo.others", { n: light }), why: t("todo.others_why"), href: `${site.address}/meters?bad=1` });
  return lines;
}

// Totalisers that the month is made of.
function inputsOf({ state }) {
  return state.trusted.map((row) => row.id).filter((id) => state.points[id]);
}
