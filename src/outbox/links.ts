/** A link as it stands in the text, with what makes it suspicious. */
export interface Link {
  readonly url: string
  /** The same address in ASCII, where it is written in other letters: look-alikes show there. */
  readonly ascii: string | null
  readonly warning: string | null
}

const word = /[^\s<>"]+/gu
// anything with a scheme, and what mail programs make a link of without one: a domain name, with a path or not
const scheme = /(?<![\p{L}\p{N}])(?:[a-z][a-z0-9+.-]{1,20}:\/\/|(?:mailto|tel|sms):)(?=[\p{L}\p{N}[/@+%])/iu
const label = '[\\p{L}\\p{N}](?:[\\p{L}\\p{N}\\p{Cf}-]{0,61}[\\p{L}\\p{N}])?'
const bareDomain = new RegExp(
  `(?<![\\p{L}\\p{N}\\p{Cf}@._-])(?:${label}[.\\u3002\\uff0e\\uff61]){1,8}(?:xn--[a-z0-9-]{1,59}|\\p{L}{2,24})(?![\\p{L}\\p{N}@])(?::\\d{1,5})?(?:[/?#].*)?`, 'giu',
)
// names of files that are no top-level domains; `zip` and `mov` are some
const fileName = /^[^/:?#]+\.(?:pdf|docx?|xlsx?|pptx?|odt|ods|txt|csv|png|jpe?g|gif|svg|heic|mp[34]|json|ya?ml|html?|eml|ics)$/i

/** Every address of a text that a mail program would make a link of, in full, in the order of the text, each once. */
export function linksIn(text: string): Link[] {
  const found = new Set<string>()
  for (const [token] of text.matchAll(word)) {
    const start = scheme.exec(token)?.index ?? token.length
    for (const [match] of token.slice(0, start).matchAll(bareDomain)) {
      const url = trimmed(match)
      if (!fileName.test(url)) found.add(url)
    }
    if (start < token.length) found.add(trimmed(token.slice(start)))
  }
  return [...found].map(describe)
}

/** The links as lines to show: each as it stands in the text, and once more in ASCII where that differs. */
export function linkLines(links: readonly Link[]): string[] {
  return links.flatMap(({ url, ascii }) => (ascii === null ? [url] : [url, ascii]))
}

const openingOf: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' }

/** Without the punctuation after it; a closing bracket belongs to it when it was opened in it. */
function trimmed(match: string): string {
  const count: Record<string, number> = {}
  for (const character of match) count[character] = (count[character] ?? 0) + 1
  let end = match.length
  for (; end > 0; end -= 1) {
    const last = match[end - 1]!
    const opening = openingOf[last]
    if (opening === undefined ? !/[.,;:!?'’”»]/.test(last) : count[last]! <= (count[opening] ?? 0)) break
    count[last]! -= 1
  }
  return match.slice(0, end)
}

function describe(url: string): Link {
  const bare = !/^[a-z][a-z0-9+.-]*:/i.test(url) || /^[^/?#]*\.[^/?#]*:\d/.test(url)
  const whole = bare ? `http://${url}` : url
  if (!URL.canParse(whole)) return { url, ascii: null, warning: 'not a valid address' }
  const { hostname, username, protocol, href } = new URL(whole)
  const foreign = /[^\x00-\x7f]/.test(authorityOf(whole))
  const ascii = foreign ? (bare ? href.slice('http://'.length) : href) : null
  return { url, ascii, warning: warningOf({ hostname, username, protocol, bare }) }
}

function warningOf({ hostname, username, protocol, bare }: { hostname: string; username: string; protocol: string; bare: boolean }): string | null {
  if (username !== '') return `leads to ${hostname}, whatever stands before the @`
  if (hostname.split('.').some((part) => part.startsWith('xn--'))) return `letters of another alphabet: ${hostname}`
  if (/^[\d.]+$|^\[/.test(hostname)) return 'a number instead of a name'
  return bare || ['https:', 'mailto:', 'tel:', 'sms:'].includes(protocol) ? null : 'not encrypted'
}

function authorityOf(url: string): string {
  return url.slice(url.indexOf('://') + 3).split(/[/?#]/)[0]!
}
