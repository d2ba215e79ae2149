/** What a key asks for. The same in the list and in a draft. */
export type Command =
  | 'next' | 'previous' | 'first' | 'last' | 'open' | 'back'
  | 'approve' | 'approve-by-passkey' | 'approve-selected' | 'edit' | 'reject' | 'snooze' | 'later' | 'select' | 'undo' | 'help'

export interface Pressed {
  readonly key: string
  readonly ctrlKey: boolean
  readonly metaKey: boolean
  readonly altKey: boolean
  /** The key is held down and repeats. */
  readonly repeat: boolean
}

export interface Where {
  /** Single letters can be switched off: who speaks to his computer, or rests a hand on it, signs nothing by accident (WCAG 2.1.4). */
  readonly letters: boolean
  /** What has the focus: somewhere to type, something that Enter presses, or neither. */
  readonly focus: 'field' | 'control' | 'page'
}

const letters: Readonly<Record<string, Command>> = {
  j: 'next', k: 'previous', a: 'approve', p: 'approve-by-passkey', A: 'approve-selected', e: 'edit', r: 'reject', h: 'snooze', l: 'later', x: 'select', u: 'undo', '?': 'help',
}
const named: Readonly<Record<string, Command>> = { ArrowDown: 'next', ArrowUp: 'previous', Home: 'first', End: 'last', Enter: 'open', Escape: 'back' }
const moves = new Set<Command>(['next', 'previous'])

/** The command of a key, or nothing: the browser's own keys stay the browser's. */
export function commandOf({ key, ctrlKey, metaKey, altKey, repeat }: Pressed, where: Where): Command | undefined {
  if (ctrlKey || metaKey || altKey || where.focus === 'field') return undefined
  const command = where.letters ? (letters[key] ?? named[key]) : named[key]
  if (command === undefined) return undefined
  // a key held down moves on, and decides nothing twice
  if (repeat && !moves.has(command)) return undefined
  if (command === 'open' && where.focus === 'control') return undefined
  return command
}

/** For the overlay, and for who reads this. */
export const keyTable: readonly (readonly [keys: readonly string[], what: string])[] = [
  [['j', '↓'], 'next draft'],
  [['k', '↑'], 'previous draft'],
  [['Enter'], 'open'],
  [['Esc'], 'back to the list'],
  [['a'], 'approve; risk 7 and more asks for the passkey'],
  [['p'], 'approve by the passkey, whatever the risk'],
  [['e'], 'edit: a new draft, frozen and shown again'],
  [['r'], 'reject with a reason'],
  [['l'], 'approve, to leave later'],
  [['h'], 'snooze'],
  [['x'], 'select'],
  [['A'], 'approve what is selected, each by its own hash'],
  [['u'], 'undo while it is held'],
  [['?'], 'these keys'],
]
