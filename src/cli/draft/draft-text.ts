import { describeLabel } from '../../labels/index.ts'
import { bothTimes } from '../../house/index.ts'
import { isAboutPaths, linksIn } from '../../outbox/index.ts'
import { pairs } from '../terminal/table.ts'
import { paintState, type Terminal } from '../terminal/terminal.ts'
import { bytes, distance, moment, shortId, type Here } from '../terminal/wording.ts'
import type { ReleaserDraft } from './releaser-draft.ts'
import type { VerifiedDraft } from './verify-draft.ts'

/** From here on a draft is looked at alone. */
export const highRisk = 7

/** What a draft is, in the form that commands print and write as JSON. */
export function describeDraft(shown: ReleaserDraft, verified: VerifiedDraft) {
  const { document, text, sha256, challenge } = verified
  return {
    id: shown.id, state: shown.state, reason: shown.reason, hold_until: shown.hold_until, history: shown.history,
    document, text, links: isAboutPaths(document.kind) ? [] : linksIn(`${document.title}\n${text}`), sha256, challenge: challenge.toString('hex'),
  }
}

export type DescribedDraft = ReturnType<typeof describeDraft>

/** Everything that a signature covers, out of the document and the bytes alone. */
export function draftText(draft: DescribedDraft, terminal: Terminal, here: Here): string {
  const { document } = draft
  const { to, cc, bcc } = document.recipients
  const dim = (text: string) => terminal.paint('dim', text)
  const head: [string, string][] = [
    ['draft', draft.id],
    ['state', `${paintState(terminal, draft.state)}${draft.reason ? `: ${draft.reason}` : ''}${timeLeft(draft, here)}`],
    ['what', `${document.kind} by ${document.connector.name} (${document.connector.kind}) to ${document.account}`],
    ['from', document.from],
    ['to', to.join('\n') || dim('none')],
    ...(cc.length > 0 ? [['cc', cc.join('\n')] as [string, string]] : []),
    ['bcc', bcc.length > 0 ? terminal.paint('yellow', bcc.join('\n')) : dim('none')],
    ['subject', terminal.paint('bold', document.title)],
  ]
  const facts: [string, string][] = [
    ['links', draft.links.map(({ url, ascii, warning }) => `${url}${ascii ? `\n  = ${ascii}` : ''}${warning ? `  ${terminal.paint('yellow', `(${warning})`)}` : ''}`).join('\n') || dim('none')],
    ['attachments', document.attachments.map((one) => `${one.name}  ${one.type}, ${bytes(one.length)}\n  sha256 ${one.sha256}`).join('\n') || dim('none')],
    ['label', describeLabel(document.label)],
    ['risk', `${terminal.paint(document.risk >= highRisk ? 'red' : 'bold', `${document.risk}/10`)}${document.reasons.map((reason) => `\n${reason}`).join('')}`],
    ...(document.not_before === null ? [] : [['leaves', `not before ${bothTimes(new Date(document.not_before), here.timezone ?? 'UTC')}`] as [string, string]]),
    ['undo', document.rollback],
    ['origin', document.origin.run === null ? 'you, at the command line' : `job ${document.origin.job}, step ${document.origin.step}, run ${shortId(document.origin.run)}`],
    ...(document.replaces === null ? [] : [['replaces', `draft ${shortId(document.replaces)}`] as [string, string]]),
    ['bytes', `${document.wire.length}, sha256 ${draft.sha256}`],
    ['signed', `sha256 ${draft.challenge}  ${dim('computed here')}`],
  ]
  const body = draft.text.replace(/\n+$/, '').split('\n').map((line) => `${dim('│')} ${line}`).join('\n')
  const history = draft.history.length > 1 ? [`${dim('history')}\n${draft.history.map((line) => `  ${historyLine(line, here)}`).join('\n')}`] : []
  return [pairs(terminal, head), body, pairs(terminal, facts), ...history].join('\n\n')
}

function timeLeft({ state, hold_until, document }: DescribedDraft, here: Here): string {
  if (state === 'waiting') return `, ${here.now < new Date(document.expires_at) ? `expires ${distance(document.expires_at, here)} (${moment(document.expires_at, here)})` : 'expired: it counts as denied'}`
  if (state === 'held' && hold_until !== null) return `, leaves ${distance(hold_until, here)}; castellan draft undo ${shortId(document.id)}`
  return ''
}

function historyLine({ at, draft, event, by, reason, receipt }: DescribedDraft['history'][number], here: Here): string {
  return `${moment(at, here)}  ${shortId(draft)}  ${event}${by ? ` by ${by}` : ''}${reason ? `: ${reason}` : ''}${receipt ? `  ${JSON.stringify(receipt)}` : ''}`
}
