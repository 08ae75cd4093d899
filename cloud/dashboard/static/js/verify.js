// Brings an archive to the collector, dropped or chosen; then the page of its result takes over.
import { setText } from "./dom.js";
import { size } from "./format.js";
import { embedded, t } from "./texts.js";

const BYTES_MAX = 8 * 1024 * 1024 * 1024;
const page = embedded("page");
const form = document.getElementById("bring");
const input = document.getElementById("file");
const button = form.querySelector("button");
const sent = document.getElementById("sent");
const said = document.getElementById("said");

function say(words, isWrong) {
  setText(said, words);
  said.hidden = words === "";
  said.classList.toggle("wrong", isWrong);
}

function refusal(request) {
  try {
    return String(JSON.parse(request.responseText).detail);
  } catch (error) {
    return t("verify.not-sent"); // a proxy's own page, or nothing
  }
}

function bring(file) {
  if (file.size > BYTES_MAX) {
    say(t("verify.too-large"), true);
    return;
  }
  const request = new XMLHttpRequest(); // fetch tells no progress of what is sent
  const end = (words) => {
    button.disabled = false;
    sent.hidden = true;
    say(words, true);
  };
  request.upload.addEventListener("progress", (event) => {
    sent.value = event.loaded / file.size;
    say(t("verify.sending", { sent: size(event.loaded), all: size(file.size) }), false);
  });
  request.addEventListener("error", () => end(t("verify.not-sent")));
  request.addEventListener("load", () => {
    if (request.status !== 202) end(refusal(request));
    else window.location.assign(`${page.path}/${JSON.parse(request.responseText).id}`);
  });
  request.open("POST", `/api/v1/verify?name=${encodeURIComponent(file.name.slice(0, 200))}`);
  request.setRequestHeader("Content-Type", "application/x-tar");
  request.setRequestHeader("X-CSRF-Token", page.csrf);
  button.disabled = true;
  sent.hidden = false;
  request.send(file);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (input.files.length) bring(input.files[0]);
  else say(t("verify.no-file"), true);
});
for (const name of ["dragenter", "dragover"]) {
  form.addEventListener(name, (event) => {
    event.preventDefault();
    form.classList.add("over");
  });
}
for (const name of ["dragleave", "drop"]) {
  form.addEventListener(name, () => form.classList.remove("over"));
}
form.addEventListener("drop", (event) => {
  event.preventDefault();
  if (event.dataTransfer.files.length) bring(event.dataTransfer.files[0]);
});
form.hidden = false;
