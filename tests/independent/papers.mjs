// What one document says, and the fields of its kind: RECORDS.md. Pure; no I/O.

import { createPublicKey } from "node:crypto";
import * as cbor from "./cbor.mjs";
import { FormatError, NewerError } from "./cbor.mjs";
import * as cose from "./cose.mjs";

const RECORD = "stackproof-record+cbor";
const [ALG, KID, CWT, TYP] = [1n, 4n, 15n, 16n];
const ID = /^[a-z0-9-]{1,40}$/;
const ABOUT = /^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$/;
const STEERING =
  /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;
const MEDIA = new Set(["application/pdf", "image/jpeg", "image/png", "text/csv",
  "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "application/toml"]);

// -- fields ---------------------------------------------------------------------------------------

const isText = (value) => typeof value === "string";
const long = (value, most) => isText(value) && value !== "" && [...value].length <= most;
const text = (value) => long(value, 200) && !STEERING.test(value);
const note = (value) => long(value, 2000) && !STEERING.test(value.replaceAll("\n", ""));
const id = (value) => isText(value) && ABOUT.test(value);
const number = (value) => isText(value) && /^-?[0-9]{1,30}(\.[0-9]{1,15})?$/.test(value);
const amount = (value) => number(value) && !value.startsWith("-");
const within = (low, high) => (value) => typeof value === "bigint" && value >= low && value <= high;
const instant = within(0n, (1n << 63n) - 1n);
const ordinal = within(1n, (1n << 63n) - 1n);
const count = within(1n, 1_000_000n);
const bytes = (low, high) => (value) =>
  Buffer.isBuffer(value) && value.length >= low && value.length <= high;
const hash = bytes(32, 32);
const key = bytes(1, 200);
const signed = bytes(1, 262_144);
const region = (value) => isText(value) && /^([0-9]{2}|[0-9]{4}|[0-9]{6})?$/.test(value);
const truth = (value) => typeof value === "boolean";
const of = (...words) => (value) => words.includes(value);

function day(value) {
  const parts = isText(value) && /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/.exec(value);
  if (!parts || parts[1] === "0000") return false;
  const date = new Date(0);
  date.setUTCFullYear(Number(parts[1]), Number(parts[2]) - 1, Number(parts[3]));
  return date.toISOString().slice(-24).startsWith(value);
}

function fits(value, required, optional) {
  if (!(value instanceof Map)) return false;
  if (!Object.keys(required).every((name) => value.has(name))) return false;
  const known = new Map(Object.entries({ ...required, ...optional }));
  return [...value].every(([name, field]) => known.get(name)?.(field) ?? false);
}

const rows = (required, optional = {}) => (value) => Array.isArray(value) && value.length >= 1 &&
  value.length <= 1000 && value.every((row) => fits(row, required, optional));

// -- kinds ----------------------------------------------------------------------------------------

export const ROLES = ["operator", "engineer", "accountant", "laboratory", "reviewer", "system",
  "security", "audit"];
const PLANT = ["operator", "engineer", "accountant"];
const PLANT_LAB = [...PLANT, "laboratory"];
const LIST = ["collector", "security"];
export const COSIGNED = "log-cosigned";
const VISIT = "site-visit";
const COMPARED = ["reading", "allowed", "frame", "frame_sha256"];
const ACTIONS = "account-actions";
export const LISTED = "persons-certified";
/** kind -> the one thing that it is about */
const ONLY_ABOUT = new Map([[COSIGNED, "log"], [ACTIONS, "security-log"], [LISTED, "persons"]]);
const LEVELS = ["nation", "province", "city"];
const period = { from_ns: instant, to_ns: instant };
const value = { value: number, unit: text };
const basis = { basis: of("ar", "ad", "d", "daf") };
const more = { note };
const seal = { seal: text, is_seal_whole: truth };

/** kind -> [required, optional, roles that sign, what it follows] */
const KINDS = new Map(Object.entries({
  person: [{ name: text, organisation: text, role: of(...ROLES), region, key }, {}, LIST, "list"],
  "person-end": [{ key: hash, reason: text }, {}, LIST, "list"],
  [LISTED]: [{ by: key, list: signed }, {}, ["collector"], "nothing"],
  "sample-taken": [{ source: id, place: text, taken_ns: instant, mass_kg: amount, seal: text,
    ...period }, { stands_for_t: amount, ...more }, PLANT],
  "sample-prepared": [{ prepared_ns: instant, method: text }, { parts: count, ...more }, PLANT_LAB],
  "sample-composed": [{ source: id, composed_ns: instant, parts: rows({ sample: id, weight: amount }),
    ...period }, more, PLANT_LAB],
  "sample-retained": [{ retained_ns: instant, place: text, seal: text, until: day }, more, PLANT_LAB],
  "sample-sent": [{ sent_ns: instant, laboratory: text, carrier: text }, more, PLANT],
  "sample-received": [{ received_ns: instant, seal: text, is_seal_whole: truth }, more, ["laboratory"]],
  "sample-tested": [{ tested_ns: instant, method: text }, more, ["laboratory"]],
  "sample-result": [{ report: text, report_day: day, laboratory: text,
    values: rows({ name: id, ...value }, basis) }, { accreditation: text, ...more },
  ["laboratory", "accountant"]],
  invoice: [{ number: text, party: text, part: of("purchased", "output"), ...value, ...period }, more,
    ["accountant"]],
  "stock-take": [{ at_ns: instant, method: text, ...value }, more, PLANT],
  count: [{ ...value, ...period }, more, PLANT],
  parameter: [{ name: id, origin: text, ...value, ...period }, { ...basis, ...more },
    ["accountant", "engineer"]],
  "counter-correction": [{ ...value, reason: text, ...period }, more, ["accountant", "engineer"]],
  "meter-event": [{ event: of("maintenance", "calibration", "replacement", "setting", "marked"),
    reason: text, ...period }, more, PLANT],
  "meter-certificate": [{ scope: of("verification", "calibration", "own-check"), issuer: text,
    number: text, day, due: day, fit: truth }, { as_found_percent: number, as_left_percent: number,
    limit_percent: amount, ...more }, ["engineer"]],
  "internal-check": [{ of: id, checked_ns: instant, by: text, method: text, result: text,
    passed: truth }, { as_found_percent: number, as_left_percent: number, ...more }, PLANT],
  ledger: [{ sheet_sha256: hash, pages: count, ...period }, more, PLANT],
  "control-plan": [{ plan_sha256: hash, revision: count }, more, ["engineer"]],
  "month-decision": [{ reason: text, by: text, owed: rows({ what: text, by: text }) }, more,
    ["collector"]],
  "account-actions": [{ number: ordinal, chain: hash,
    events: rows({ what: id, times: ordinal }), ...period }, {}, ["collector"]],
  "review-question": [{ item: text, question: note, answer_by: day }, {}, ["reviewer"], "own"],
  "review-answer": [{ answer: note }, {}, PLANT, "answers"],
  "review-decision": [{ decision: of("approve", "return", "note"), level: of(...LEVELS),
    archive_sha256: hash, statement_sha256: hash, reason: note, openings: of("recorded", "told") },
  { opened: rows({ item: text, first_ns: instant }), opened_more: count,
    not_opened: rows({ item: text }), not_opened_more: count }, ["reviewer"], "own"],
  "log-cosigned": [{ checkpoint: note }, {}, ["reviewer"], "own"],
  "site-visit": [{ ...period, meters: rows({ point: id, at_ns: instant, face: number, unit: text },
    { photo: hash, result: of("agrees", "differs", "no-reading"), reading: number, allowed: amount,
      quality: amount, frame: text, frame_sha256: hash, ...seal, ...more }) },
  { samples: rows({ sample: id, is_present: truth }, { ...seal, ...more }), ...more },
  ["reviewer"], "own"],
  approve: [{}, more, ["accountant", "engineer"], "decides"],
  withdraw: [{ reason: text }, {}, PLANT_LAB, "decides"],
}));

/** What a document of this kind follows: "list", "decides", "own", "answers", "nothing" or "corrects". */
export const followsAs = (kind) => KINDS.get(kind)[3] ?? "corrects";

/** True of what only its signer corrects and nobody ends. */
export const isReview = (kind) => kind.startsWith("review-") || kind === COSIGNED || kind === VISIT;

/** True of what nobody approves or withdraws. */
export const isFinal = (kind) => isReview(kind) || [ACTIONS, LISTED, "month-decision"].includes(kind);

/** True if a decision, if it is one, is of the level of its signer's region. */
export const isOfLevel = ({ kind, body }, digits) =>
  kind !== "review-decision" || body.get("level") === LEVELS[Math.min(digits / 2, 2)];

/** True if this role may sign this kind. */
export const maySign = (kind, role) => KINDS.get(kind)[2].includes(role);

/** Throws unless the document is of its kind. */
export function checkKind({ kind, about, body, follows, files }) {
  const shape = KINDS.get(kind);
  if (shape === undefined) throw new NewerError(`documents of kind ${kind}`);
  if (!fits(body, shape[0], shape[1])) throw new FormatError("its fields are not those of its kind");
  const as = followsAs(kind);
  if (as === "nothing" && follows.length) throw new FormatError("it follows something");
  if (as === "decides" ? follows.length < 1 : follows.length > 1 || (as === "answers" && !follows.length)) {
    throw new FormatError("it follows too few or too many");
  }
  if (body.has("from_ns") && body.get("from_ns") >= body.get("to_ns")) {
    throw new FormatError("its period ends before it begins");
  }
  if ((ONLY_ABOUT.get(kind) ?? about) !== about) throw new FormatError("it is about another thing");
  if (!isReview(kind) || kind === COSIGNED) return;
  if (!/^[0-9]{4}-(0[1-9]|1[0-2])$/.test(about)) throw new FormatError("it is about no month");
  const items = ["opened", "not_opened"].flatMap((name) => body.get(name) ?? []).map((row) => row.get("item"));
  if (new Set(items).size !== items.length) throw new FormatError("it lists an item twice");
  const photos = new Set(files.map(({ sha256 }) => cose.hex(sha256)));
  for (const row of kind === VISIT ? body.get("meters") : []) {
    if (row.has("photo") && !photos.has(cose.hex(row.get("photo")))) throw new FormatError("photo");
    if (!isCompared(row)) throw new FormatError("its result does not follow");
  }
}

/** A number as a text, in units of 10^-15. */
function exact(text) {
  const [whole, part = ""] = text.replace("-", "").split(".");
  const size = BigInt(whole + part.padEnd(15, "0"));
  return text.startsWith("-") ? -size : size;
}

/** True if a meter's result follows from its face, or claims nothing. */
function isCompared(row) {
  const [result, told] = [row.get("result"), COMPARED.filter((name) => row.has(name))];
  if (result !== "agrees" && result !== "differs") return told.length === 0;
  if (told.length !== COMPARED.length) return false;
  const far = exact(row.get("face")) - exact(row.get("reading"));
  return ((far < 0n ? -far : far) <= exact(row.get("allowed"))) === (result === "agrees");
}

// -- lists of certified keys ----------------------------------------------------------------------

const PERSONS_LIST = "stackproof-persons+cbor";
const CERTIFIED = { person: id, name: text, organisation: text, role: id, region, key: hash };

/** {certified, withdrawn} of a list that this key signed, of this plant. */
export function certifiedList(data, by, plant) {
  const object = cose.parse(data);
  cose.verify(object, by);
  if (object.typ !== PERSONS_LIST) throw new FormatError("it is no list of persons");
  cbor.map(object.header, "header", [ALG, KID, TYP]);
  const fields = cbor.map(cose.content(object.payload), "list", ["plant"], ["certified", "withdrawn"]);
  if (fields.get("plant") !== plant) throw new FormatError("the list is of another plant");
  if (fields.size < 2) throw new FormatError("the list names no key");
  for (const [name, row, optional] of [["certified", CERTIFIED, {}],
    ["withdrawn", { key: hash, reason: text }, { through_ns: instant }]]) {
    if (fields.has(name) && !rows(row, optional)(fields.get(name))) throw new FormatError(name);
  }
  const [certified, withdrawn] = [fields.get("certified") ?? [], fields.get("withdrawn") ?? []];
  const keys = [...certified, ...withdrawn].map((row) => row.get("key"));
  if (keys.length > 1000 || !isUnique(keys)) throw new FormatError("too many keys, or one twice");
  return { certified, withdrawn };
}

// -- documents ------------------------------------------------------------------------------------

/** {object, plant, person} of a signed object with the labels of a document; nothing is verified. */
export function envelope(data) {
  const object = cose.parse(data);
  cbor.map(object.header, "header", [ALG, KID, TYP, CWT]);
  const claims = cbor.map(object.header.get(CWT), "claims", [1n, 2n, 6n]);
  const [plant, person] = [claims.get(1n), claims.get(2n)];
  if (!isText(plant) || !ID.test(plant)) throw new FormatError("plant is no id");
  if (!isText(person) || !ID.test(person)) throw new FormatError("person is no id");
  if (!instant(claims.get(6n))) throw new FormatError("time is none");
  return { object, plant, person };
}

/** {kind, about, body, follows, files} of a verified envelope. */
export function opened(object) {
  if (object.typ !== RECORD) throw new NewerError(`typ ${object.typ}`);
  const fields = cose.content(object.payload);
  const version = fields instanceof Map ? fields.get("version") : null;
  if (typeof version !== "bigint") throw new FormatError("it has no version");
  if (version !== 1n) throw new NewerError(`version ${version}`);
  cbor.map(fields, "document", ["version", "kind", "about", "body"], ["follows", "files"]);
  const [kind, about, body] = ["kind", "about", "body"].map((name) => fields.get(name));
  if (!isText(kind) || !/^[a-z][a-z-]{0,39}$/.test(kind)) throw new FormatError("kind");
  if (!id(about)) throw new FormatError("about");
  if (!(body instanceof Map) || ![...body.keys()].every(isText)) throw new FormatError("body");
  const follows = fields.has("follows") ? some(fields.get("follows"), 100) : [];
  if (!follows.every(hash) || !isUnique(follows)) throw new FormatError("follows");
  const files = (fields.has("files") ? some(fields.get("files"), 50) : []).map(file);
  if (!isUnique(files.map(({ sha256 }) => sha256))) throw new FormatError("files");
  return { kind, about, body, follows, files };
}

function some(found, most) {
  if (cbor.list(found, "list").length < 1 || found.length > most) throw new FormatError("list");
  return found;
}

const isUnique = (hashes) => new Set(hashes.map(cose.hex)).size === hashes.length;

function file(row) {
  const [name, type, size, sha256] = cbor.list(row, "file", 4);
  const isNamed = long(name, 120) && !name.includes("/") && !STEERING.test(name);
  const isSized = within(1n, 33_554_432n)(size);
  if (!isNamed || !MEDIA.has(type) || !isSized || !hash(sha256)) throw new FormatError("file");
  return { size: Number(size), sha256 };
}

/** A person's key, in the one form that its suite has. */
export function personKey(der) {
  let found;
  try {
    found = cose.publicKey(createPublicKey({ key: der, format: "der", type: "spki" }));
  } catch (error) {
    throw error instanceof FormatError ? error : new FormatError("it is no key");
  }
  if (found.kind === null) throw new cose.SuiteError("the person's key is of no known suite");
  const length = found.kind === "ed25519" ? 44 : 91; // uncompressed points only
  if (der.length !== length || !found.spki.equals(der)) throw new FormatError("another form");
  return found;
}
