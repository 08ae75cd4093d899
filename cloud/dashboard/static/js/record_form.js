// The form of one document: fields and files are read, checked by the collector, shown as they will
// be signed, signed here, and sent.
import { h, setText } from "./dom.js";
import { hex } from "./cbor.js";
import * as keys from "./keys.js";
import { Refused, fieldLabel, followed, keyOf, page, prepare, send, shown, text } from "./signing.js";
import { t, tOr } from "./texts.js";

const FILE_BYTES_MAX = 32 * 1024 * 1024;
const FILES_BYTES_MAX = 48 * 1024 * 1024;
const TYPES = {
  pdf: "application/pdf", jpg: "image/jpeg", jpeg: "image/jpeg", png: "image/png", csv: "text/csv", toml: "application/toml",
  xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
};

const form = document.getElementById("form");
const review = document.getElementById("review");
const said = document.getElementById("said");
const fileInput = document.getElementById("files");
const keyInput = document.getElementById("key-file");
let ready = null; // what is shown, and signed if nothing changes

const inputs = () => Array.from(form.querySelectorAll("[data-field]"));

// "value" -> {value: text}; "values.0.unit", by the order of rows -> {values: [{unit: text}]}.
function bodyOf() {
  const body = {};
  for (const input of inputs()) {
    const [list, inner] = input.dataset.field.split(".");
    if (inner === undefined) {
      if (input.value.trim() !== "" || list === "region") body[list] = input.value.trim();
    } else {
      const row = rowOf(input);
      body[list] = body[list] || [];
      body[list][row] = body[list][row] || {};
      if (input.value.trim() !== "") body[list][row][inner] = input.value.trim();
    }
  }
  return body;
}

const rowOf = (input) => Array.from(input.closest(".rows").querySelectorAll(".row")).indexOf(input.closest(".row"));

function pathOf(input) {
  const [list, inner] = input.dataset.field.split(".");
  return inner === undefined ? list : `${list}.${rowOf(input)}.${inner}`;
}

// Each problem beside its field; the first one gets the focus.
function complain(sentence, problems) {
  clear();
  const byPath = new Map(inputs().map((input) => [pathOf(input), input]));
  let first = null;
  const others = [];
  for (const [path, code] of Object.entries(problems)) {
    const input = byPath.get(path);
    const words = tOr(`record.wrong.${code}`, "record.raw", { name: code });
    if (input && input.type !== "hidden") {
      mark(input, words);
      first = first || input;
    } else {
      others.push(`${fieldLabel(path.split(".")[0])}: ${words}`);
    }
  }
  const all = Object.keys(problems).length;
  say(all ? [t("record.problems", { n: all }), ...others].join(" ") : sentence, true);
  (first || said).focus();
}

function mark(input, words) {
  const note = document.getElementById(`e-${input.id}`);
  setText(note, words);
  note.hidden = false;
  input.setAttribute("aria-invalid", "true");
}

function clear() {
  for (const note of form.querySelectorAll(".problem")) note.hidden = true;
  for (const input of form.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
  say("", false);
}

function say(words, isWrong) {
  setText(said, words);
  said.hidden = words === "";
  said.classList.toggle("wrong", isWrong);
}

const refused = (error) => complain(error instanceof Refused ? t("record.refused", { why: error.message }) : t("record.stopped", { why: error.message }), error.fields || {});

async function filesOf() {
  const blobs = fileInput ? Array.from(fileInput.files) : [];
  const told = [];
  if (blobs.reduce((sum, file) => sum + file.size, 0) > FILES_BYTES_MAX) throw new Error(t("record.files.together"));
  for (const file of blobs) {
    const type = TYPES[file.name.split(".").pop().toLowerCase()];
    if (!type) throw new Error(t("record.files.type", { name: file.name }));
    if (file.size === 0 || file.size > FILE_BYTES_MAX) throw new Error(t("record.files.size", { name: file.name }));
    const data = await new Response(file).arrayBuffer();
    told.push({ name: file.name.replace(/[/\\\u0000-\u001f]/g, "_").slice(-120), type, size: file.size, sha256: hex(await keys.sha256(data)) });
  }
  return [told, blobs];
}

async function look() {
  clear();
  const [key, why] = await keyOf(keyInput);
  if (!key) {
    complain(why, {});
    return;
  }
  const about = form.querySelector("#f-about");
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$/.test(about.value.trim())) {
    say(t("record.problems", { n: 1 }), true);
    mark(about, t("record.wrong.name_id"));
    about.focus();
    return;
  }
  const [files, blobs] = await filesOf();
  const made = await prepare(key, { kind: page.kind, about: about.value.trim(), body: bodyOf(), follows: page.follows, files });
  ready = { key, made, blobs };
  const host = document.getElementById("paper");
  host.textContent = "";
  host.append(shown(made.paper), ...(page.decides ? await decided(made.paper) : []));
  review.hidden = false;
  review.focus();
}

