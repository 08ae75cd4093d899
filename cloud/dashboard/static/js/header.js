// Header: what this site is, whether the page is live, and what of it is sealed; the lost banner.
import { h, setOneClass, setText } from "./dom.js";
import { age } from "./format.js";
import { ms } from "./model.js";
import { t, tOr } from "./texts.js";
import { clockTime, moment, zoneOffset } from "./times.js";

const SEALED_LATE_MS = 60000;
const STATES = ["connecting", "live", "polling", "lost"];

export function headerView(model) {
  const { plant } = model.state;
  const sector = tOr(`sector.${plant.sector}`, "sector.other", { id: plant.sector });
  setText(document.getElementById("site-sub"), `${sector} · ${plant.rule_set}`);

  const word = h("span");
  const clock = h("span", { class: "clock" });
  const link = h("span", {}, h("i", { class: "dot" }), word, " ", clock);
  const seal = h("span", { class: "tag" });
  document.getElementById("status").append(seal, link);

  const frozen = h("span");
  const old = h("span", { "aria-hidden": "true" });
  const banner = document.getElementById("banner");

  return {
    update(state) {
      const now = model.serverNow();
      const lost = state === "lost";
      const zone = zoneOffset(now, model.zone);
      setText(word, t(`header.${state}`));
      setText(clock, lost ? "" : `· ${clockTime(now, model.zone)} ${zone}`);
      setOneClass(link, STATES, state);
      setText(document.getElementById("zone"), t("footer.times", { zone: model.zone, offset: zone }));
      const { text, late } = sealText(model);
      setText(seal, text);
      seal.classList.toggle("dq", late);
      seal.classList.toggle("plain", !late);
      seal.title = t("delivery.unsealed_long");
      document.body.classList.toggle("lost", lost);
      if (lost && banner.hidden) {
        setText(frozen, t("lost.banner", { time: clockTime(model.serverMs, model.zone) }));
        banner.append(frozen, " ", old, " ", t("lost.edge"));
      }
      if (!lost) banner.textContent = "";
      banner.hidden = !lost;
      setText(old, t("lost.age", { age: age(model.silentMs()) }));
    },
  };
}

// Worst of all gateways, in words.
function sealText(model) {
  const behind = model.behindMs();
  if (behind === null) return { text: `${t("delivery.unsealed")} · ${t("delivery.never")}`, late: true };
  if (behind === 0) return { text: t("delivery.sealed_now"), late: false };
  const through = Math.min(...model.state.gateways.filter((g) => g.sealed_through_ns !== null)
    .map((g) => ms(g.sealed_through_ns)));
  const sealed = t("delivery.sealed", { time: moment(through, model.zone, model.serverNow()) });
  return { text: `${t("delivery.unsealed")} · ${sealed}`, late: behind > SEALED_LATE_MS };
}
