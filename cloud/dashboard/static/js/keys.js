// A person's own key: made here and never readable again, or read from a file each time. P-256, as
// browsers of 2020 know no Ed25519. What leaves the browser is the public half and signatures.
import { hex } from "./cbor.js";

const P256 = { name: "ECDSA", namedCurve: "P-256" };
const STORE = "keys";

export const sha256 = async (data) => new Uint8Array(await crypto.subtle.digest("SHA-256", data));
const spkiOf = async (key) => new Uint8Array(await crypto.subtle.exportKey("spki", key));

function asked(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function store(mode, use) {
  const opening = indexedDB.open("stackproof", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
  const database = await asked(opening);
  try {
    return await asked(use(database.transaction(STORE, mode).objectStore(STORE)));
  } finally {
    database.close();
  }
}

const named = (plant, person) => `${plant}/${person}`;

// {spki, sha256, privateKey} of the key in this browser, or null.
export async function kept(plant, person) {
  return (await store("readonly", (keys) => keys.get(named(plant, person)))) || null;
}

export async function make(plant, person) {
  const pair = await crypto.subtle.generateKey(P256, false, ["sign", "verify"]);
  const spki = await spkiOf(pair.publicKey);
  const made = { spki, sha256: await sha256(spki), privateKey: pair.privateKey };
  await store("readwrite", (keys) => keys.add(made, named(plant, person))); // never over another
  return made;
}

export const forget = (plant, person) => store("readwrite", (keys) => keys.delete(named(plant, person)));

// The key of a PKCS#8 PEM file; throws when it is none of P-256.
export async function fromPem(text) {
  const found = /-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END PRIVATE KEY-----/.exec(text);
  if (!found) throw new Error("no PKCS#8 private key in PEM");
  const der = Uint8Array.from(atob(found[1].replace(/\s/g, "")), (letter) => letter.charCodeAt(0));
  const readable = await crypto.subtle.importKey("pkcs8", der, P256, true, ["sign"]);
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", readable);
  const publicKey = await crypto.subtle.importKey("jwk", { kty, crv, x, y }, P256, true, ["verify"]);
  const spki = await spkiOf(publicKey);
  const privateKey = await crypto.subtle.importKey("pkcs8", der, P256, false, ["sign"]);
  return { spki, sha256: await sha256(spki), privateKey };
}

// r and s, 32 bytes each, as COSE has them.
export async function sign(key, message) {
  return new Uint8Array(await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, key.privateKey, message));
}

export function pem(spki) {
  const lines = btoa(String.fromCharCode(...spki)).match(/.{1,64}/g);
  return `-----BEGIN PUBLIC KEY-----\n${lines.join("\n")}\n-----END PUBLIC KEY-----\n`;
}

export const idOf = (key) => hex(key.sha256);