// An approval is of what its own bytes say, not of what a page says they do.
async function decided(paper) {
  const found = await followed(paper);
  return [].concat(...found.map(([, other]) => [h("h3", {}, t("record.followed.bytes")), other ? shown(other) : h("p", {}, t("record.followed.packed"))]));
}

function stale() {
  ready = null;
  review.hidden = true;
}

async function finish() {
  const { key, made, blobs } = ready;
  ready = null; // pressed twice it is signed once
  const row = await send(key, made, blobs);
  stale();
  form.hidden = true;
  say("", false);
  const done = document.getElementById("done");
  const link = page.sees ? [" ", h("a", { href: `/${page.language}/plants/${page.plant}/records/${row.sha256}` }, t("record.done.open"))] : [];
  done.querySelector("p").append(t("record.done", { index: row.index, sha256: row.sha256 }), ...link);
  done.hidden = false;
  done.focus();
}

// One at a time, and what fails is said.
function once(button, work) {
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await work();
    } catch (error) {
      stale();
      refused(error);
    }
    button.disabled = false;
  });
}

function rows() {
  for (const list of form.querySelectorAll(".rows")) {
    const add = list.querySelector("button.add");
    if (!add) continue; // rows that the collector filled in
    const model = list.querySelector("template");
    let n = list.querySelectorAll(".row").length;
    add.addEventListener("click", () => {
      const row = model.content.firstElementChild.cloneNode(true);
      for (const node of row.querySelectorAll("[id], [for], [aria-describedby]")) {
        for (const name of ["id", "for", "aria-describedby"]) {
          if (node.hasAttribute(name)) node.setAttribute(name, node.getAttribute(name).replace(/ROW/g, String(n)));
        }
      }
      n += 1;
      list.insertBefore(row, add);
      row.querySelector("input").focus();
      stale();
    });
    list.addEventListener("click", (event) => {
      if (!event.target.classList.contains("drop") || list.querySelectorAll(".row").length < 2) return;
      event.target.closest(".row").remove();
      add.focus();
      stale();
    });
  }
}

// A request to be enrolled fills the form of a person.
function requests() {
  const input = document.getElementById("request-file");
  if (!input) return;
  input.addEventListener("change", async () => {
    try {
      const told = JSON.parse(await text(input.files[0]));
      if (told.plant !== page.plant) throw new Error(t("record.request.plant", { plant: String(told.plant) }));
      for (const node of inputs()) if (typeof told[node.dataset.field] === "string") node.value = told[node.dataset.field];
      form.querySelector("#f-about").value = String(told.person);
      stale();
    } catch (error) {
      complain(t("record.request.unreadable", { why: error.message }), {});
    }
  });
}

form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("input", stale);
once(document.getElementById("look"), look);
once(document.getElementById("sign"), finish);
document.getElementById("back").addEventListener("click", () => { stale(); form.querySelector("[data-field], #f-about").focus(); });
rows();
requests();
form.hidden = false;
