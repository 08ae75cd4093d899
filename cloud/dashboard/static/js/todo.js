// What wants somebody's hand just now: the standing alarms of the plant that nobody shelved, as the
// alarms' engine has them, at most seven lines, each with the way to it.
import { h, setText } from "./dom.js";
import { age } from "./format.js";
import { ms } from "./model.js";
import { priority } from "./overview_tiles.js";
import { Polled } from "./polled.js";
import { language, t } from "./texts.js";

const LINES_MAX = 7;
const ALARMS_MS = 10000; // as often as the page of alarms asks

export function todoView(model, site) {
  const polled = new Polled(`/api/v1/alarms?plant=${encodeURIComponent(site.plant)}`, ALARMS_MS);
  const list = h("ol", { class: "todo" });
  const said = h("p", { class: "note" });
  const address = `/${language}/alarms?plant=${encodeURIComponent(site.plant)}`;
  const node = h("section", { class: "card action", id: "needs-action" }, h("div", { class: "head" }, h("h2", {}, t("todo.title")),
    h("a", { class: "right", href: address }, t("todo.all"))), list, said);
  let shown = "";
  return {
    node,
    update() {
      if (!model.frozen) polled.update(model.now());
      const standing = polled.answer ? polled.answer.standing.filter((one) => one.shelf === null) : [];
      const lines = standing.slice(0, LINES_MAX);
      const keys = lines.map((one) => [one.number, one.priority, one.acknowledged_ns === null, one[language]].join(" ")).join("\n");
      if (keys !== shown) { // a line that stays is not made anew: focus and clicks survive
        shown = keys;
        list.textContent = "";
        list.append(...lines.map((one) => h("li", { class: one.acknowledged_ns === null ? "unseen-yet" : "" }, priority(one.priority),
          h("a", { href: `${address}#alarm-${one.number}` }, one[language]), h("span", { class: "note" }))));
      }
      lines.forEach((one, at) => setText(list.children[at].lastChild, stateText(model, one)));
      setText(said, saidText(polled, standing.length));
    },
  };
}

// Since when it stands, and whether somebody has seen it.
function stateText(model, one) {
  const since = t("todo.since", { age: age(model.serverNow() - ms(one.raised_ns)) });
  return one.acknowledged_ns === null ? since : `${since} · ${t("todo.seen", { by: one.acknowledged_by })}`;
}

function saidText({ answer, refused }, standing) {
  if (answer === null) return refused ? t("todo.unknown") : t("todo.asking");
  if (standing > LINES_MAX) return t("todo.more", { n: standing - LINES_MAX });
  if (standing) return "";
  return answer.elsewhere ? t("todo.elsewhere", { n: answer.elsewhere }) : t("todo.none");
}
