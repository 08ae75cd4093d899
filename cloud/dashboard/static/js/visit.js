// The on-site sheet: face values with photos, each compared with the log, and samples; one document,
// signed here, kept on the phone until the collector has it.
import { h, setText } from "./dom.js";
import { hex } from "./cbor.js";
import * as keys from "./keys.js";
import { localText } from "./paper.js";
import { Refused, fieldLabel, keyOf, page, post, prepare, sealed, shown } from "./signing.js";
import { t, tOr } from "./texts.js";
import * as kept from "./visit_store.js";

const PHOTO_PIXELS = 2048;
const MINUTE_MS = 60000;
const idOf = ({ plant, month, person }) => `${plant}/${month}/${person}`;
const ID = idOf(page);
const FIELDS = ["point", "face", "at_ns", "seal", "is_seal_whole", "note"];

const form = document.getElementById("form");
const cards = document.getElementById("cards");
const review = document.getElementById("review");
const said = document.getElementById("said");
const begun = document.getElementById("begun");
const note = document.getElementById("note");
const photos = new Map(); // card -> its photo as it is attached
const results = new Map(); // card -> what the collector said of its face value, and what it was asked
let ready = null;
let added = 0;
let isRestored = false;
let isDone = false;

const minute = (ms) => localText(BigInt(Math.floor(ms / MINUTE_MS) * MINUTE_MS) * BigInt(1000000), page.zone);
const field = (card, name) => card.querySelector(`[data-field="${name}"]`);
const value = (card, name) => field(card, name).value.trim();
const all = (selector) => Array.from(form.querySelectorAll(selector));
const nameOf = (card) => (card.dataset.device ? `${card.dataset.gateway}/${card.dataset.device}` : "");
const chosen = (card) => field(card, "point").selectedOptions[0];

function say(words, isWrong) {
  setText(said, words);
  said.hidden = words === "";
  said.classList.toggle("wrong", isWrong);
  if (words) said.focus();
}

// -- a card ---------------------------------------------------------------------------------------

const askedOf = (card) => ({ gateway: chosen(card).dataset.gateway, point: value(card, "point"), face: value(card, "face"), at: value(card, "at_ns") });

