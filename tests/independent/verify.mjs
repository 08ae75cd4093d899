// A second verifier of sealed months: Node alone, written from FORMAT.md, FIGURES.md and RECORDS.md.
//
//     node verify.mjs [--trust [PLANT:]SHA256-OF-THE-ROOT-KEY] [--witness SHA256-OF-A-KEY]
//         [--rules FOLDER] [--kept NOTE|RECEIPT]... ARCHIVE...
//
// One line of JSON an archive: {verdict, identity, findings: [{code, where, about}], counts,
// not_checked}. It shares no code with the program, and what it knows of the format it knows from
// the text. What follows a word of another's mouth is in `about` and means nothing.
//
// Exit: 0 when every archive was looked at, whatever the verdicts; 2 when a file of --kept is none
// that can be compared with it; 70 on a defect of this program.

import { Archive, ContainerError } from "./archive.mjs";
import { checkFiles, checkWords, frameFiles } from "./bag.mjs";
import * as closing from "./closing.mjs";
import { Configurations } from "./configurations.mjs";
import { Documents } from "./documents.mjs";
import { Figures } from "./figures.mjs";
import { Identities } from "./identities.mjs";
import * as kept from "./kept.mjs";
import { Log } from "./log.mjs";
import { Named } from "./named.mjs";
import { Stream } from "./streams.mjs";

const NOT_CHECKED = [
  "Time stamp: of seal.tsr neither signature nor authority is looked at.",
  "The meters themselves, and another history written by gateway and collector together.",
];

/** Everything about one archive. `trusted`, `witnesses`: hashes as the options; `published`: a folder;
 *  or null; `held`: what the reviewer kept. */
export function verify(file, trusted, published = null, held = [], witnesses = null) {
  const findings = [];
  const report = (code, where, about = "") => findings.push({ code, where, about });
  const counts = { bytes: 0, files: 0, frames: 0, kept: 0, log_entries: 0, objects: 0, readings: 0,
    signatures: 0 };
  const archive = new Archive(file);
  const identities = new Identities();
  try {
    counts.bytes = archive.bytes;
    archive.open();
    counts.files = archive.files.size;
    look(archive, identities, trusted, published, held, witnesses, counts, report);
  } catch (error) {
    if (error instanceof ContainerError) report("E-CONTAINER", "archive", error.message);
    else throw error;
  } finally {
    archive.close();
  }
  const letters = new Set(findings.map(({ code }) => code[0]));
  const verdict = letters.has("E") ? "failed" : letters.has("C") ? "cannot-decide" : "passed";
  const identity = identities.root === null ? "unknown" : identities.root.key.hash.toString("hex");
  return { verdict, identity, findings, counts, not_checked: NOT_CHECKED };
}

function look(archive, identities, trusted, published, held, witnesses, counts, report) {
  const tagHash = checkFiles(archive, report);
  identities.load(archive, trusted, report);
  const log = new Log();
  log.load(archive, identities, report);
  counts.log_entries = Number(log.size - log.start);
  if (identities.root !== null) log.checkOrders(identities, report);
  const documents = new Documents(archive, identities, log, report, witnesses);
  documents.check();
  const stated = closing.loadStatement(archive, report);
  const files = frameFiles(archive);
  const ids = new Set(files.map(({ stream }) => stream));
  const receipts = closing.loadReceipts(archive, identities, ids, report);
  const configurations = new Configurations(archive, identities, log, report);
  const receiptSeq = new Map([...receipts].map(([id, receipt]) => [id, receipt.seq]));
  const figures = new Figures(archive, stated, published, report);
  const named = new Named();
  const context = { archive, identities, log, configurations, named, stated, receiptSeq, figures,
    counts, report };
  const streams = new Map();
  for (const { stream, hour, path } of files) {
    if (!streams.has(stream)) streams.set(stream, new Stream(stream, context));
    streams.get(stream).file(path, hour);
  }
  const all = [...streams.values()];
  if (!all.some(({ wasBroken }) => wasBroken)) configurations.later(streams);
  for (const stream of all) stream.end();
  checkStrays(archive, streams, report);
  checkWords(archive, identities.plant ?? "", stated, named.closedOn(log), report);
  named.check(identities, report);
  closing.tellStatement(stated, all, archive, documents.standing(), report);
  const isOneStream = closing.checkPeriod(stated, all, figures, report);
  figures.end(isOneStream, named.last, documents.standing());
  closing.checkLogClose(log, identities, stated, all, report);
  closing.checkSeal(archive, identities, log, tagHash, report);
  closing.checkReceipts(receipts, identities, log, all, report);
  closing.checkCloses(archive, identities, log, stated, all, report);
  kept.check(held, identities, log, () => { counts.kept += 1; }, report);
}

/** No receipt or close of a stream without frames. */
function checkStrays(archive, streams, report) {
  for (const path of archive.files.keys()) {
    const parts = /^(?:data\/receipts\/|seal\/close-)([a-z0-9-]{1,40})\.cose$/.exec(path);
    if (parts && !streams.has(parts[1])) report("E-FILE-EXTRA", path);
  }
}

function main(args) {
  let [trusted, published, witnesses] = [null, null, null];
  const [files, held] = [[], []];
  while (args.length) {
    const argument = args.shift();
    if (argument === "--trust") trusted = (trusted ?? new Set()).add(args.shift());
    else if (argument === "--witness") witnesses = (witnesses ?? new Set()).add(args.shift());
    else if (argument === "--rules") published = args.shift();
    else if (argument === "--kept") held.push(args.shift());
    else files.push(argument);
  }
  const compared = kept.load(held);
  for (const file of files) {
    const said = verify(file, trusted, published, compared, witnesses);
    process.stdout.write(`${JSON.stringify(said)}\n`);
  }
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  try {
    main(process.argv.slice(2));
  } catch (error) {
    const isOther = error instanceof kept.NotKeptError;
    process.stderr.write(`${isOther ? error.message : error.stack}\n`);
    process.exitCode = isOther ? 2 : 70;
  }
}
