// The plant's gateways: version, spool, oldest unsent, clock, certificate, last seen.
import { h, setText } from "./dom.js";
import { gatewayTexts, GATEWAY_ROWS } from "./facts.js";
import { livePage } from "./page.js";
import { Polled } from "./polled.js";
import { t } from "./texts.js";
import { dayOf } from "./times.js";

const KEYS_MS = 60000;
const DAY_MS = 86400000;
const EXPIRY_NEAR_D = 30;

livePage((model, site) => {
  const cards = model.state.gateways.map((g) => gatewayCard(model, site, g.id));
  return {
    nodes: [h("div", { class: "side alone fleet" }, ...cards.map((card) => card.node)), h("p", { class: "note alone" }, t("fleet.basis"))],
    update: () => cards.forEach((card) => card.update()),
  };
});

function gatewayCard(model, site, id) {
  const keys = new Polled(`${site.api}/streams/${encodeURIComponent(id)}`, KEYS_MS);
  const rows = [...GATEWAY_ROWS, "certificate", "software"].map((name) => {
    const value = h("span");
    return { name, value, node: h("div", {}, h("dt", {}, t(`gw.${name}`)), h("dd", {}, value)) };
  });
  const points = h("span", { class: "note right" });
  const node = h("section", { class: "card gateway" }, h("div", { class: "head" }, h("h2", { translate: "no" }, id), points), h("dl", { class: "facts" }, ...rows.map((row) => row.node)));
  return {
    node,
    update() {
      if (!model.frozen) keys.update(model.now());
      const g = model.gateway(id);
      const mine = Object.values(model.state.points).filter((facts) => facts.gateway === id && !facts.computed);
      const devices = new Set(mine.map((facts) => facts.device)).size;
      setText(points, t("fleet.reads", { n: devices, m: mine.length }));
      const texts = [...gatewayTexts(model, g), certificateText(model, keys), g.software ? [g.software, false] : [t("gw.none"), false]];
      texts.forEach(([text, bad], at) => {
        setText(rows[at].value, text);
        rows[at].value.className = bad ? "tag dq" : "fact";
      });
    },
  };
}

// Until when the certificate of the key in use is good.
function certificateText(model, keys) {
  if (!keys.answer) return [t(keys.refused === 403 || keys.refused === 401 ? "gw.certificate.not_yours" : keys.refused ? "gw.certificate.unknown" : "accumulated.reason.counting"), keys.refused > 403];
  const mine = keys.answer.certificates.filter((one) => one.key === keys.answer.key);
  const until = mine.map((one) => Date.parse(one.not_after)).sort((a, b) => b - a)[0];
  if (until === undefined) return [t("gw.certificate.none"), true];
  const days = Math.floor((until - model.serverNow()) / DAY_MS);
  const day = dayOf(until, model.zone);
  return days < 0 ? [t("gw.certificate.over", { day }), true] : [t("gw.certificate.until", { day, days }), days <= EXPIRY_NEAR_D];
}

