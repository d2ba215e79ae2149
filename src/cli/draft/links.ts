/** A link as it stands in the text, with what makes it suspicious. */
export interface Link {
  readonly url: string
  readonly warning: string | null
}

const webLink = /\b(?:https?|ftp):\/\/[^\s<>"']+/gi

/** Every web address of a text, in full, each once. */
export function linksIn(text: string): Link[] {
  const found = [...text.matchAll(webLink)].map(([url]) => url.replace(/[.,;:!?)\]}]+$/, ''))
  return [...new Set(found)].map((url) => ({ url, warning: warningOf(url) }))
}

function warningOf(url: string): string | null {
  if (!URL.canParse(url)) return 'not a valid address'
  const { hostname, username, protocol } = new URL(url)
  if (username !== '') return `leads to ${hostname}, whatever stands before the @`
  if (hostname.split('.').some((part) => part.startsWith('xn--'))) return `letters of another alphabet: ${hostname}`
  if (/^[\d.]+$|^\[/.test(hostname)) return 'a number instead of a name'
  return protocol === 'https:' ? null : 'not encrypted'
}
