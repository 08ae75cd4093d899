// The table of anode effects, newest first; rows are made once and patched.
import { h, setText } from "./dom.js";
import { duration, number } from "./format.js";
import { ms } from "./model.js";
import { has, t } from "./texts.js";
import { moment } from "./times.js";

const COLUMNS = [["start", ""], ["pot", ""], ["duration", "num"], ["vmax", "num"], ["over", "num"], ["cf4", "num"], ["state", "state"]];

// of(effect): does it count here? csv: address of the same as a table
export function effectsView(model, say, { csv, title, of }) {
  const body = h("tbody");
  const empty = h("p", { class: "note" }, t("effects.empty"));
  const head = h("tr", {}, ...COLUMNS.map(([name, kind]) => h("th", { scope: "col", class: kind }, t(`col.${name}`))));
  const table = h("table", { class: "effects" }, h("thead", {}, head), body);
  const node = h("section", { class: "effects-list" },
    h("p", { class: "head" }, h("h3", {}, title), h("a", { class: "right unprinted", href: csv, download: "" }, t("effects.csv"))),
    h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": title }, table, empty),
    h("p", { class: "note" }, t("effects.note")));
  const rows = new Map();
  let quiet = true; // what was there at the start is not announced
  return {
    node,
    update() {
      const effects = model.effectsNewestFirst(of);
      const wanted = new Set(effects.map((effect) => effect.id));
      for (const [id, row] of rows) if (!wanted.has(id)) { row.node.remove(); rows.delete(id); }
      let before = body.firstChild;
      for (const effect of effects) {
        let row = rows.get(effect.id);
        if (!row) {
          row = rowOf();
          rows.set(effect.id, row);
          if (!quiet && effect.end_ns === null) say(t("effect.started_say", { id: effect.pot }));
        }
        if (row.node !== before) body.insertBefore(row.node, before);
        else before = before.nextSibling;
        if (!quiet && row.running && effect.end_ns !== null) say(t("effect.ended_say", { id: effect.pot }));
        patch(model, row, effect);
      }
      empty.hidden = effects.length > 0;
      quiet = false;
    },
  };
}

function rowOf() {
  const cells = COLUMNS.map(([, kind]) => h("td", { class: kind }));
  return { node: h("tr", {}, ...cells), cells, running: false };
}

function patch(model, row, effect) {
  const open = effect.end_ns === null && !effect.lost;
  const running = open && model.isHeard(effect.gateway);
  const until = effect.end_ns === null ? model.tickMs(effect.gateway) : ms(effect.end_ns);
  const words = [open && !running ? t("effect.unknown", { time: until === null ? "–" : moment(until, model.zone, model.serverNow()) })
    : t(effect.end_ns !== null ? "effect.ended" : effect.lost ? "effect.lost" : "effect.running")];
  for (const flag of effect.flags) if (flag !== "running") words.push(has(`flag.${flag}`) ? t(`flag.${flag}`) : flag);
  const texts = [
    moment(ms(effect.start_ns), model.zone, model.serverNow()), effect.pot,
    effect.lost || (open && !running) ? "–" : duration(until - ms(effect.start_ns)), number(effect.v_max, 1),
    effect.integral_v_s === null ? "–" : number(effect.integral_v_s, 0),
    effect.cf4_kg === null ? "–" : number(effect.cf4_kg, 3), words.join(" · "),
  ];
  row.cells.forEach((cell, at) => setText(cell, texts[at]));
  row.node.classList.toggle("running", running);
  row.running = open;
}
