import { setTimeout as delay } from 'node:timers/promises'
import { Fault } from '../../kernel/fault.ts'
import type { OperatorIdentity } from '../../outbox/index.ts'
import type { Invocation } from '../command/add-command.ts'
import { exitCodes } from '../command/exit-codes.ts'
import { outcome, type Outcome } from '../command/outcome.ts'
import type { SocketClient } from '../connection/socket-client.ts'
import { visible } from '../terminal/visible.ts'
import { counted, distance, moment, shortId, type Here } from '../terminal/wording.ts'
import { openKey } from './choose-key.ts'
import { describeDraft, draftText, type DescribedDraft } from './draft-text.ts'
import { findDraft, type ReleaserDraft } from './releaser-draft.ts'
import { readTimes, setTime, tellTime, type TimeOptions } from './set-times.ts'
import { verifyDraft, type VerifiedDraft } from './verify-draft.ts'

export interface ApproveOptions extends TimeOptions {
  readonly wait?: boolean
  readonly key?: string
  readonly passphraseFd?: number
}

interface Approved {
  id: string
  state: string
  hold_until: string | null
  key: string
  sha256: string
  challenge: string
  reason: string | null
  receipt: unknown
}

const pollMs = 300

/** Shows all that will be signed, asks, signs with the operator's key, and tells how to take it back. */
export async function approveDraft(invocation: Invocation<ApproveOptions>): Promise<Outcome> {
  const { args, options, ask, home, here, say, err } = invocation
  const releaser = await invocation.releaser()
  const shown = await findDraft(releaser, args[0]!)
  const verified = await verifyDraft(shown)
  const draft = describeDraft(shown, verified)
  if (draft.state !== 'waiting') throw new Fault('conflict', 'draft.too_late', `draft ${shortId(draft.id)} is ${draft.state} already; \`castellan draft show ${shortId(draft.id)}\` tells what became of it`)
  say(draftText(visible(draft), err, here))
  say('')
  if (draft.document.kind === 'order.stand') throw new Fault('refused', 'draft.passkey_needed', `draft ${shortId(draft.id)} would let acts leave that nobody signs: a standing order takes your passkey, on the signing page`)
  const [time] = await readTimes(options, 1, here)
  const when = time === undefined ? '' : `; ${await tellTime(time, here)}`
  if (options.dryRun) return outcome({ ...draft, state: 'dry_run', would: time === undefined ? `would sign ${draft.challenge}` : `would sign it with its time${when}` }, (data) => data.would)
  const { to, cc, bcc } = draft.document.recipients
  const sure = await ask.confirm(`Sign draft ${shortId(draft.id)}, risk ${draft.document.risk}/10, to ${counted(to.length + cc.length + bcc.length, 'recipient')}${when}?`)
  if (!sure) return outcome({ id: draft.id, state: draft.state }, () => 'Nothing was signed; the draft still waits.')
  const key = await openKey(home, ask, releaser, { name: options.key, passphraseDescriptor: options.passphraseFd })
  const timed = await setTime(releaser, { draft, verified }, time)
  const approved = await signDraft(releaser, key, timed.draft, timed.verified)
  if (!options.wait) return outcome(approved, (data) => approvedText(data, { ...here, now: new Date() }))
  say(approvedText(approved, { ...here, now: new Date() }))
  const released = await waitForRelease(releaser, approved)
  const failure = released.state === 'released' ? undefined
    : { exit: exitCodes.failure, code: `draft.${released.state}`, message: `draft ${shortId(released.id)} is ${released.state}${released.reason ? `: ${released.reason}` : ''}` }
  return outcome(released, ({ id, state, receipt }) => (state === 'released' ? `Draft ${shortId(id)} was released. ${JSON.stringify(receipt)}` : ''), failure)
}

/** Signs the challenge that was computed here, and hands the signature over. @throws Fault `key.demonstration`, and what the releaser says */
export async function signDraft(releaser: SocketClient, key: OperatorIdentity, draft: DescribedDraft, { challenge }: VerifiedDraft): Promise<Approved> {
  if (key.scope === 'demonstration' && draft.document.connector.kind !== 'file') {
    throw new Fault('refused', 'key.demonstration', 'the demonstration key signs for files only; make a key of your own with `castellan operator init`, then `castellan operator enroll`')
  }
  const decided = await releaser.post<{ state: string; holdUntil: string | null }>(`/drafts/${draft.id}/decide`, {
    verdict: 'approve', keyId: key.id, signature: key.sign(challenge),
  })
  return { id: draft.id, state: decided.state, hold_until: decided.holdUntil, key: key.id, sha256: draft.sha256, challenge: draft.challenge, reason: null, receipt: null }
}

async function waitForRelease(releaser: SocketClient, approved: Approved): Promise<Approved> {
  for (;;) {
    const { state, reason, history } = await releaser.get<ReleaserDraft>(`/drafts/${approved.id}`)
    if (!['signed', 'held', 'releasing'].includes(state)) {
      return { ...approved, state, reason, receipt: history.findLast((line) => line.draft === approved.id && line.receipt)?.receipt ?? null }
    }
    await delay(pollMs)
  }
}

function approvedText({ id, state, hold_until, key }: Approved, here: Here): string {
  const leaves = hold_until === null ? '' : ` until ${moment(hold_until, here)} (${distance(hold_until, here)}), then it leaves`
  return `Signed with ${key}; draft ${shortId(id)} is ${state}${leaves}.\nTake it back: castellan draft undo ${shortId(id)}`
}

