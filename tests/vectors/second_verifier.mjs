// A second verifier, written from evidence/FORMAT.md alone: plain Node, no packages, none of our code.
// Usage: node second_verifier.mjs ROOT_KEY_HASH ARCHIVE...   → one line of JSON an archive:
// {"errors": [what is wrong], "frames": [{"seq", "groups": [[dtype, rows, hex of decoded numbers, runs]]}]}
// It does steps 1 to 5 and 7 of the format; it does not calculate figures (step 6). Payloads must be
// uncompressed or zlib, because this Node has no Zstandard.

import { createHash, createPublicKey, verify as verifySignature, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { crc32ieee } from './crc32.mjs'
import { inflateSync } from 'node:zlib'

const sha256 = (...parts) => { const h = createHash('sha256'); parts.forEach((p) => h.update(p)); return h.digest() }
const same = (a, b) => Buffer.isBuffer(a) && Buffer.isBuffer(b) && a.equals(b)
const check = (ok, what) => { if (!ok) throw new Error(what) }

// -- §1 CBOR: integers as BigInt, maps as Map; encodes again and compares --------------------------

function cborRead (data, at, depth) {
  check(depth <= 13 && at < data.length, 'cbor cut or deep')
  const first = data[at++], major = first >> 5, info = first & 31
  let argument = BigInt(info)
  if (info >= 24) {
    check(info <= 27 && major !== 7, 'cbor form')
    const size = 1 << (info - 24)
    check(at + size <= data.length, 'cbor cut')
    argument = BigInt('0x' + data.subarray(at, at + size).toString('hex'))
    at += size
  }
  if (major === 0) return [argument, at]
  if (major === 1) return [-1n - argument, at]
  if (major === 2 || major === 3) {
    const end = at + Number(argument)
    check(end <= data.length, 'cbor cut')
    const bytes = data.subarray(at, end)
    return [major === 2 ? bytes : new TextDecoder('utf-8', { fatal: true }).decode(bytes), end]
  }
  if (major === 4 || major === 5) {
    check(argument <= BigInt(data.length), 'cbor cut')
    const items = []
    for (let i = 0n; i < argument * (major === 5 ? 2n : 1n); i++) {
      let item
      [item, at] = cborRead(data, at, depth + 1)
      items.push(item)
    }
    if (major === 4) return [items, at]
    const map = new Map()
    for (let i = 0; i < items.length; i += 2) map.set(items[i], items[i + 1])
    check(map.size * 2 === items.length, 'cbor key twice')
    return [map, at]
  }
  check(major === 7 && info >= 20 && info <= 22, 'cbor type')
  return [[false, true, null][info - 20], at]
}

function cborHead (major, n) {
  for (const [info, size] of [[24, 1], [25, 2], [26, 4], [27, 8]]) {
    if (n < 24n) return Buffer.from([major << 5 | Number(n)])
    if (n < 1n << BigInt(8 * size)) {
      return Buffer.concat([Buffer.from([major << 5 | info]), Buffer.from(n.toString(16).padStart(2 * size, '0'), 'hex')])
    }
  }
  throw new Error('cbor integer')
}

function cborWrite (value) {
  if (typeof value === 'bigint') return value >= 0n ? cborHead(0, value) : cborHead(1, -1n - value)
  if (Buffer.isBuffer(value)) return Buffer.concat([cborHead(2, BigInt(value.length)), value])
  if (typeof value === 'string') return Buffer.concat([cborHead(3, BigInt(Buffer.byteLength(value))), Buffer.from(value)])
  if (Array.isArray(value)) return Buffer.concat([cborHead(4, BigInt(value.length)), ...value.map(cborWrite)])
  if (value instanceof Map) {
    const pairs = [...value].map(([k, v]) => [cborWrite(k), cborWrite(v)]).sort((a, b) => Buffer.compare(a[0], b[0]))
    return Buffer.concat([cborHead(5, BigInt(pairs.length)), ...pairs.flat()])
  }
  return Buffer.from([{ false: 0xf4, true: 0xf5, null: 0xf6 }[String(value)]])
}

function cbor (data) {
  const [value, end] = cborRead(data, 0, 0)
  check(end === data.length && cborWrite(value).equals(data), 'cbor not deterministic')
  return value
}

// -- §2 signed objects ----------------------------------------------------------------------------

function signedObject (data) {
  check(data[0] === 0xd2 && data.length <= 1 << 20, 'no COSE_Sign1')
  const [protectedBytes, unprotected, payload, signature] = cbor(data.subarray(1))
  check(unprotected instanceof Map && unprotected.size === 0, 'unprotected not empty')
  const header = cbor(protectedBytes)
  return { header, payload, signature, protectedBytes, kid: header.get(4n), typ: header.get(16n) }
}

function checkSignature (object, key) {
  const message = cborWrite(['Signature1', object.protectedBytes, Buffer.alloc(0), object.payload])
  check(same(object.kid, key.hash.subarray(0, 8)), 'another key')
  const ed = key.kind === 'ed25519'
  check((ed ? [-19n, -8n] : [-9n, -7n]).includes(object.header.get(1n)), 'alg does not fit')
  check(object.signature.length === 64, 'signature length')
  const options = ed ? key.key : { key: key.key, dsaEncoding: 'ieee-p1363' }
  check(verifySignature(ed ? null : 'sha256', message, options, object.signature), 'signature')
}

function unpackPayload (payload) {
  if (payload[0] === 0) return payload.subarray(1)
  check(payload[0] === 2, `compression ${payload[0]} not in this verifier`)
  return inflateSync(payload.subarray(1), { maxOutputLength: 4 << 20 })
}

// -- §4 blocks ------------------------------------------------------------------------------------

const SIZES = { 64: 1, 69: 2, 70: 4, 71: 8, 72: 1, 77: 2, 78: 4, 79: 8, 85: 4, 86: 8 }

function block (data, dtype, filter, rows, ticks) {
  const size = SIZES[dtype], bits = BigInt(8 * size), mask = (1n << bits) - 1n, count = rows * ticks
  check(data.length === count * size, 'block length')
  if (filter === 0n) return data.toString('hex')
  const out = Buffer.alloc(count * size)
  for (let row = 0; row < rows; row++) {
    let word = 0n
    for (let tick = 0; tick < ticks; tick++) {
      const at = row * ticks + tick
      let step = 0n
      for (let plane = 0; plane < size; plane++) step |= BigInt(data[plane * count + at]) << BigInt(8 * plane)
      if (filter === 1n) word = (word + ((step >> 1n) ^ (step & 1n ? mask : 0n))) & mask
      else word ^= step
      for (let plane = 0; plane < size; plane++) out[at * size + plane] = Number((word >> BigInt(8 * plane)) & 255n)
    }
  }
  return out.toString('hex')
}

function frameGroups (payload) {
  const body = cbor(unpackPayload(payload))
  check(body.get(1n) === 1n, 'frame version')
  return body.get(5n).flatMap((section) => section[4].map((group) =>
    [Number(group[1]), Number(group[3]), block(group[4], group[1], group[2], Number(group[3]), Number(section[3])), group[5].map(Number)]))
}

// -- §9 files -------------------------------------------------------------------------------------

function ustarHeader (name, size) {
  let prefix = '', short = name
  if (name.length > 100) {
    const cut = name.lastIndexOf('/', 155)
    ;[prefix, short] = [name.slice(0, cut), name.slice(cut + 1)]
  }
  const block = Buffer.alloc(512)
  const put = (text, at) => block.write(text, at, 'latin1')
  const octal = (n, digits) => n.toString(8).padStart(digits, '0')
  put(short, 0); put('0000644', 100); put('0000000', 108); put('0000000', 116)
  put(octal(size, 11), 124); put('00000000000', 136); put('        ', 148); put('0', 156)
  put('ustar\x0000', 257); put('0000000', 329); put('0000000', 337); put(prefix, 345)
  put(octal(block.reduce((a, b) => a + b), 6) + '\0 ', 148)
  return block
}

function container (data) {
  const files = new Map(), zeros = Buffer.alloc(1024)
  let at = 0, before = ''
  while (!data.subarray(at, at + 512).equals(zeros.subarray(0, 512))) {
    check(at + 512 <= data.length, 'container cut')
    const field = (from, to) => data.subarray(at + from, at + to).toString('latin1').replace(/\0+$/, '')
    const prefix = field(345, 500), name = (prefix ? prefix + '/' : '') + field(0, 100)
    const size = parseInt(field(124, 135), 8)
    check(/^[\x01-\x7f]+$/.test(name) && Number.isInteger(size) && size >= 0, 'container header')
    check(!name.split('/').some((part) => ['', '.', '..'].includes(part)), 'container path')
    check(ustarHeader(name, size).equals(data.subarray(at, at + 512)) && name > before, 'container header')
    const start = at + 512, end = start + size, next = start + Math.ceil(size / 512) * 512
    check(next <= data.length && data.subarray(end, next).every((byte) => byte === 0), 'container padding')
    files.set(name, data.subarray(start, end))
    ;[at, before] = [next, name]
  }
  check(data.subarray(at).equals(zeros), 'container end')
  const tops = new Set([...files.keys()].map((name) => name.split('/')[0]))
  check(tops.size === 1, 'container top')
  const [top] = tops
  return [top, new Map([...files].map(([name, bytes]) => [name.slice(top.length + 1), bytes]))]
}

function manifest (files, path) {
  const lines = [...(files.get(path) ?? '').toString('latin1').matchAll(/([0-9a-f]{64}) {2}([^\n]+)\n/gy)]
  check(lines.map((line) => line[0]).join('') === files.get(path)?.toString('latin1'), `${path} form`)
  const listed = lines.map((line) => line[2])
  check(listed.every((name, i) => i === 0 || listed[i - 1] < name), `${path} order`)
  for (const [, hash, name] of lines) check(files.has(name) && sha256(files.get(name)).toString('hex') === hash, `${name} hash`)
  return listed
}

function records (data) {
  const found = []
  for (let at = 0; at < data.length;) {
    check(data.length - at >= 12 && data.subarray(at, at + 4).toString() === 'SPR1', 'record')
    const length = data.readUInt32LE(at + 4), bytes = data.subarray(at + 12, at + 12 + length)
    check(length > 0 && length <= 1 << 20 && bytes.length === length && crc32ieee(bytes) === data.readUInt32LE(at + 8), 'record')
    found.push(bytes)
    at += 12 + length
  }
  return found
}

function certified (pem, role, plant, name, root) {
  const certificate = new X509Certificate(pem)
  const [, isRole, isPlant, isName] = certificate.subjectAltName.match(/^URI:urn:stackproof:([^:]+):([^:]+):([^:]+)$/) ?? []
  check(isRole === role && (plant === null || isPlant === plant) && (name === null || isName === name), `${role} identity`)
  check(certificate.verify((root ?? certificate).publicKey) && certificate.checkIssued(root ?? certificate), `${role} not issued`)
  check((root ?? certificate).ca, 'root is no CA')
  const der = certificate.publicKey.export({ type: 'spki', format: 'der' })
  return { certificate, publicKey: certificate.publicKey, ca: certificate.ca, key: createPublicKey(certificate.publicKey.export({ type: 'spki', format: 'pem' })), hash: sha256(der), kind: certificate.publicKey.asymmetricKeyType, plant: isPlant }
}

// -- §7 log ---------------------------------------------------------------------------------------

class Tree {
  constructor (size, hashes) { this.size = size; this.hashes = [...hashes] }
  append (leaf) {
    for (let size = this.size; size & 1; size >>= 1) leaf = sha256(Buffer.of(1), this.hashes.pop(), leaf)
    this.hashes.push(leaf)
    this.size++
  }

  root () { return this.hashes.length ? this.hashes.reduceRight((right, left) => sha256(Buffer.of(1), left, right)) : sha256('') }
}

function readLog (files, plant, collector) {
  const [size, hashes] = cbor(files.get('data/log/range.cbor'))
  const tree = new Tree(Number(size), hashes), roots = new Map([[tree.size, tree.root()]]), accepted = new Map()
  check(hashes.length === size.toString(2).replaceAll('0', '').length, 'range')
  let received = 0n, last
  for (const data of records(files.get('data/log/entries.seg'))) {
    const entry = cbor(data)
    check(entry.length === 12 && entry[0] === 1n && entry[2] >= received, 'entry')
    received = entry[2]
    if ([1n, 2n, 12n, 13n].includes(entry[1]) && entry[9] === 'accepted') {
      const key = `${entry[4]}/${entry[5]}`
      check(!accepted.has(key), 'accepted twice')
      accepted.set(key, { index: tree.size, sha256: entry[6], key: entry[8] })
    }
    tree.append(sha256(Buffer.of(0), data))
    roots.set(tree.size, tree.root())
    last = entry
  }
  const text = files.get('data/log/checkpoint').toString('utf8'), name = `stackproof/${plant}`
  const body = `${name}\n${tree.size}\n${tree.root().toString('base64')}\n`
  check(text.startsWith(body + '\n'), 'checkpoint does not fit the entries')
  const spki = collector.key.export({ type: 'spki', format: 'der' }), ed = collector.kind === 'ed25519'
  const id = sha256(name, '\n', ed ? Buffer.of(1) : Buffer.from('\xffESP256', 'latin1'), ed ? spki.subarray(-32) : spki).subarray(0, 4)
  const lines = text.slice(body.length + 1).split('\n')
  check(lines.pop() === '', 'checkpoint end')
  const good = lines.map((line) => line.match(/^— (\S+) (\S+)$/)).filter((m) => m?.[1] === name)
    .map((m) => Buffer.from(m[2], 'base64')).filter((blob) => blob.subarray(0, 4).equals(id))
  const options = ed ? collector.key : { key: collector.key, dsaEncoding: 'ieee-p1363' }
  check(good.some((blob) => verifySignature(ed ? null : 'sha256', Buffer.from(body), options, blob.subarray(4))), 'checkpoint signature')
  check(last[1] === 11n, 'log does not end with a month-close')
  return { roots, accepted, close: last, size: tree.size, root: tree.root() }
}

// -- §10 verifying --------------------------------------------------------------------------------

function readStream (files, stream, plant, gateways, log, frames) {
  let next = null, prev = null, first = null
  const paths = [...files.keys()].filter((path) => path.startsWith(`data/frames/${stream}/`))
  for (const data of paths.flatMap((path) => records(files.get(path)))) {
    const object = signedObject(data), { header } = object, claims = header.get(15n), seq = header.get(-65537n)
    check(claims.get(1n) === plant && claims.get(2n) === stream, 'of another place')
    const key = gateways.find((g) => g.name === stream && same(object.kid, g.hash.subarray(0, 8)))
    check(key, 'unknown key')
    checkSignature(object, key)
    first ??= seq
    check(next === null ? seq > 0n || header.get(-65538n).every((b) => b === 0) : seq === next && same(header.get(-65538n), prev), 'chain')
    ;[next, prev] = [seq + 1n, sha256(data)]
    const logged = log.accepted.get(`${stream}/${seq}`)
    check(logged && same(logged.sha256, prev) && same(logged.key, key.hash), 'not accepted by the log')
    const anchor = header.get(-65539n)
    if (anchor) {
      check(anchor[0] <= BigInt(logged.index), 'anchor from the future')
      const known = log.roots.get(Number(anchor[0]))
      check(!known || same(known, anchor[1]), 'anchor of another log')
    }
    if (object.typ !== 'stackproof-frame+cbor') continue
    const cfg = files.get(`data/config/${header.get(-65540n).toString('hex')}.cose`)
    check(cfg && same(sha256(cfg), header.get(-65540n)), 'configuration')
    checkSignature(signedObject(cfg), key)
    frames.push({ seq: Number(seq), groups: frameGroups(object.payload) })
  }
  const span = log.close[11].get('streams').get(stream)
  check(span[0] === first && span[1] === next - 1n && same(span[2], prev), 'not what the log closed')
  return { seq: next - 1n, head: prev }
}

const PAYLOAD = /^data\/(frames\/[a-z0-9-]{1,40}\/\d{4}-\d{2}-\d{2}\/\d{2}\.seg|config\/[0-9a-f]{64}\.cose|log\/(range\.cbor|entries\.seg|checkpoint)|keys\/(root|collector|gateway-[a-z0-9-]{1,40}-[0-9a-f]{16})\.crt|receipts\/[a-z0-9-]{1,40}\.cose|rules\/[a-z0-9.-]+\.toml|spec\/FORMAT\.md|statement\.json)$/

function verifyArchive (data, trusted) {
  const frames = []
  const [top, files] = container(data)
  const payload = manifest(files, 'manifest-sha256.txt'), tags = manifest(files, 'tagmanifest-sha256.txt')
  check(tags.join() === 'bag-info.txt,bagit.txt,manifest-sha256.txt' && payload.every((p) => p.startsWith('data/')), 'manifests')
  const listed = new Set([...payload, ...tags, 'tagmanifest-sha256.txt', 'seal/seal.cose'])
  for (const path of files.keys()) check(listed.has(path) || /^seal\/close-[a-z0-9-]+\.cose$/.test(path), `${path} unknown`)
  for (const path of payload) check(PAYLOAD.test(path), `${path} is no file of the format`)
  const root = certified(files.get('data/keys/root.crt'), 'root', null, null, null)
  check(root.hash.toString('hex') === trusted, 'root not trusted')
  const collector = certified(files.get('data/keys/collector.crt'), 'collector', root.plant, null, root.certificate)
  const gateways = payload.map((path) => path.match(/^data\/keys\/gateway-(.+)-([0-9a-f]{16})\.crt$/)).filter(Boolean)
    .map((m) => ({ name: m[1], kid: m[2], ...certified(files.get(m[0]), 'gateway', root.plant, m[1], root.certificate) }))
  check(gateways.every((g) => g.hash.toString('hex').startsWith(g.kid)), 'certificate under another name')
  const log = readLog(files, root.plant, collector)
  const statement = files.get('data/statement.json'), given = JSON.parse(statement).input
  const seal = signedObject(files.get('seal/seal.cose'))
  checkSignature(seal, collector)
  check(seal.typ === 'stackproof-seal+cose' && seal.header.get(258n) === -16n && seal.header.get(259n) === 'text/plain' && seal.header.size === 5, 'no seal')
  check(same(seal.payload, sha256(files.get('tagmanifest-sha256.txt'))), 'seal of another bag')
  check(same(log.close[6], sha256(statement)) && log.close[11].get('month') === given.month && log.close[11].get('closing') === given.closing, 'log closed something else')
  check(top === `${root.plant}-${given.month}`, 'top folder')
  const streams = new Set([...files.keys()].map((p) => p.match(/^data\/frames\/([^/]+)\//)?.[1]).filter(Boolean))
  check([...log.close[11].get('streams').keys()].sort().join() === [...streams].sort().join(), 'streams')
  for (const path of files.keys()) {
    const of = path.match(/^(?:seal\/close-|data\/receipts\/)(.+)\.cose$/)
    check(!of || streams.has(of[1]), `${path} of nobody here`)
  }
  for (const stream of streams) {
    const end = readStream(files, stream, root.plant, gateways, log, frames), close = files.get(`seal/close-${stream}.cose`)
    if (!close) continue
    const object = signedObject(close), key = gateways.find((g) => g.name === stream && same(object.kid, g.hash.subarray(0, 8)))
    check(key && object.typ === 'stackproof-close+cbor', 'close of another')
    checkSignature(object, key)
    const wanted = new Map(Object.entries({ plant: root.plant, stream, month: given.month, closing: given.closing, statement_sha256: sha256(statement), ...end, log_size: BigInt(log.size), log_root: log.root }))
    check(cborWrite(wanted).equals(unpackPayload(object.payload)), 'close of something else')
  }
  return frames
}

const [trusted, ...archives] = process.argv.slice(2)
for (const path of archives) {
  let answer
  try {
    answer = { errors: [], frames: verifyArchive(readFileSync(path), trusted) }
  } catch (error) {
    answer = { errors: [error.message], frames: [] }
  }
  console.log(JSON.stringify(answer))
}
