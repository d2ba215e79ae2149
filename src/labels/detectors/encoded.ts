import type { Finding } from './detect.ts'
import { matchesOf } from './matches.ts'

/** Characters of base64 in either alphabet; hexadecimal ones are among them. */
const alphabet = new Uint8Array(128)
for (const character of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_-') alphabet[character.charCodeAt(0)] = 1
const shortest = 12
const hex = /(?<![0-9A-Za-z])(?:[0-9A-Fa-f]{2}){8,}(?![0-9A-Za-z])/g
const escape = /%[0-9A-Fa-f]{2}/
/** Runs without spaces or quotes: what may be an address with escapes in it. */
const run = /[^\s"'<>]+/g
/** ASCII in a row: nothing that a detector knows has less. */
const leastLetters = 4
const deepest = 3
/** Of what a text decodes to; the rest is bytes of something else. */
const readable = /^[\p{L}\p{N}\p{P}\p{S}\p{Zs}\t\r\n]*$/u

/** What a detector sees only after decoding: base64, hexadecimal or URL-escaped, also in one another. Taken as a whole, of the gravest kind in it. */
export function findEncoded(text: string, see: (text: string) => readonly Finding[], depth = 1): Finding[] {
  const found: Finding[] = []
  const look = (start: number, token: string, decoded: string | undefined): void => {
    if (decoded === undefined || decoded === token || !readable.test(decoded)) return
    const seen = [...see(decoded), ...(depth < deepest ? findEncoded(decoded, see, depth + 1) : [])]
    const gravest = seen.reduce<Finding | undefined>((worst, finding) => (worst === undefined || finding.level > worst.level ? finding : worst), undefined)
    if (gravest) found.push({ ...gravest, start, end: start + token.length })
  }
  for (const [start, end] of longRuns(text)) {
    const token = text.slice(start, end)
    look(start, token, fromBase64(token))
    for (const match of matchesOf(hex, token)) look(start + match.index, match[0], Buffer.from(match[0], 'hex').toString('utf8'))
  }
  if (escape.test(text)) for (const match of matchesOf(run, text)) if (escape.test(match[0])) look(match.index, match[0], unescape(match[0]))
  return found
}

/** Where runs of the alphabet begin and end that are long enough, with one or two `=` behind them. Looks where one would have to reach first, so that most words are skipped. */
function longRuns(text: string): [number, number][] {
  const runs: [number, number][] = []
  for (let start = 0; start + shortest <= text.length; ) {
    let last = start + shortest - 1
    while (last >= start && isInAlphabet(text, last)) last -= 1
    if (last >= start) {
      start = last + 1
      continue
    }
    let end = start + shortest
    while (end < text.length && isInAlphabet(text, end)) end += 1
    runs.push([start, end + (text[end] === '=' ? (text[end + 1] === '=' ? 2 : 1) : 0)])
    start = end + 1
  }
  return runs
}

function isInAlphabet(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return code < 128 && alphabet[code] === 1
}

/** Words and paths decode to bytes that no text has, or to a few letters among such; those are not made a string of. */
function fromBase64(token: string): string | undefined {
  const bytes = Buffer.from(token, 'base64')
  let row = 0
  let longest = 0
  for (const byte of bytes) {
    if (byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d) return undefined
    row = byte < 0x7f ? row + 1 : 0
    if (row > longest) longest = row
  }
  return longest < leastLetters ? undefined : bytes.toString('utf8')
}

function unescape(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
