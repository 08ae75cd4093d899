// Process strip: the stages of a works with the streams that are measured there.
import { h, setOneClass, setText } from "./dom.js";
import { readingView } from "./reading.js";
import { assign, wordOf } from "./sector.js";
import { t, tOr } from "./texts.js";

// brief: only what is named first of each stage, for the overview; else everything that is measured.
export function stripView(model, { brief, address }) {
  const stages = assign(model.state);
  const cards = stages.map((stage) => stageView(model, stage, brief, address));
  const node = h("ol", { class: `strip${brief ? " brief" : ""}`, "aria-label": t("strip.label") }, ...cards.map((card) => card.node));
  return { node, update: () => cards.forEach((card) => card.update()), count: stages.length };
}

function stageView(model, stage, brief, address) {
  const shown = brief ? stage.points.filter((one) => one.first).slice(0, 4) : stage.points;
  const chosen = shown.length ? shown : stage.points.slice(0, 2);
  const rows = chosen.map((one) => streamView(model, one.id));
  const state = stage.state ? readingView() : null;
  const mark = h("span", { class: "tag dq" });
  const more = stage.points.length - chosen.length;
  const nothing = stage.points.length || stage.state ? [] : [h("p", { class: "note" }, t("strip.nothing"))];
  const rest = more > 0 ? [h("p", { class: "note" }, h("a", { href: `${address}/line#stage-${stage.id}` }, t("strip.more", { n: more })))] : [];
  const node = h("li", { class: "stage", id: `stage-${stage.id}` },
    h("div", { class: "head" }, h("h3", {}, tOr(`stage.${stage.id}`, "stage.other", { id: stage.id })), ...(state ? [state.node] : []), mark),
    h("dl", { class: "facts" }, ...rows.map((row) => row.node)), ...nothing, ...rest);
  return {
    node,
    update() {
      rows.forEach((row) => row.update());
      if (state) state.update(model, stage.state);
      const bad = stage.points.filter((one) => ["bad", "stale", "none"].includes(model.reading(one.id).grade)).length;
      mark.hidden = !bad;
      setText(mark, bad ? t("strip.bad", { n: bad }) : "");
      setOneClass(node, ["dq"], bad ? "dq" : null);
    },
  };
}

function streamView(model, id) {
  const view = readingView();
  const { facts } = model.reading(id);
  const name = h("dt", { title: id }, wordOf(id, facts, tOr));
  return { node: h("div", {}, name, h("dd", {}, view.node)), update: () => view.update(model, id) };
}
