// What a visit keeps on the phone: the draft, photos and all, and signed documents until the
// collector has them. IndexedDB, as photos are large.
const DRAFTS = "drafts";
const OUTBOX = "outbox";

function asked(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function store(name, mode, use) {
  const opening = indexedDB.open("stackproof-visits", 1);
  opening.onupgradeneeded = () => [DRAFTS, OUTBOX].forEach((one) => opening.result.createObjectStore(one));
  const database = await asked(opening);
  try {
    const transaction = database.transaction(name, mode);
    const done = new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
    });
    const found = await asked(use(transaction.objectStore(name)));
    if (mode === "readwrite") await done;
    return found;
  } finally {
    database.close();
  }
}

export const draft = (id) => store(DRAFTS, "readonly", (all) => all.get(id));
export const keepDraft = (id, draftOf) => store(DRAFTS, "readwrite", (all) => all.put(draftOf, id));
export const dropDraft = (id) => store(DRAFTS, "readwrite", (all) => all.delete(id));

// {sha256, plant, person, month, document, files}, by the document's hash.
export const keep = (signed) => store(OUTBOX, "readwrite", (all) => all.put(signed, signed.sha256));
export const dropSigned = (sha256) => store(OUTBOX, "readwrite", (all) => all.delete(sha256));

export async function waiting(plant, person) {
  const all = await store(OUTBOX, "readonly", (one) => one.getAll());
  return all.filter((one) => one.plant === plant && one.person === person);
}
