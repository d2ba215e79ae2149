/** A web address as it stands in the text, with what makes it suspicious. */
export interface Link {
  readonly url: string
  /** Where it really leads. */
  readonly host: string
  readonly warning: string | null
}

const webAddress = /(?:\b(?:https?|ftp):\/\/|\bwww\.)[^\s<>"'“”„«»]+/giu
const closing = /[.,;:!?…]+$/u

/** Every web address of a text in full, each once, in their order. */
export function linksOf(text: string): Link[] {
  const found = [...text.matchAll(webAddress)].map(([match]) => trimEnd(match))
  return [...new Set(found)].map(describe)
}

/** What closes a sentence or a bracket that was opened before the address is not part of it. */
function trimEnd(match: string): string {
  let url = match.replace(closing, '')
  for (const [open, close] of [['(', ')'], ['[', ']'], ['{', '}']] as const) {
    while (url.endsWith(close) && count(url, open) < count(url, close)) url = url.slice(0, -1).replace(closing, '')
  }
  return url
}

function count(text: string, character: string): number {
  return text.split(character).length - 1
}

function describe(url: string): Link {
  const whole = url.toLowerCase().startsWith('www.') ? `http://${url}` : url
  if (!URL.canParse(whole)) return { url, host: '', warning: 'not a valid address' }
  const { hostname, username, password, protocol, port } = new URL(whole)
  const host = port === '' ? hostname : `${hostname}:${port}`
  const warning =
    username !== '' || password !== '' ? `leads to ${host}, whatever stands before the @`
    : hostname.split('.').some((part) => part.startsWith('xn--')) ? `holds letters of another alphabet: ${hostname}`
    : /^[\d.]+$|^\[/.test(hostname) ? 'a number instead of a name'
    : url === whole && protocol !== 'https:' ? 'not encrypted'
    : null
  return { url, host, warning }
}
