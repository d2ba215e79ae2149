import { againShape, wordsOfAgain, type CountsAgain } from './again.ts'
import type { ActFrame } from './outbound-act.ts'

/** That the outbox goes on after its database came from an older copy: what leaves and counts again then, as it was when this was frozen. */
export interface OutboxResumeAct extends ActFrame {
  readonly kind: 'outbox.resume'
  /** The fence that this lifts, and no other. */
  readonly fence: string
  /** ISO */
  readonly fenced_at: string
  /** Why it stands. */
  readonly why: string
  /** Signed, and not known to have left. */
  readonly leaves: readonly { readonly draft: string; readonly title: string; readonly at: string | null }[]
  /** How many more of them there are than are listed. */
  readonly more: number
  /** Of so many nobody knows whether they left; they stay. */
  readonly unknown: number
  /** Nothing else does: the database compares. */
  readonly again: CountsAgain
}

export const resumeShape = {
  fence: 'string', fenced_at: 'string', why: 'string', leaves: { list: { fields: { draft: 'string', title: 'string', at: 'text or null' } } }, more: 'number', unknown: 'number',
  again: againShape,
} as const

export function wordsOfResume({ fenced_at: at, why, leaves, more, unknown, again }: OutboxResumeAct): string {
  const count = leaves.length + more
  return [
    'Let signed drafts leave again.',
    `Nothing has left since ${at}: ${why}.`,
    '',
    count === 0 ? 'No signed draft waits to leave.' : `${count} signed draft${count === 1 ? '' : 's'} will leave then, each at its time:`,
    ...leaves.map(({ draft, title, at: time }) => `  ${draft.slice(-8)}  ${title}${time === null ? '' : `, not before ${time}`}`),
    ...(more > 0 ? [`  and ${more} more: castellan draft list --state held`] : []),
    '',
    'What the file of spent nonces knows to have left is not among them, whatever the database says.',
    ...wordsOfAgain(again),
    '',
    'Look whether this is the copy that you want, and take back what shall not leave: castellan draft undo.',
    ...(unknown > 0 ? [`Of ${unknown} draft${unknown === 1 ? '' : 's'} nobody knows whether they left. They stay, until you say so: castellan draft resolve`] : []),
    '',
  ].join('\n')
}
