import type { Finding } from './detect.ts'

const base64 = /[0-9A-Za-z+/_-]{12,}={0,2}/g
const hex = /(?<![0-9A-Za-z])(?:[0-9A-Fa-f]{2}){8,}(?![0-9A-Za-z])/g
/** Runs without spaces or quotes: what may be an address with escapes in it. */
const run = /[^\s"'<>]+/g
const escape = /%[0-9A-Fa-f]{2}/
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
  for (const match of text.matchAll(base64)) look(match.index, match[0], Buffer.from(match[0], 'base64').toString('utf8'))
  for (const match of text.matchAll(hex)) look(match.index, match[0], Buffer.from(match[0], 'hex').toString('utf8'))
  if (escape.test(text)) for (const match of text.matchAll(run)) if (escape.test(match[0])) look(match.index, match[0], unescape(match[0]))
  return found
}

function unescape(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
