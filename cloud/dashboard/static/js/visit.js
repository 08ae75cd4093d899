// The on-site sheet: face values with photos, each compared with the log, and samples; one document,
// signed here, kept on the phone until the collector has it.
import { h, setText } from "./dom.js";
import { hex } from "./cbor.js";
import * as keys from "./keys.js";
import { Refused, fieldLabel, keyOf, page, post, prepare, sealed, shown } from "./signing.js";
import { t, tOr } from "./texts.js";
import { MINUTE_MS, blank, chosen, compare, field, minute, now, photographed, photos, value, wire } from "./visit_card.js";
import * as kept from "./visit_store.js";

// a correction is a draft of its own
const FOLLOWS = page.follows[0] || "";
const idOf = ({ plant, month, person, follows }) => `${plant}/${month}/${person}${follows ? `/${follows}` : ""}`;
const ID = idOf({ ...page, follows: FOLLOWS });
const FIELDS = ["point", "face", "at_ns", "seal", "is_seal_whole", "note"];

const form = document.getElementById("form");
const cards = document.getElementById("cards");
const review = document.getElementById("review");
const said = document.getElementById("said");
const begun = document.getElementById("begun");
const note = document.getElementById("note");
let ready = null;
let isRestored = false;
let isDone = false;

const all = (selector) => Array.from(form.querySelectorAll(selector));
const nameOf = (card) => (card.dataset.device ? `${card.dataset.gateway}/${card.dataset.device}` : "");

function say(words, isWrong) {
  setText(said, words);
  said.hidden = words === "";
  said.classList.toggle("wrong", isWrong);
  if (words) said.focus();
}

function another() {
  const card = blank();
  cards.append(card);
  wire(card, stale, say);
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
  if (!drafted && page.corrected) return recall(page.corrected);
  begun.value = drafted ? drafted.begun : minute(now());
  if (!drafted) return null;
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
  return null;
}

// What a visit said that is corrected: each face on its meter's card, with its photo.
async function recall(visit) {
  begun.value = visit.from_ns;
  note.value = visit.note || "";
  for (const row of visit.meters) {
    const card = all(".meter").find((one) => !value(one, "face") && place(one, row) >= 0) || another();
    field(card, "point").selectedIndex = place(card, row);
    fill(card, Object.fromEntries(FIELDS.filter((name) => name !== "point").map((name) => [name, row[name] || ""])));
    field(card, "point").dispatchEvent(new Event("change"));
    if (row.photo) {
      const answer = await fetch(`/api/v1/plants/${page.plant}/files/${row.photo}`, { credentials: "same-origin" });
      if (!answer.ok) throw new Error(t("record.no-answer", { status: answer.status }));
      photos.set(card, await answer.blob());
      photographed(card);
    }
    card.open = true;
  }
  for (const row of visit.samples || []) {
    const node = all(".sample").find((one) => one.dataset.sample === row.sample);
    if (node) fill(node, Object.fromEntries(SAMPLE.map((name) => [name, row[name] || ""])));
  }
}

// Where a card has the register of a face; of two gateways' the one whose frame it was held against.
function place(card, row) {
  const gateway = (row.frame || "").split("/")[0];
  return Array.from(field(card, "point").options).findIndex((one) => one.value === row.point && (!gateway || one.dataset.gateway === gateway));
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
      files.push({ blob: photo, told: { name: `${row.point}.${photo.type === "image/png" ? "png" : "jpg"}`, type: photo.type, size: photo.size, sha256: row.photo } });
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
  const body = { from_ns: begun.value.trim(), to_ns: minute(now() + MINUTE_MS), meters };
  if (samples.length) body.samples = samples;
  if (note.value.trim()) body.note = note.value.trim();
  const made = await prepare(key, { kind: page.kind, about: page.month, body, follows: page.follows, files: files.map((one) => one.told) });
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
  const signed = { sha256: hex(await keys.sha256(data)), plant: page.plant, person: page.person, month: page.month, follows: FOLLOWS, document: data, files };
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
all(".meter").forEach((card) => wire(card, stale, say));
restore().then(() => { isRestored = true; return outbox(); }).catch((error) => say(t("record.stopped", { why: error.message }), true));
