// A table becomes documents: the collector says what each row would be and what is wrong with which
// cell; nothing is stored until all is right and the person signs each of them.
import { h, setText } from "./dom.js";
import { Refused, ask, fieldLabel, keyOf, page, prepare, send, valueLabel } from "./signing.js";
import { t, tOr } from "./texts.js";

const BYTES_MAX = 4 * 1024 * 1024;
const input = document.getElementById("table");
const keyInput = document.getElementById("key-file");
const said = document.getElementById("said");
const host = document.getElementById("preview");
const sign = document.getElementById("sign");
let drafts = [];

function say(words, isWrong) {
  setText(said, words);
  said.hidden = words === "";
  said.classList.toggle("wrong", isWrong);
}

const wordsOf = (wrong) => tOr(`record.wrong.${wrong.code}`, "record.raw", { name: wrong.code });
const fieldOf = (path) => (path === "about" ? t("record.about") : fieldLabel(path.split(".").pop()));

function mistakes(preview) {
  const place = (wrong) => (wrong.column ? t("record.cell", { sheet: preview.sheet || t("record.table"), cell: `${wrong.column}${wrong.row}` }) : t("record.row", { sheet: preview.sheet || t("record.table"), row: wrong.row }));
  const line = (wrong) => h("tr", {},
    h("td", {}, place(wrong)), h("td", {}, wrong.field ? fieldOf(wrong.field) : ""),
    h("td", { translate: "no" }, wrong.text), h("td", {}, wordsOf(wrong)));
  const head = h("tr", {}, ...["where", "field", "text", "problem"].map((name) => h("th", { scope: "col" }, t(`record.mistakes.${name}`))));
  return h("div", { class: "wide", tabindex: "0", role: "region", "aria-label": t("record.mistakes") },
    h("table", { id: "mistakes" }, h("caption", {}, t("record.mistakes")), h("thead", {}, head), h("tbody", {}, ...preview.wrong.map(line))));
}

function rowsOf(preview) {
  const wrong = new Map(preview.wrong.map((one) => [`${one.row} ${one.field}`, one]));
  const names = preview.columns;
  const cell = (draft, at, name) => {
    const [list, inner] = name.split(".");
    const value = name === "about" ? draft.about : inner ? (draft.body[list] || [])[at] && draft.body[list][at][inner] : draft.body[list];
    const problem = wrong.get(`${draft.rows[at]} ${name}`);
    const shown = value === undefined ? "" : valueLabel(name.split(".").pop(), value);
    return problem ? h("td", { class: "bad" }, problem.text || "—", h("span", { class: "problem" }, wordsOf(problem))) : h("td", {}, shown);
  };
  const line = (draft, at) => h("tr", { id: `row-${draft.rows[at]}` },
    h("th", { scope: "row" }, String(draft.rows[at])), ...names.map((name) => cell(draft, at, name)),
    h("td", { class: "state" }, at === 0 && draft.held !== null ? t("record.held", { index: draft.held }) : ""));
  const lines = [].concat(...preview.drafts.map((draft) => draft.rows.map((_, at) => line(draft, at))));
  const head = h("tr", {}, h("th", { scope: "col" }, t("record.row.number")), ...names.map((name) => h("th", { scope: "col" }, fieldOf(name))), h("th", { scope: "col" }, t("record.state")));
  return h("div", { class: "wide", tabindex: "0", role: "region", "aria-label": t("record.preview") },
    h("table", { id: "drafts" }, h("caption", {}, t("record.preview")), h("thead", {}, head), h("tbody", {}, ...lines)));
}

function offer() {
  const waiting = drafts.filter((draft) => draft.held === null);
  sign.hidden = waiting.length === 0;
  setText(sign, t("record.sign.all", { n: waiting.length }));
}

async function look() {
  host.textContent = "";
  drafts = [];
  offer();
  const file = input.files[0];
  if (!file) return;
  if (file.size > BYTES_MAX) throw new Refused(t("record.table.bytes"));
  const preview = await ask(`/api/v1/plants/${page.plant}/documents/preview?kind=${page.kind}`, file, { "Content-Type": "application/octet-stream" });
  if (preview.refused) {
    say(tOr(`record.table.${preview.refused}`, "record.raw", { name: preview.refused }), true);
    return;
  }
  const unread = preview.unread.length ? ` ${t("record.unread", { names: preview.unread.join(", ") })}` : "";
  if (preview.wrong.length) {
    say(t("record.wrong-cells", { n: preview.wrong.length }) + unread, true);
    host.append(mistakes(preview));
  } else {
    drafts = preview.drafts;
    say(t("record.all-right", { n: drafts.length }) + unread, false);
  }
  if (preview.drafts.length) host.append(rowsOf(preview));
  offer();
  said.focus();
}

// One after the other: what was sent stands, and a second press goes on behind it.
async function signAll() {
  const [key, why] = await keyOf(keyInput);
  if (!key) {
    say(why, true);
    said.focus();
    return;
  }
  let done = 0;
  for (const draft of drafts.filter((one) => one.held === null)) {
    const made = await prepare(key, { kind: page.kind, about: draft.about, body: draft.body, follows: [], files: [] });
    const row = await send(key, made, []);
    draft.held = row.index;
    done += 1;
    setText(document.getElementById(`row-${draft.rows[0]}`).querySelector(".state"), t("record.logged", { index: row.index }));
    say(t("record.progress", { n: done }), false);
  }
  say(t("record.all-done", { n: done }), false);
  offer();
  said.focus();
}

async function guarded(work) {
  say("", false);
  sign.disabled = true;
  try {
    await work();
  } catch (error) {
    say(error instanceof Refused ? t("record.refused", { why: error.message }) : t("record.stopped", { why: error.message }), true);
    offer();
    said.focus();
  }
  sign.disabled = false;
}

input.addEventListener("change", () => guarded(look));
sign.addEventListener("click", () => guarded(signAll));
document.getElementById("import").hidden = false;
