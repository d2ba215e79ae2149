/** What the first bytes of a TLS client say. `more`: not all of it is there yet. */
export type Hello = { readonly says: 'more' } | { readonly says: 'host'; readonly host: string } | { readonly says: 'refused'; readonly reason: 'no_tls' | 'sni' | 'hidden' }

const handshakeRecord = 22
const clientHello = 1
const largestRecord = 16_384
/** With the headings of its records. A larger one is nobody's, and to take one apart again and again would keep everybody else waiting. */
const largestHello = 32_768
const serverName = 0
/** Encrypted ClientHello, and what it was before: they name another host than can be read. */
const hidden = new Set([0xfe0d, 0xffce])

const more: Hello = { says: 'more' }
const noTls: Hello = { says: 'refused', reason: 'no_tls' }
const badName: Hello = { says: 'refused', reason: 'sni' }

/** The one host that a ClientHello names (RFC 8446, 4.1.2; RFC 6066, 3). It may come in several records. */
export function readClientHello(bytes: Buffer): Hello {
  const pieces: Buffer[] = []
  let length = 0
  let size: number | undefined
  for (let at = 0; ; ) {
    if (bytes.length > at && bytes[at] !== handshakeRecord) return noTls
    if (bytes.length > at + 1 && bytes[at + 1] !== 3) return noTls
    if (bytes.length < at + 5) break
    const record = bytes.readUInt16BE(at + 3)
    if (record === 0 || record > largestRecord) return noTls
    const piece = bytes.subarray(at + 5, at + 5 + record)
    if (length === 0 && piece.length > 0 && piece[0] !== clientHello) return noTls
    pieces.push(piece)
    length += piece.length
    if (size === undefined && length >= 4) {
      size = Buffer.concat(pieces).readUIntBE(1, 3)
      if (size > largestHello) return noTls
    }
    if (size !== undefined && length >= 4 + size) return readBody(Buffer.concat(pieces).subarray(4, 4 + size))
    if (piece.length < record) break
    at += 5 + record
  }
  return bytes.length > largestHello ? noTls : more
}

function readBody(body: Buffer): Hello {
  try {
    let at = 2 + 32
    at += 1 + body.readUInt8(at) // session
    at += 2 + body.readUInt16BE(at) // ciphers
    at += 1 + body.readUInt8(at) // compression
    const end = at + 2 + body.readUInt16BE(at)
    at += 2
    if (end !== body.length) return noTls
    let name: string | undefined
    while (at < end) {
      const kind = body.readUInt16BE(at)
      const length = body.readUInt16BE(at + 2)
      const extension = body.subarray(at + 4, at + 4 + length)
      if (extension.length !== length) return noTls
      at += 4 + length
      if (hidden.has(kind)) return { says: 'refused', reason: 'hidden' }
      if (kind !== serverName) continue
      if (name !== undefined) return badName
      name = readName(extension)
      if (name === undefined) return badName
    }
    return name === undefined ? badName : { says: 'host', host: name }
  } catch {
    return noTls // it ends before its own lengths say so
  }
}

/** A list of exactly one name. */
function readName(extension: Buffer): string | undefined {
  if (extension.length < 5 || extension.readUInt16BE(0) !== extension.length - 2 || extension.readUInt8(2) !== 0 || extension.readUInt16BE(3) !== extension.length - 5) return undefined
  return extension.toString('latin1', 5)
}
