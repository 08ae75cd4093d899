// One line for each thing that the collector refused or put aside and people must look at.
import { h } from "./dom.js";
import { clockTime } from "./format.js";
import { ms } from "./model.js";
import { t, tOr } from "./texts.js";

export function alarmsView(model) {
  const box = document.getElementById("alarms");
  let shown = "";
  return {
    update() {
      const lines = (model.state.alarms || []).map((alarm) => {
        const what = tOr(`alarm.${alarm.reason}`, "alarm.other", alarm);
        const time = clockTime(ms(alarm.newest_ns), model.zone);
        const line = alarm.reason === "missing" ? "alarm.since" : "alarm.line";
        return t(line, { gateway: alarm.gateway || t("alarm.stranger"), what, count: alarm.count, time });
      });
      if (lines.join("\n") === shown) return; // a screen reader says it once
      shown = lines.join("\n");
      box.textContent = "";
      box.append(...lines.map((line) => h("div", {}, line)));
      box.hidden = !lines.length;
    },
  };
}
