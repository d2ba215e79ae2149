export type Inline = string | { kind: 'strong' | 'emphasis' | 'code'; text: string }

const escape = /\\([\\`*_{}[\]()<>#+.!~|&$-])/y
const escapes = new RegExp(escape.source, 'g')
/** A mark that is not closed within so many characters closes nothing, so that hostile text costs no more than other text. */
const reach = 2_000

/** Strong, emphasis and code; a link stays as it is written, so that its address can be read and not clicked. */
export function parseInline(text: string): Inline[] {
  const parts: Inline[] = []
  let plain = ''
  let at = 0
  while (at < text.length) {
    escape.lastIndex = at
    const escaped = escape.exec(text)
    const span = escaped === null ? spanAt(text, at) : undefined
    if (escaped !== null) {
      plain += escaped[1]
      at += 2
    } else if (span === undefined) {
      plain += text[at]
      at += 1
    } else {
      if (plain !== '') parts.push(plain)
      plain = ''
      parts.push({ kind: span.kind, text: span.kind === 'code' ? span.inner : span.inner.replaceAll(escapes, '$1') })
      at = span.end
    }
  }
  return plain === '' ? parts : [...parts, plain]
}

interface Span {
  readonly kind: 'strong' | 'emphasis' | 'code'
  readonly inner: string
  readonly end: number
}

function spanAt(text: string, at: number): Span | undefined {
  const sign = text[at]!
  if (sign !== '`' && sign !== '*' && sign !== '_') return undefined
  let run = 1
  while (text[at + run] === sign) run++
  if (text[at - 1] === sign) return undefined // the middle of a run that opened nothing
  if (sign === '`') return closedBy(text, at, sign.repeat(run), 'code')
  if (run > 2 || (sign === '_' && isWord(text[at - 1]))) return undefined
  return closedBy(text, at, sign.repeat(run), run === 2 ? 'strong' : 'emphasis')
}

function closedBy(text: string, at: number, mark: string, kind: Span['kind']): Span | undefined {
  const from = at + mark.length
  const window = text.slice(from, from + reach)
  if (kind !== 'code' && /^\s|^$/.test(window)) return undefined
  for (let close = window.indexOf(mark); close !== -1; close = window.indexOf(mark, close + 1)) {
    const before = window[close - 1]
    const after = window[close + mark.length]
    const whole = (before !== mark[0] || window[close - 2] === '\\') && after !== mark[0]
    const closes = kind === 'code' || (before !== undefined && !/\s/.test(before) && before !== '\\' && !(mark[0] === '_' && isWord(after)))
    if (close > 0 && whole && closes) return { kind, inner: window.slice(0, close), end: from + close + mark.length }
  }
  return undefined
}

function isWord(character: string | undefined): boolean {
  return character !== undefined && /\w/.test(character)
}
