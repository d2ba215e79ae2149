export type Inline = string | { kind: 'strong' | 'emphasis' | 'code'; text: string }

const escape = /\\([\\`*_{}[\]()<>#+.!~|&$-])/y
const escapes = new RegExp(escape.source, 'g')

/** Strong, emphasis and code; a link stays as it is written, so that its address can be read and not clicked. */
export function parseInline(text: string): Inline[] {
  const parts: Inline[] = []
  /** Up to where each mark is known to close nothing, so that hostile text costs no more than other text. */
  const barren = new Map<string, number>()
  let plain = ''
  let at = 0
  while (at < text.length) {
    escape.lastIndex = at
    const escaped = escape.exec(text)
    const span = escaped === null ? spanAt(text, at, barren) : undefined
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

function spanAt(text: string, at: number, barren: Map<string, number>): Span | undefined {
  const sign = text[at]!
  if (sign !== '`' && sign !== '*' && sign !== '_') return undefined
  if (text[at - 1] === sign && text[at - 2] !== '\\') return undefined // the middle of a run that opened nothing
  let run = 1
  while (text[at + run] === sign) run++
  if (sign === '`') return closedBy(text, at, sign.repeat(run), 'code', barren)
  if (run > 2 || (sign === '_' && isWord(text[at - 1])) || isSpace(text[at + run])) return undefined
  return closedBy(text, at, sign.repeat(run), run === 2 ? 'strong' : 'emphasis', barren)
}

/** To the first mark that can close, wherever it was opened: what lies before it closes nothing for later openings either. */
function closedBy(text: string, at: number, mark: string, kind: Span['kind'], barren: Map<string, number>): Span | undefined {
  const from = at + mark.length
  let close = text.indexOf(mark, Math.max(from, barren.get(mark) ?? 0))
  while (close !== -1 && !closes(text, close, mark, kind)) close = text.indexOf(mark, close + 1)
  barren.set(mark, close === -1 ? text.length : close)
  return close <= from ? undefined : { kind, inner: text.slice(from, close), end: close + mark.length }
}

function closes(text: string, close: number, mark: string, kind: Span['kind']): boolean {
  const before = text[close - 1]
  const after = text[close + mark.length]
  const whole = (before !== mark[0] || text[close - 2] === '\\') && after !== mark[0]
  return whole && (kind === 'code' || (!isSpace(before) && before !== '\\' && !(mark[0] === '_' && isWord(after))))
}

function isSpace(character: string | undefined): boolean {
  return character === undefined || /\s/.test(character)
}

function isWord(character: string | undefined): boolean {
  return character !== undefined && /\w/.test(character)
}
