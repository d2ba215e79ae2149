/** Elements whose content nobody reads as text. */
const silent = new Set(['head', 'script', 'style', 'title', 'template', 'noscript', 'svg', 'object'])
const breaking = new Set(['br', 'p', 'div', 'tr', 'li', 'ul', 'ol', 'table', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'blockquote', 'section', 'article', 'hr', 'pre'])
const entities: Readonly<Record<string, string>> = {
  amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ', auml: 'ä', ouml: 'ö', uuml: 'ü', Auml: 'Ä', Ouml: 'Ö', Uuml: 'Ü', szlig: 'ß',
  euro: '€', copy: '©', reg: '®', hellip: '…', ndash: '–', mdash: '—', bdquo: '„', ldquo: '“', rdquo: '”', lsquo: '‘', rsquo: '’', laquo: '«', raquo: '»', middot: '·', bull: '•',
}

/**
 * The text of an HTML mail, with the target behind each link. One pass, without recursion: a stranger wrote it.
 * What a style hides is kept, so that a hidden instruction is seen by whoever looks for one.
 */
export function htmlText(html: string): string {
  const parts: string[] = []
  let at = 0
  let link: { href: string; from: number } | undefined
  while (at < html.length) {
    const open = html.indexOf('<', at)
    if (open === -1) {
      parts.push(decode(html.slice(at)))
      break
    }
    if (open > at) parts.push(decode(html.slice(at, open)))
    if (html.startsWith('<!--', open)) {
      at = after(html, '-->', open + 4)
      continue
    }
    const end = html.indexOf('>', open)
    if (end === -1) break
    const tag = html.slice(open + 1, end)
    at = end + 1
    const name = /^\/?([a-zA-Z][a-zA-Z0-9]{0,20})/.exec(tag)?.[1]?.toLowerCase()
    if (name === undefined) {
      // a lone "<" in the text
      if (!/^[/!?]/.test(tag)) {
        parts.push('<')
        at = open + 1
      }
    } else if (silent.has(name) && !tag.startsWith('/')) {
      if (!tag.endsWith('/')) at = afterElement(html, name, at)
    } else if (name === 'a') {
      if (link) parts.push(target(link.href, parts.slice(link.from).join('')))
      link = tag.startsWith('/') ? undefined : { href: hrefOf(tag), from: parts.length }
    } else if (breaking.has(name)) {
      parts.push('\n')
    } else if (name === 'td' || name === 'th') {
      parts.push(' ')
    }
  }
  return parts.join('').replace(/[ \t\u00a0]+/g, ' ').replace(/ ?\n ?/g, '\n').replace(/\n{3,}/g, '\n\n').trim()
}

function after(html: string, what: string, from: number): number {
  const found = html.indexOf(what, from)
  return found === -1 ? html.length : found + what.length
}

function afterElement(html: string, name: string, from: number): number {
  const closing = new RegExp(`</${name}[^>]{0,100}>`, 'gi')
  closing.lastIndex = from
  return closing.exec(html) ? closing.lastIndex : html.length
}

function hrefOf(tag: string): string {
  const match = /\bhref\s{0,5}=\s{0,5}(?:"([^"]{0,2000})"|'([^']{0,2000})'|([^\s>"']{1,2000}))/i.exec(tag)
  return decode(match?.[1] ?? match?.[2] ?? match?.[3] ?? '').trim()
}

function target(href: string, text: string): string {
  const shown = text.trim()
  if (!/^(?:https?|mailto|tel):/i.test(href) || shown === href || `mailto:${shown}` === href) return ''
  return ` <${href}>`
}

function decode(text: string): string {
  if (!text.includes('&')) return text
  return text.replace(/&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([a-zA-Z]{2,8}));/g, (whole, decimal?: string, hex?: string, name?: string) => {
    if (name !== undefined) return entities[name] ?? whole
    const code = decimal !== undefined ? Number(decimal) : Number.parseInt(hex!, 16)
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : '\uFFFD'
  })
}