// What the collector says of the card as it is now; null where it said nothing.
async function compare(card) {
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
  tell(card, told.result === "no-reading" ? t("visit.result.no-reading", { quality }) : t(`visit.result.${told.result}`, { ...told, quality }), told.result !== "agrees");
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

async function photograph(card, file) {
  photos.set(card, await shrunk(file));
  photographed(card);
}

const photographed = (card) => setText(card.querySelector(".photographed"), t("visit.photo.kept", { kb: Math.ceil(photos.get(card).size / 1000) }));

function wire(card) {
  const unit = () => setText(card.querySelector(".unit"), chosen(card) ? chosen(card).dataset.unit : "");
  field(card, "point").addEventListener("change", unit);
  for (const name of ["point", "face", "at_ns"]) field(card, name).addEventListener("change", () => compare(card));
  // the minute in which somebody begins to write it down
  field(card, "face").addEventListener("input", () => { if (!value(card, "at_ns")) field(card, "at_ns").value = minute(Date.now()); });
  card.querySelector(".now").addEventListener("click", () => { now(card); stale(); });
  const photo = card.querySelector(".photo");
  photo.addEventListener("change", async () => {
    if (!photo.files[0]) return;
    try {
      await photograph(card, photo.files[0]);
      stale();
    } catch (error) {
      say(t("visit.photo.unreadable"), true);
    }
  });
  unit();
}

function now(card) {
  field(card, "at_ns").value = minute(Date.now());
  compare(card);
}

function another() {
  const card = document.getElementById("another").content.firstElementChild.cloneNode(true);
  added += 1;
  for (const node of card.querySelectorAll("[id], [for], [aria-describedby]")) {
    for (const name of ["id", "for", "aria-describedby"]) {
      if (node.hasAttribute(name)) node.setAttribute(name, node.getAttribute(name).replace(/ROW/g, `a${added}`));
    }
  }
  cards.append(card);
  wire(card);
  return card;
}

// -- draft ----------------------------------------------------------------------------------------

const textsOf = (node, names) => Object.fromEntries(names.map((name) => [name, field(node, name).value]));
const SAMPLE = ["is_present", "is_seal_whole", "note"];

function stale() {
  ready = null;
  review.hidden = true;
  const drafted = {
    begun: begun.value, note: note.value,
    cards: all(".meter").map((card) => ({ device: nameOf(card), texts: textsOf(card, FIELDS), photo: photos.get(card) || null })),
    samples: Object.fromEntries(all(".sample").map((node) => [node.dataset.sample, textsOf(node, SAMPLE)])),
  };
  return kept.keepDraft(ID, drafted).catch(() => say(t("visit.draft.full"), true));
}

function fill(node, texts) {
  for (const [name, text] of Object.entries(texts)) field(node, name).value = text;
}

async function restore() {
  const drafted = await kept.draft(ID);
  begun.value = drafted ? drafted.begun : minute(Date.now());
  if (!drafted) return;
  note.value = drafted.note;
  const known = new Map(all(".meter").map((card) => [nameOf(card), card]));
  for (const one of drafted.cards) {
    const card = known.get(one.device) || another();
    fill(card, one.texts);
    field(card, "point").dispatchEvent(new Event("change"));
    if (one.photo) {
      photos.set(card, one.photo);
      photographed(card);
    }
    card.open = card.open || one.texts.face !== "";
  }
  for (const node of all(".sample")) if (drafted.samples[node.dataset.sample]) fill(node, drafted.samples[node.dataset.sample]);
}

// -- the document ---------------------------------------------------------------------------------

async function meterOf(card, files) {
  const row = {};
  for (const name of FIELDS) if (value(card, name)) row[name] = value(card, name);
  row.unit = chosen(card).dataset.unit;
  const photo = photos.get(card);
  if (photo) {
    row.photo = hex(await keys.sha256(await photo.arrayBuffer()));
    if (!files.some((one) => one.told.sha256 === row.photo)) {
      files.push({ blob: photo, told: { name: `${row.point}.jpg`, type: "image/jpeg", size: photo.size, sha256: row.photo } });
    }
  }
  const told = await compare(card);
  if (!told) return row;
  row.result = told.result;
  if (told.quality) row.quality = String(told.quality.code);
  if (told.reading !== null) Object.assign(row, { reading: told.reading, allowed: told.allowed, frame: told.frame, frame_sha256: told.frame_sha256 });
  return row;
}

async function look() {
  say("", false);
  const [key, why] = await keyOf(document.getElementById("key-file"));
  if (!key) return say(why, true);
  const files = [];
  const meters = [];
  for (const card of all(".meter")) if (value(card, "face")) meters.push(await meterOf(card, files));
  if (!meters.length) return say(t("visit.nothing"), true);
  const samples = all(".sample").filter((node) => value(node, "is_present"))
    .map((node) => ({ sample: node.dataset.sample, ...Object.fromEntries(SAMPLE.map((name) => [name, value(node, name)]).filter(([, text]) => text)) }));
  const body = { from_ns: begun.value.trim(), to_ns: minute(Date.now() + MINUTE_MS), meters };
  if (samples.length) body.samples = samples;
  if (note.value.trim()) body.note = note.value.trim();
  const made = await prepare(key, { kind: page.kind, about: page.month, body, follows: [], files: files.map((one) => one.told) });
  ready = { key, made, files: files.map((one) => one.blob) };
  const host = document.getElementById("paper");
  host.textContent = "";
  host.append(shown(made.paper));
  review.hidden = false;
  return review.focus();
}

async function finish() {
  const { key, made, files } = ready;
  ready = null; // pressed twice it is signed once
  review.hidden = true;
  const data = await sealed(key, made);
  const signed = { sha256: hex(await keys.sha256(data)), plant: page.plant, person: page.person, month: page.month, document: data, files };
  await kept.keep(signed); // before it is sent: a link may break at any byte
  await deliver(signed);
}

async function deliver(signed) {
  let row = null;
  try {
    row = await post(signed.document, signed.files);
  } catch (error) {
    say(error instanceof Refused ? t("record.refused", { why: error.message }) : t("visit.away"), true);
    return outbox();
  }
  await kept.dropSigned(signed.sha256);
  await kept.dropDraft(idOf(signed));
  say("", false);
  const done = document.getElementById("done");
  const line = done.querySelector("p");
  line.textContent = "";
  line.append(t("record.done", { index: row.index, sha256: row.sha256 }), " ", h("a", { href: `/${page.language}/plants/${page.plant}/records/${row.sha256}` }, t("record.done.open")));
  done.hidden = false;
  done.focus();
  isDone = idOf(signed) === ID;
  return outbox();
}

// Of a document that the collector refuses: what was written stays as a draft, to be signed anew.
async function discard(signed) {
  await kept.dropSigned(signed.sha256);
  say(t("visit.discarded"), false);
  await outbox();
}

async function outbox() {
  const host = document.getElementById("outbox");
  const list = host.querySelector("ul");
  const waiting = await kept.waiting(page.plant, page.person);
  list.textContent = "";
  for (const signed of waiting) {
    const button = h("button", { type: "button" }, t("visit.send-again"));
    once(button, () => deliver(signed));
    const drop = h("button", { type: "button", class: "small" }, t("visit.discard"));
    once(drop, () => discard(signed));
    list.append(h("li", {}, `${signed.month} · SHA-256 ${signed.sha256} `, button, " ", drop));
  }
  host.hidden = waiting.length === 0;
  // what was signed of this month is sent or discarded before it is written anew
  form.hidden = !isRestored || isDone || waiting.some((signed) => idOf(signed) === ID);
}

// One at a time, and what fails is said.
function once(button, work) {
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await work();
    } catch (error) {
      const fields = Object.entries(error.fields || {}).map(([path, code]) => `${path.split(".").map((part) => (/^[0-9]+$/.test(part) ? Number(part) + 1 : fieldLabel(part))).join(" ")}: ${tOr(`record.wrong.${code}`, "record.raw", { name: code })}`);
      const why = fields.length ? fields.join("; ") : error.message;
      say(error instanceof Refused ? t("record.refused", { why }) : t("visit.away.draft", { why }), true);
    }
    button.disabled = false;
  });
}

form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("input", stale);
once(document.getElementById("look"), look);
once(document.getElementById("sign"), finish);
document.getElementById("back").addEventListener("click", () => { ready = null; review.hidden = true; begun.focus(); });
document.getElementById("add").addEventListener("click", () => field(another(), "point").focus());
all(".meter").forEach(wire);
restore().then(() => { isRestored = true; return outbox(); }).catch((error) => say(t("record.stopped", { why: error.message }), true));
