// A card of the on-site sheet: one meter's face value with its photo, compared with the log.
import { h, setText } from "./dom.js";
import { figure, unitText } from "./format.js";
import { localText } from "./paper.js";
import { page } from "./signing.js";
import { t, tOr } from "./texts.js";

const PHOTO_PIXELS = 2048;
export const MINUTE_MS = 60000;

export const photos = new Map(); // card -> its photo as it is attached
const results = new Map(); // card -> what the collector said of its face value, and what it was asked
let added = 0;

// The collector's clock, carried on by the phone's: a phone may be set wrong, and sleeps meanwhile.
const ahead = page.now_ms - Date.now();
export const now = () => Date.now() + ahead;
export const minute = (ms) => localText(BigInt(Math.floor(ms / MINUTE_MS) * MINUTE_MS) * BigInt(1000000), page.zone);
export const field = (card, name) => card.querySelector(`[data-field="${name}"]`);
export const value = (card, name) => field(card, name).value.trim();
export const chosen = (card) => field(card, "point").selectedOptions[0];

const askedOf = (card) => ({ gateway: chosen(card).dataset.gateway, point: value(card, "point"), face: value(card, "face"), at: value(card, "at_ns") });

// What the collector says of the card as it is now; null where it said nothing.
export async function compare(card) {
  const asked = askedOf(card);
  const key = JSON.stringify(asked);
  if (!asked.face || !asked.at) return null;
  if (results.get(card) && results.get(card).key === key) return results.get(card).told;
  results.delete(card);
  let told = null;
  try {
    const answer = await fetch(`/api/v1/plants/${page.plant}/months/${page.month}/visit/compare?${new URLSearchParams(asked)}`, { credentials: "same-origin" });
    told = answer.ok ? await answer.json() : null;
    if (!answer.ok) tell(card, t("visit.result.wrong"), true);
  } catch (error) {
    tell(card, t("visit.result.away"), true);
  }
  // an answer that comes when something else stands there is of nothing
  if (!told || JSON.stringify(askedOf(card)) !== key) return null;
  results.set(card, { key, told });
  const quality = told.quality ? `${told.quality.code} · ${told.quality[page.language]}` : "–";
  tell(card, told.result === "no-reading" ? t("visit.result.no-reading", { quality }) : t(`visit.result.${told.result}`, { ...told, reading: figure(told.reading), unit: unitText(told.unit), quality }), told.result !== "agrees");
  return told;
}

function tell(card, words, isWrong) {
  const line = card.querySelector(".result");
  setText(line, words);
  line.classList.toggle("differs", isWrong);
  const mark = results.has(card) ? tOr(`record.choice.${results.get(card).told.result}`, "record.raw", { name: "" }) : "";
  setText(card.querySelector(".mark"), mark);
}

// A photo that fits a mobile link: 2,048 pixels at most, without what the phone wrote into it.
async function shrunk(file) {
  const picture = await createImageBitmap(file);
  const scale = Math.min(1, PHOTO_PIXELS / Math.max(picture.width, picture.height));
  const canvas = h("canvas", { width: String(Math.round(picture.width * scale)), height: String(Math.round(picture.height * scale)) });
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise((resolve) => { canvas.toBlob(resolve, "image/jpeg", 0.85); });
  if (!blob) throw new Error(t("visit.photo.unreadable"));
  return blob;
}

export const photographed = (card) => setText(card.querySelector(".photographed"), t("visit.photo.kept", { kb: Math.ceil(photos.get(card).size / 1000) }));

// `changed` is called when something of the card is another, `say` with what fails.
export function wire(card, changed, say) {
  const unit = () => setText(card.querySelector(".unit"), chosen(card) ? unitText(chosen(card).dataset.unit) : "");
  field(card, "point").addEventListener("change", unit);
  for (const name of ["point", "face", "at_ns"]) field(card, name).addEventListener("change", () => compare(card));
  // the minute in which somebody begins to write it down
  field(card, "face").addEventListener("input", () => { if (!value(card, "at_ns")) field(card, "at_ns").value = minute(now()); });
  card.querySelector(".now").addEventListener("click", () => { stamp(card); changed(); });
  const photo = card.querySelector(".photo");
  photo.addEventListener("change", async () => {
    if (!photo.files[0]) return;
    try {
      photos.set(card, await shrunk(photo.files[0]));
      photographed(card);
      changed();
    } catch (error) {
      say(t("visit.photo.unreadable"), true);
    }
  });
  unit();
}

function stamp(card) {
  field(card, "at_ns").value = minute(now());
  compare(card);
}

// An empty card for a meter that is not on the list; not yet on the page.
export function blank() {
  const card = document.getElementById("another").content.firstElementChild.cloneNode(true);
  added += 1;
  for (const node of card.querySelectorAll("[id], [for], [aria-describedby]")) {
    for (const name of ["id", "for", "aria-describedby"]) {
      if (node.hasAttribute(name)) node.setAttribute(name, node.getAttribute(name).replace(/ROW/g, `a${added}`));
    }
  }
  return card;
}
