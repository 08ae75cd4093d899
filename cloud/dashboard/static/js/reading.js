// One value on the page: figure, unit, age, and the reason when it is not to be trusted.
import { h, setAttr, setText } from "./dom.js";
import { age, number, unitText } from "./format.js";
import { FIRST_BAD } from "./model.js";
import { language, t, tOr } from "./texts.js";

const AGE_SHOWN_MS = 3000; // younger than this is "now" and needs no figure

// Why there is no trusted value, in words; "" when there is nothing to say.
export function reason(model, reading) {
  const { grade, quality, facts, ageMs } = reading;
  if (grade === "absent") return t("none.unconfigured");
  if (grade === "none") return t("none.yet");
  if (grade === "stale") {
    const gateway = model.gateway(facts.gateway);
    const off = gateway && gateway.online === false ? `${t("none.gateway")} · ` : "";
    return off + t("age.old", { age: age(ageMs) });
  }
  if (grade === "good") return "";
  if (grade === "bad" && quality < FIRST_BAD) return t("none.value");
  const sentences = model.state.qualities[quality];
  return sentences ? sentences[language === "zh" ? 1 : 0] : `${quality}`;
}

// A state point's value by its name.
export function stateText({ facts, value }) {
  const named = facts.states.find(([raw]) => String(raw) === value);
  const name = named ? named[1] : value;
  return tOr(`state.${name}`, "state.other", { id: name });
}

export function figure(reading, decimals) {
  if (reading.value === null) return "–";
  if (reading.facts.role === "state") return stateText(reading);
  if (reading.facts.identifier) return reading.value; // a serial number is no quantity
  return number(reading.value, decimals === undefined ? reading.facts.decimals : decimals);
}

// {node, update(model, id)}; options: decimals, unit (overrides the point's), bare (figure and
// unit only: age and reason stand beside it)
export function readingView(options = {}) {
  const digits = h("span", { class: "figure" }, "–");
  const unit = h("span", { class: "unit" });
  const old = h("span", { class: "age" });
  const tag = h("span", { class: "tag dq" });
  const node = h("span", { class: "reading" }, digits, " ", unit, ...(options.bare ? [] : [" ", old, tag]));
  tag.hidden = true;
  old.hidden = true;
  return {
    node,
    update(model, id) {
      const reading = model.reading(id);
      const why = reason(model, reading);
      setText(digits, figure(reading, options.decimals));
      setText(unit, reading.facts ? options.unit || unitText(reading.facts.unit) : "");
      setText(tag, why);
      tag.hidden = why === "";
      const worth = reading.grade === "good" && reading.ageMs > AGE_SHOWN_MS;
      setText(old, worth ? t("age.old", { age: age(reading.ageMs) }) : "");
      old.hidden = !worth;
      node.classList.toggle("bad", reading.value === null);
      node.classList.toggle("reserved", reading.grade === "stale" || reading.grade === "reserved");
      setAttr(node, "title", reading.facts ? id : t("none.unconfigured_point", { id }));
      return reading;
    },
  };
}
