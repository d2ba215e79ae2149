import { Fault } from '../../kernel/fault.ts'
import type { Composed, Frame } from './composed.ts'
import { composeClearance } from '../clearances/clearance-act.ts'
import { composeMail, editMail, type MailWords } from './mail.ts'
import { composeFlag, composeMove } from './mailbox-act.ts'

const composers: Readonly<Record<string, (payload: unknown, frame: Frame) => Promise<Composed>>> = {
  mail: composeMail,
  'mail.move': composeMove,
  'mail.flag': composeFlag,
  'lane.clear': (payload) => composeClearance('lane.clear', payload),
  'model.own': (payload) => composeClearance('model.own', payload),
}

/** The bytes of an act of that kind. @throws Fault `draft.kind` for a kind that nobody can compose */
export async function compose(kind: string, payload: unknown, frame: Frame): Promise<Composed> {
  const composer = Object.hasOwn(composers, kind) ? composers[kind] : undefined
  if (!composer) {
    throw new Fault('invalid', 'draft.kind', `nothing here can compose a proposal of kind ${JSON.stringify(kind)}; known: ${Object.keys(composers).join(', ')}`)
  }
  return composer(payload, frame)
}

/**
 * The payload of a proposal with the operator's words in the place of those that were proposed; the rest stays.
 * @throws Fault `draft.kind` for a kind without words, `mail.payload`
 */
export function editPayload(kind: string, payload: unknown, words: MailWords): unknown {
  if (kind !== 'mail') throw new Fault('invalid', 'draft.kind', `a draft of kind ${JSON.stringify(kind)} cannot be edited; deny it, and have it proposed anew`)
  return editMail(payload, words)
}
