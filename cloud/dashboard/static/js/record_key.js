// The page of one's own key: what this browser has, making one, and the request to be enrolled.
import { h, setText } from "./dom.js";
import { hex } from "./cbor.js";
import * as keys from "./keys.js";
import { page } from "./signing.js";
import { t } from "./texts.js";

const host = document.getElementById("key");

function download(name, type, data) {
  const link = h("a", { href: URL.createObjectURL(new Blob([data], { type })), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

function button(words, id, work) {
  const node = h("button", { type: "button", id, class: "small" }, words);
  node.addEventListener("click", work);
  return node;
}

const request = (key) => JSON.stringify({
  plant: page.plant, person: page.person, name: page.name, organisation: page.organisation, role: page.role, region: page.region,
  key: hex(key.spki),
}, null, 1);

function show(key) {
  host.textContent = "";
  if (!key) {
    host.append(h("p", {}, t("record.key.no")), button(t("record.key.make"), "make", () => work(() => keys.make(page.plant, page.person))));
    return;
  }
  const state = page.keys.includes(keys.idOf(key)) ? "record.key.is-enrolled" : "record.key.waits";
  const file = `${page.plant}-${page.person}`;
  host.append(
    h("p", { id: "key-state" }, t(state)),
    h("p", { class: "hint" }, "SHA-256 ", h("code", { class: "key", id: "key-hash", translate: "no" }, keys.idOf(key))),
    h("p", { class: "actions" },
      button(t("record.key.request"), "request", () => download(`${file}-request.json`, "application/json", request(key))),
      button(t("record.key.pem"), "pem", () => download(`${file}.pub`, "application/x-pem-file", keys.pem(key.spki)))));
  if (state === "record.key.waits") host.append(button(t("record.key.forget"), "forget", () => work(() => keys.forget(page.plant, page.person))));
}

async function work(first) {
  try {
    if (!(window.crypto && crypto.subtle)) throw new Error(t("record.key.insecure"));
    await first();
    show(await keys.kept(page.plant, page.person));
  } catch (error) {
    host.textContent = "";
    host.append(h("p", { role: "alert" }, t("record.stopped", { why: error.message })));
  }
}

setText(host, "");
work(async () => {});
