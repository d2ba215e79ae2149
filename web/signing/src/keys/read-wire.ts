import { fromBase64, type Bytes } from './bytes.ts'

/** Of a mail that Castellan composed, which has few forms: see what the bytes say, and not what somebody says about them. */
export interface Wire {
  readonly headers: readonly { readonly name: string; readonly value: string }[]
  /** The text part, decoded, with LF line ends. */
  readonly text: string
}

/** Reads Castellan's own bytes only, never a stranger's. */
export function readWire(bytes: Bytes): Wire {
  const [head, body] = split(latin1(bytes))
  const headers = readHead(head)
  const type = valueOf(headers, 'content-type')
  const boundary = /^multipart\/[^;]*;.*boundary="([^"]+)"/i.exec(type)?.[1]
  if (boundary === undefined) return { headers, text: decode(valueOf(headers, 'content-transfer-encoding'), body) }
  const start = body.indexOf(`--${boundary}\r\n`) + boundary.length + 4
  const [partHead, part] = split(body.slice(start, body.indexOf(`\r\n--${boundary}`, start)))
  return { headers, text: decode(valueOf(readHead(partHead), 'content-transfer-encoding'), part) }
}

function split(text: string): [string, string] {
  const end = text.indexOf('\r\n\r\n')
  return end < 0 ? [text, ''] : [text.slice(0, end), text.slice(end + 4)]
}

function readHead(head: string): { name: string; value: string }[] {
  return head.replace(/\r\n[ \t]+/g, ' ').split('\r\n').filter((line) => line.includes(':')).map((line) => {
    const colon = line.indexOf(':')
    return { name: line.slice(0, colon), value: line.slice(colon + 1).trim() }
  })
}

function valueOf(headers: Wire['headers'], name: string): string {
  return headers.find((header) => header.name.toLowerCase() === name)?.value ?? ''
}

function decode(encoding: string, body: string): string {
  const kind = encoding.toLowerCase()
  const bytes =
    kind === 'base64' ? fromBase64(body.replace(/\s+/g, ''))
    : kind === 'quoted-printable' ? binary(body.replace(/=\r\n/g, '').replace(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))))
    : binary(body)
  // a leading byte order mark is an invisible character like any other, and has to be seen
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes).replaceAll('\r\n', '\n')
}

/** One character a byte: TextDecoder's latin1 is windows-1252, which is not that. */
function latin1(bytes: Bytes): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192))
  return text
}

function binary(text: string): Bytes {
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}
