// The bag: FORMAT.md section 9. Paths, manifests, tag files.

import { hex, sha256 } from "./cose.mjs";
import { FormatError, text } from "./cbor.mjs";

const MANIFEST = "manifest-sha256.txt";
const TAG_MANIFEST = "tagmanifest-sha256.txt";
const TAG_FILES = ["bag-info.txt", "bagit.txt", MANIFEST];
const BAGIT = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";
const LARGE = 64 << 20;
const FILES_MAX = 100_000;
const WORDS_MAX = 4 << 10;

const ID = "[a-z0-9-]{1,40}";
const KNOWN = [
  /^(bagit|bag-info|manifest-sha256|tagmanifest-sha256)\.txt$/,
  new RegExp(`^data/frames/${ID}/\\d{4}-\\d{2}-\\d{2}/\\d{2}\\.seg$`),
  /^data\/config\/[0-9a-f]{64}\.cose$/,
  /^data\/log\/(range\.cbor|entries\.seg|checkpoint)$/,
  /^data\/keys\/(root|collector|collector-[0-9a-f]{16})\.crt$/,
  new RegExp(`^data/keys/gateway-${ID}-[0-9a-f]{16}\\.crt$`),
  /^data\/keys\/order-[0-9a-f]{64}\.cose$/,
  new RegExp(`^data/receipts/${ID}\\.cose$`),
  /^data\/rules\/[a-z0-9.-]+\.toml$/,
  /^data\/spec\/(FORMAT|FIGURES|RECORDS)\.md$/,
  /^data\/records\/([0-9a-f]{64}\.(cose|proof)|files\/[0-9a-f]{64})$/,
  /^data\/statement\.json$/,
  /^seal\/(seal\.cose|seal\.tsr|stamp\.cose)$/,
  new RegExp(`^seal/close-${ID}\\.cose$`),
];

/** Every path named FRAMES: [stream, hour, path], in the order of the archive. */
export function frameFiles(archive) {
  const found = [];
  for (const path of archive.files.keys()) {
    const parts = /^data\/frames\/([a-z0-9-]{1,40})\/(\d{4}-\d{2}-\d{2}\/\d{2})\.seg$/.exec(path);
    if (parts) found.push({ stream: parts[1], hour: parts[2], path });
  }
  return found;
}

function manifest(bytes) {
  const found = new Map();
  const content = text(bytes);
  if (!content.endsWith("\n")) throw new FormatError("it does not end with a newline");
  let before = "";
  const lines = content.slice(0, -1).split("\n");
  if (lines.length > FILES_MAX) throw new FormatError("it has more lines than an archive files");
  for (const line of lines) {
    const parts = /^([0-9a-f]{64}) {2}([\x20-\x7e]+)$/.exec(line);
    if (!parts || parts[2] <= before) throw new FormatError("it is not in its one form");
    before = parts[2];
    found.set(parts[2], parts[1]);
  }
  return found;
}

function readManifest(archive, path, report) {
  const bytes = archive.read(path, LARGE);
  if (bytes === null) {
    report("E-BAG", path, "it is missing");
    return null;
  }
  try {
    return manifest(bytes);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    report("E-BAG", path, error.message);
    return null;
  }
}

function compare(archive, path, wanted, report) {
  if (!archive.has(path)) report("E-FILE-MISSING", path);
  else if (hex(archive.sha256(path)) !== wanted) report("E-FILE-HASH", path);
}

/** Files and manifests; the hash of the tag manifest is what the seal is over. */
export function checkFiles(archive, report) {
  const tags = readManifest(archive, TAG_MANIFEST, report);
  if (tags !== null) {
    if ([...tags.keys()].join("\n") !== TAG_FILES.join("\n")) {
      report("E-BAG", TAG_MANIFEST, "it must list bag-info.txt, bagit.txt and the manifest");
    }
    for (const path of TAG_FILES) {
      if (tags.has(path)) compare(archive, path, tags.get(path), report);
    }
  }
  const listed = readManifest(archive, MANIFEST, report);
  if (listed !== null) {
    for (const [path, wanted] of listed) {
      if (path.startsWith("data/")) compare(archive, path, wanted, report);
      else report("E-BAG", MANIFEST, `${path} is not under data/`);
    }
  }
  for (const path of archive.files.keys()) {
    const isListed = listed?.has(path) ?? archive.has(MANIFEST);
    if (path.startsWith("data/") && !isListed) report("E-FILE-EXTRA", path);
    else if (!KNOWN.some((pattern) => pattern.test(path))) report("E-FILE-EXTRA", path);
  }
  const bytes = archive.read(TAG_MANIFEST, LARGE);
  return bytes === null ? null : sha256(bytes);
}

/** bagit.txt, bag-info.txt and the top folder, against what the statement says. */
export function checkWords(archive, plant, stated, closedOn, report) {
  const isSmall = (path) => archive.files.get(path)?.size < WORDS_MAX;
  const word = (path) => (isSmall(path) ? archive.read(path).toString("latin1") : "");
  if (word("bagit.txt") !== BAGIT) report("E-BAG", "bagit.txt");
  const folder = stated === null ? archive.top : `${plant}-${stated.month}`;
  if (archive.top !== folder) report("E-BAG", "archive", `top folder ${archive.top}`);
  const parts = new RegExp(
    "^Bag-Software-Agent: stackproof\nBagging-Date: (\\d{4}-\\d{2}-\\d{2})\n" +
    "External-Identifier: ([^\n]+) (interim|final)\n(?:Replaces: ([0-9a-f]{64})\n)?" +
    "Payload-Oxum: (\\d+)\\.(\\d+)\n$").exec(word("bag-info.txt"));
  const [octets, count] = payload(archive);
  const isWhole = parts !== null && isDate(parts[1]) && parts[2] === archive.top &&
    Number(parts[5]) === octets && Number(parts[6]) === count && parts[5] === `${octets}` &&
    parts[6] === `${count}`;
  const fits = stated === null || parts === null ||
    (parts[3] === stated.closing && (parts[4] ?? null) === stated.replaces &&
      (closedOn === null || parts[1] === closedOn));
  if (!isWhole || !fits) report("E-BAG", "bag-info.txt");
}

function payload(archive) {
  let [octets, count] = [0, 0];
  for (const [path, { size }] of archive.files) {
    if (path.startsWith("data/")) [octets, count] = [octets + size, count + 1];
  }
  return [octets, count];
}

function isDate(date) {
  const at = new Date(`${date}T00:00:00Z`);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(date);
}
