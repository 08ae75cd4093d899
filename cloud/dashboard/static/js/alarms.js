// One line for each thing that people must look at: what the collector refused or put aside, and
// the alarms that stand at a gateway.
import { h } from "./dom.js";
import { ms } from "./model.js";
import { t, tOr } from "./texts.js";
import { moment } from "./times.js";

// what stands without a gateway is about the whole plant
const whose = (alarm) =>
  alarm.gateway || ("since_ns" in alarm ? t("alarm.plant") : t("alarm.stranger"));

export function alarmsView(model) {
  const box = document.getElementById("alarms");
  let shown = "";
  return {
    update() {
      const lines = (model.state.alarms || []).map((alarm) => {
        const stands = "since_ns" in alarm;
        const what = tOr(`alarm.${alarm.reason}`, stands ? "alarm.edge" : "alarm.other", alarm);
        const time = moment(ms(stands ? alarm.since_ns : alarm.newest_ns), model.zone, model.serverNow());
        let line = stands ? "alarm.stands" : "alarm.line";
        if (alarm.reason === "missing") line = "alarm.since";
        return t(line, { gateway: whose(alarm), what, count: alarm.count, time });
      });
      if (lines.join("\n") === shown) return; // a screen reader says it once
      shown = lines.join("\n");
      box.textContent = "";
      box.append(...lines.map((line) => h("div", {}, line)));
      box.hidden = !lines.length;
    },
  };
}
