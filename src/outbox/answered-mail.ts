import { describeLabel, type Label } from '../labels/index.ts'
import { headersOfWire } from './compose/read-wire.ts'
import type { DraftDocument } from './document.ts'
import type { AnsweredMail } from './draft-queries.ts'
import { showLabel } from './draft-summary.ts'

/** The Message-ID that a mail of ours answers. */
export function answeredBy(wire: Buffer): string | undefined {
  return headersOfWire(wire).find(({ name }) => name.toLowerCase() === 'in-reply-to')?.value
}

/** The head of the mail that a draft answers. Subject and sender are a stranger's words, as a worker read them. */
export function showAnswered({ messageId, account, envelope, receivedAt, label }: AnsweredMail) {
  const { subject, from } = (envelope ?? {}) as { subject?: unknown; from?: { name?: unknown; address?: unknown } | null }
  return {
    message_id: messageId,
    account,
    subject: typeof subject === 'string' ? subject : null,
    from: typeof from?.address === 'string' ? (typeof from.name === 'string' && from.name !== '' ? `${from.name} <${from.address}>` : from.address) : null,
    received_at: receivedAt,
    label: showLabel(label),
  }
}

/** The label in words, and where it came from as far as that is known. */
export function describeTaint(label: Label, origin: DraftDocument['origin'], answers: ReturnType<typeof showAnswered> | null): string {
  if (origin.run === null) return `${describeLabel(label)}: you proposed this yourself, and no run had a part in it`
  const read = answers === null ? '' : `; it answers the mail of ${answers.from ?? 'a sender who could not be read'} in mailbox ${answers.account}, which is ${answers.label.text}`
  const stranger = label.integrity === 'untrusted' ? ', which read what strangers wrote' : ''
  return `${describeLabel(label)}: what run ${origin.run.slice(-8)} of job ${origin.job} had read when it proposed this in step ${origin.step}${stranger}${read}`
}
