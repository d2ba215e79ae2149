import canonicalize from 'canonicalize'
import { z } from 'zod'
import { Fault } from '../../kernel/fault.ts'
import { actVersion, readOutboundAct, wordsOfAct, type ActFrame, type OutboundAct } from '../acts/outbound-act.ts'
import type { Composed, Finding, Frame } from './composed.ts'

interface Shown {
  readonly title: string
  readonly to: readonly string[]
  readonly undo: string
  readonly findings?: readonly Finding[]
}

type WithoutFrame<A> = A extends OutboundAct ? Omit<A, keyof ActFrame> : never

/** The bytes of an act, as they are signed: canonical JSON that says all of it. */
export function composeOutbound(act: WithoutFrame<OutboundAct>, { id, from }: Frame, { title, to, undo, findings = [] }: Shown): Composed {
  const wire = Buffer.from(canonicalize({ ...act, version: actVersion, draft: id, account: from })!)
  const read = readOutboundAct(wire)
  if (!read) throw new Fault('internal', 'draft.composed', `an act of kind ${act.kind} was composed that cannot be read`)
  return { wire, from, recipients: { to: [...to], cc: [], bcc: [] }, title, text: wordsOfAct(read), attachments: [], undo, findings }
}

/** What was proposed, in its closed form. @throws Fault `draft.payload` */
export function readPayload<T>(schema: z.ZodType<T>, payload: unknown, what: string): T {
  const parsed = schema.safeParse(payload)
  if (parsed.success) return parsed.data
  throw new Fault('invalid', 'draft.payload', `the proposed ${what} does not have the form of one: ${z.prettifyError(parsed.error)}`)
}

/** The act that is to be done, when it is one of this kind and account. @throws Fault `connector.not_sent` */
export function actOf<K extends OutboundAct['kind']>(wire: Uint8Array, kinds: readonly K[], account: string): OutboundAct & { readonly kind: K } {
  const act = readOutboundAct(wire)
  if (!act || !kinds.some((kind) => kind === act.kind)) throw new Fault('refused', 'connector.not_sent', `these bytes are no act of kind ${kinds.join(' or ')}; nothing was sent`)
  if (act.account !== account) throw new Fault('refused', 'connector.not_sent', `the bytes are for ${act.account}, and this connector leads to ${account}; nothing was sent`)
  return act as OutboundAct & { readonly kind: K }
}
