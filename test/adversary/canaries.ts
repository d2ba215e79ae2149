import { randomInt } from 'node:crypto'
import { inflateRawSync, inflateSync } from 'node:zlib'

/** A word that nobody says by chance, of that level; each half of it is one too, so that it cannot be carried out in two. */
export interface Canary {
  readonly level: 2 | 3
  readonly word: string
  readonly halves: readonly [string, string]
}

export function hatch(level: 2 | 3): Canary {
  const half = () => Array.from({ length: 12 }, () => String.fromCharCode(97 + randomInt(26))).join('')
  const halves = [half(), half()] as const
  return { level, word: halves.join(''), halves }
}

/** The forms that are compared as they are; what is packed or encoded is unpacked by `unfold` first. */
const formsOf = (word: string): [string, string][] => {
  const bytes = Buffer.from(word)
  // in the middle of other base64 a word stands at one of three places
  const base64 = [0, 1, 2].map((shift) => Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64').slice(shift === 0 ? 0 : 4, -4))
  const escaped = [...bytes].map((byte) => `%${byte.toString(16)}`).join('')
  return [['as it is', word], ['reversed', [...word].reverse().join('')], ['in hex', bytes.toString('hex')], ['percent-encoded', escaped], ...base64.map((text) => ['in base64', text] as [string, string])]
}

/**
 * Is the word in these bytes, or half of it: as it is, in base64, hex, percent- or quoted-printable encoding, reversed, in small letters or large, with other
 * characters between its own, or in something packed? @returns how, or nothing
 */
export function findCanary({ word, halves }: Canary, bytes: Buffer): string | undefined {
  for (const { how, text } of unfold(bytes)) {
    const small = text.toLowerCase()
    const joined = small.replace(/[^0-9a-z]+/g, '')
    for (const [part, name] of [[word, 'the word'], [halves[0], 'its first half'], [halves[1], 'its second half']] as const) {
      for (const [form, needle] of formsOf(part)) {
        const isCased = form === 'in base64'
        if ((isCased ? text : small).includes(needle)) return `${name} ${form}${how}`
      }
      if (joined.includes(part)) return `${name} with others between${how}`
    }
  }
  return undefined
}

interface Unfolded { readonly how: string; readonly text: string }

/** The text, and all that can be unpacked or decoded out of it, three deep. */
function* unfold(bytes: Buffer, depth = 0, how = ''): Generator<Unfolded> {
  const text = bytes.toString('latin1')
  yield { how, text }
  if (depth === 3) return
  if (/%[0-9a-f]{2}/i.test(text)) yield { how: `${how}, percent-decoded`, text: text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))) }
  if (/=[0-9A-F]{2}|=\r?\n/.test(text)) yield { how: `${how}, quoted-printable`, text: text.replace(/=\r?\n/g, '').replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))) }
  for (const packed of packedIn(bytes)) yield* unfold(packed, depth + 1, `${how}, unpacked`)
  for (const [encoded] of text.matchAll(/[A-Za-z0-9+/_-]{16,20000}/g)) {
    const decoded = Buffer.from(encoded, 'base64')
    if (packedIn(decoded).length > 0) yield* unfold(decoded, depth + 1, `${how}, out of base64`)
  }
  // folded into lines, as in the parts of a mail
  for (const [lines] of text.matchAll(/(?:[A-Za-z0-9+/]{60,76}\r?\n){1,5000}[A-Za-z0-9+/]{1,76}=*/g)) yield* unfold(Buffer.from(lines, 'base64'), depth + 1, `${how}, out of base64 in lines`)
}

/** What gzip or zlib packed, wherever it begins. */
function packedIn(bytes: Buffer): Buffer[] {
  const found: Buffer[] = []
  for (const [magic, unpack] of [['1f8b08', (packed: Buffer, options: object) => inflateRawSync(packed.subarray(10), options)], ['789c', inflateSync], ['78da', inflateSync]] as const) {
    const needle = Buffer.from(magic, 'hex')
    for (let at = bytes.indexOf(needle); at >= 0; at = bytes.indexOf(needle, at + 1)) {
      try {
        found.push(unpack(bytes.subarray(at), { maxOutputLength: 16 * 1024 * 1024 }))
      } catch {
        // it only looked like a beginning
      }
    }
  }
  return found
}
