/** A stretch of text that stayed, went or came. */
export interface Change {
  readonly kind: 'same' | 'gone' | 'new'
  readonly text: string
}

/** Cells of the table that is filled at most; beyond it whole lines are compared, and beyond that nothing is. */
const mostCells = 4_000_000

/** What was changed from one text to the other, word by word: a longest common subsequence. Joined without `gone` it is the new text exactly. */
export function diffWords(before: string, after: string): Change[] {
  return diff(before, after, /\s+|[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu) ?? diff(before, after, /[^\n]*\n|[^\n]+$/g) ?? merge([change('gone', before), change('new', after)])
}

function diff(before: string, after: string, token: RegExp): Change[] | undefined {
  const a = before.match(token) ?? []
  const b = after.match(token) ?? []
  let start = 0
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1
  let end = 0
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1
  const middleA = a.slice(start, a.length - end)
  const middleB = b.slice(start, b.length - end)
  if ((middleA.length + 1) * (middleB.length + 1) > mostCells) return undefined
  return merge([change('same', a.slice(0, start).join('')), ...walk(middleA, middleB), change('same', a.slice(a.length - end).join(''))])
}

function walk(a: readonly string[], b: readonly string[]): Change[] {
  const width = b.length + 1
  const longest = new Uint32Array((a.length + 1) * width)
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      longest[i * width + j] = a[i] === b[j] ? longest[(i + 1) * width + j + 1]! + 1 : Math.max(longest[(i + 1) * width + j]!, longest[i * width + j + 1]!)
    }
  }
  const changes: Change[] = []
  let i = 0
  let j = 0
  while (i < a.length && j < b.length) {
    if (a[i] === b[j]) changes.push(change('same', a[i]!))
    const down = longest[(i + 1) * width + j]!
    const right = longest[i * width + j + 1]!
    if (a[i] === b[j]) [i, j] = [i + 1, j + 1]
    else if (down >= right) changes.push(change('gone', a[i++]!))
    else changes.push(change('new', b[j++]!))
  }
  return [...changes, change('gone', a.slice(i).join('')), change('new', b.slice(j).join(''))]
}

/** Neighbours of one kind become one; between two of the same, what went stands before what came, and a lone space does not part them. */
function merge(changes: readonly Change[]): Change[] {
  const merged: Change[] = []
  let gone = ''
  let fresh = ''
  const flush = () => {
    if (gone !== '') merged.push(change('gone', gone))
    if (fresh !== '') merged.push(change('new', fresh))
    gone = fresh = ''
  }
  const whole = changes.filter(({ text }) => text !== '')
  whole.forEach(({ kind, text }, index) => {
    const next = whole[index + 1]
    if (kind === 'gone') gone += text
    else if (kind === 'new') fresh += text
    else if (/^[^\S\n]+$/.test(text) && gone !== '' && fresh !== '' && next !== undefined && next.kind !== 'same') [gone, fresh] = [gone + text, fresh + text]
    else {
      flush()
      const last = merged.at(-1)
      if (last?.kind === 'same') merged[merged.length - 1] = change('same', last.text + text)
      else merged.push(change('same', text))
    }
  })
  flush()
  return merged
}

function change(kind: Change['kind'], text: string): Change {
  return { kind, text }
}
