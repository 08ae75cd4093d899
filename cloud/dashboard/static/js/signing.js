// From what was written to what stands in the log: prepare, read again, sign, send.
import { h } from "./dom.js";
import { hex } from "./cbor.js";
import * as keys from "./keys.js";
import * as papers from "./paper.js";
import { embedded, t, tOr } from "./texts.js";

export const page = embedded("page");
const api = `/api/v1/plants/${page.plant}/documents`;

// A refusal of the collector: its sentence, and field -> what is wrong with it.
export class Refused extends Error {
  constructor(sentence, fields) {
    super(sentence);
    this.fields = fields || {};
  }
}

export async function ask(path, body, more) {
  const answer = await fetch(path, { method: "POST", credentials: "same-origin", body, headers: { "X-CSRF-Token": page.csrf, ...more } });
  let said = null;
  try {
    said = await answer.json();
  } catch (error) {
    throw new Refused(t("record.no-answer", { status: answer.status }));
  }
  if (!answer.ok) throw new Refused(typeof said.detail === "string" ? said.detail : JSON.stringify(said.detail), said.fields);
  return said;
}

const askJson = (path, body) => ask(path, JSON.stringify(body), { "Content-Type": "application/json" });

export function base64(data) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(data instanceof Blob ? data : new Blob([data]));
  });
}

const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

// The key to sign with: of the file that was chosen, or this browser's; null, with a word why not.
export async function keyOf(input) {
  const file = input && input.files[0];
  if (!file && !(window.crypto && crypto.subtle)) return [null, t("record.key.insecure")];
  let key = null;
  try {
    key = file ? await keys.fromPem(await text(file)) : await keys.kept(page.plant, page.person);
  } catch (error) {
    return [null, t("record.key.unreadable", { why: error.message })];
  }
  if (!key) return [null, t("record.key.none")];
  return page.keys.includes(keys.idOf(key)) ? [key, ""] : [null, t("record.key.not-enrolled")];
}

export function text(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsText(file);
  });
}

// What is to be signed, read from its bytes and held to what was written.
export async function prepare(key, { kind, about, body, follows, files }) {
  const wanted = { plant: page.plant, person: page.person, kind, about, body, follows, files, key: key.sha256 };
  const made = await askJson(`${api}/prepare`, { person: page.person, key: keys.idOf(key), kind, about, body, written: true, follows, files });
  const message = bytes(made.message);
  const paper = papers.read(message);
  papers.check(paper, wanted, page.zone);
  return { message, paper };
}

// What a paper decides about, by its own bytes: [hash, paper, or null where it cannot be read here].
export async function followed(paper) {
  const found = [];
  for (const sha256 of page.sees ? paper.follows : []) {
    const answer = await fetch(`${api}/${sha256}`, { credentials: "same-origin" });
    if (!answer.ok) throw new Refused(t("record.no-answer", { status: answer.status }));
    const data = new Uint8Array(await answer.arrayBuffer());
    if (hex(await keys.sha256(data)) !== sha256) throw new Error(t("record.followed.other"));
    found.push([sha256, papers.readDocument(data)]);
  }
  return found;
}

// The document's bytes; from here on it can be sent, again and again, and is the same one.
export const sealed = async (key, { message, paper }) => papers.signed(paper, await keys.sign(key, message));

// The collector's row of the document; it is on its disk and in the log.
export async function post(document, blobs) {
  const files = [];
  for (const blob of blobs) files.push(await base64(blob));
  return askJson(api, { document: await base64(document), files });
}

export const send = async (key, made, blobs) => post(await sealed(key, made), blobs);

export const fieldLabel = (name) => tOr(`record.field.${name}`, "record.raw", { name });
const kindLabel = (kind) => tOr(`record.kind.${kind}`, "record.raw", { name: kind });

// As it is signed; words to choose from by their label.
export const valueLabel = (name, value) => (page.chosen.includes(name) ? tOr(`record.choice.${value}`, "record.raw", { name: value }) : value);

function shownValue(name, value) {
  if (!Array.isArray(value)) return valueLabel(name, value);
  return h("ol", {}, ...value.map((row) => h("li", {}, Object.entries(row).map(([key, one]) => `${fieldLabel(key)}: ${valueLabel(key, one)}`).join("; "))));
}

// The fields in the form's order; one that the form does not have comes last, and comes.
function inOrder(body) {
  const place = (name) => (page.order.includes(name) ? page.order.indexOf(name) : page.order.length);
  return Object.entries(body).sort(([one], [other]) => place(one) - place(other));
}

// The clear text of a paper, made from its bytes alone.
export function shown(paper) {
  const line = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));
  const rows = [
    line(t("record.plant"), paper.plant), line(t("record.person"), paper.person), line(t("record.kind"), kindLabel(paper.kind)),
    line(t("record.about"), paper.about),
    ...inOrder(papers.writtenBody(paper.body, page.zone)).map(([name, value]) => line(fieldLabel(name), shownValue(name, value))),
    ...paper.follows.map((sha256) => line(t("record.follows"), sha256)),
    ...paper.files.map((file) => line(t("record.file"), t("record.file.line", file))),
    line(t("record.signed"), `${papers.localText(BigInt(paper.signed) * BigInt(1000000000), page.zone)} (${page.zone})`),
  ];
  return h("dl", { class: "about", translate: "no" }, ...rows);
}
