// One pot: its state, its trace, its anode effects.
import { h, setOneClass, setText } from "./dom.js";
import { effectsView } from "./effects.js";
import { duration, number } from "./format.js";
import { ms } from "./model.js";
import { livePage } from "./page.js";
import { get } from "./polled.js";
import { statusWords } from "./pots.js";
import { readingView } from "./reading.js";
import { embedded, t } from "./texts.js";
import { tile } from "./tiles.js";
import { moment } from "./times.js";
import { traceView } from "./trace.js";

livePage((model, site) => {
  const asked = embedded("asked");
  const line = model.state.potlines.find((one) => one.id === asked.line);
  const pot = line && line.pots.find((one) => one.id === asked.pot);
  if (!pot) return { nodes: [h("p", { class: "card" }, t("pot.gone"))], update() {} };
  const query = `potline=${encodeURIComponent(line.id)}&pot=${encodeURIComponent(pot.id)}`;
  const mine = (effect) => effect.potline === line.id && effect.pot === pot.id;
  const trace = traceView(model, site);
  const effects = effectsView(model, site.say, { csv: `${site.api}/effects.csv?${query}`, title: t("effects.title"), of: mine });
  const tiles = [nowTile(model, line, pot), effectTile(model, line, pot), countTile(model, mine)];
  const recall = () => {
    trace.show(line, pot);
    get(`${site.api}/effects?${query}`).then(({ body }) => { if (body) model.recallEffects(body); });
  };
  recall();
  return {
    nodes: [
      h("nav", { class: "beside", "aria-label": t("pot.beside") }, ...besides(site, line, pot)),
      h("div", { class: "tiles few" }, ...tiles.map((one) => one.node)),
      h("section", { class: "card potline alone" }, trace.node, h("p", { class: "note" }, t("pot.held"))),
      h("section", { class: "card alone" }, effects.node),
    ],
    recall,
    update: () => [trace, effects, ...tiles].forEach((one) => one.update()),
  };
});

// The map, and the pots before and after.
function besides(site, line, pot) {
  const at = line.pots.indexOf(pot);
  const way = (one, text) => h("a", { href: `${site.address}/lines/${encodeURIComponent(line.id)}/pots/${encodeURIComponent(one.id)}` }, text);
  const found = [h("h2", {}, t("pot", { id: pot.id })), h("a", { href: `${site.address}/line` }, t("line.title", { id: line.id }))];
  if (at > 0) found.push(way(line.pots[at - 1], t("pot.before", { id: line.pots[at - 1].id })));
  if (at < line.pots.length - 1) found.push(way(line.pots[at + 1], t("pot.after", { id: line.pots[at + 1].id })));
  return found;
}

function nowTile(model, line, pot) {
  const volts = readingView({ decimals: 3 });
  const words = h("p", { class: "foot-line" });
  const node = tile(t("pot.now"), "", h("p", { class: "big" }, volts.node), words);
  return {
    node,
    update() {
      const status = model.potStatus(line, pot);
      volts.update(model, pot.voltage);
      setText(words, statusWords(model, line, status));
      setOneClass(node, ["alert", "dq"], status.kind === "effect" ? "alert" : status.kind === "nodata" ? "dq" : null);
    },
  };
}

// Since when it is in effect, how long, and what that came to so far.
function effectTile(model, line, pot) {
  const [big, foot] = [h("span", { class: "figure" }), h("p", { class: "foot-line" })];
  const node = tile(t("pot.effect"), "", h("p", { class: "big" }, big), foot);
  return {
    node,
    update() {
      const effect = model.runningEffect(line.id, pot.id);
      const heard = model.isHeard(line.gateway);
      const known = heard && (effect || model.potStatus(line, pot).kind !== "nodata");
      setOneClass(node, ["alert", "dq"], !known ? "dq" : effect ? "alert" : null);
      if (!effect || !known) { // it may have begun, or ended
        setText(big, known ? t("pot.effect.none") : "–");
        setText(foot, known ? "" : t(heard ? "effects.no_data" : "effects.not_known"));
        return;
      }
      const lasts = model.tickMs(effect.gateway) - ms(effect.start_ns);
      setText(big, duration(lasts));
      setText(foot, t("pot.effect.since", { time: moment(ms(effect.start_ns), model.zone, model.serverNow()), v: number(effect.v_max, 1),
        kg: effect.cf4_kg === null ? "–" : number(effect.cf4_kg, 3) }));
    },
  };
}

// Of the effects that are held: how many, how long, how far over target.
function countTile(model, mine) {
  const [count, foot] = [h("span", { class: "figure" }), h("p", { class: "foot-line" })];
  const node = tile(t("pot.held_effects"), "", h("p", { class: "big" }, count), foot);
  return {
    node,
    update() {
      const effects = model.effectsNewestFirst(mine);
      const minutes = effects.reduce((sum, one) => sum + one.polarised_ns, 0) / 6e10;
      const known = effects.filter((one) => one.integral_v_s !== null);
      const over = known.reduce((sum, one) => sum + Number(one.integral_v_s), 0);
      setText(count, String(effects.length));
      setText(foot, effects.length ? t("pot.held_sums", { min: number(minutes, 2), over: known.length ? number(over, 0) : "–" }) : t("effects.empty"));
    },
  };
}
