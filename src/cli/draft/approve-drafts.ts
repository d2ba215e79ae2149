import { Fault, toFault } from '../../kernel/fault.ts'
import type { Invocation } from '../command/add-command.ts'
import { exitCodes } from '../command/exit-codes.ts'
import { outcome, type Outcome } from '../command/outcome.ts'
import { visible } from '../terminal/visible.ts'
import { counted, distance, shortId } from '../terminal/wording.ts'
import { approveDraft, signDraft, type ApproveOptions } from './approve-draft.ts'
import { openKey } from './choose-key.ts'
import { describeDraft, draftText, highRisk, type DescribedDraft } from './draft-text.ts'
import { findDraft } from './releaser-draft.ts'
import { readTimes, setTime, tellTime, type Shown } from './set-times.ts'
import { verifyDraft } from './verify-draft.ts'

interface Approval {
  readonly id: string
  readonly state: string
  readonly hold_until: string | null
  /** Why it was not signed. */
  readonly why: string | null
}

/**
 * Approves one draft, or several: exactly those that were named, each hash signed by itself. High risk and P3 are left out of
 * several; one that cannot be signed does not keep the others from it.
 */
export async function approveDrafts(invocation: Invocation<ApproveOptions>): Promise<Outcome> {
  const named = [...new Set(invocation.args[0] as unknown as string[])]
  if (named.length === 1) return approveDraft({ ...invocation, args: named })
  const { options, ask, home, here, say, err } = invocation
  if (options.wait) throw new Fault('invalid', 'draft.wait', '--wait waits for one draft; name one, or look with `castellan draft list`')
  const releaser = await invocation.releaser()

  const wanted: Shown[] = []
  const results: Approval[] = []
  for (const name of named) {
    const shown = await findDraft(releaser, name)
    if (wanted.some(({ draft }) => draft.id === shown.id) || results.some(({ id }) => id === shown.id)) continue
    try {
      const verified = await verifyDraft(shown)
      const draft = describeDraft(shown, verified)
      const why = reasonToLeaveOut(draft)
      if (why === undefined) wanted.push({ verified, draft })
      else results.push({ id: shown.id, state: draft.state, hold_until: null, why })
    } catch (error) {
      results.push({ id: shown.id, state: shown.state, hold_until: null, why: toFault(error).message })
    }
  }
  const times = await readTimes(options, wanted.length, here)
  for (const [index, { draft }] of wanted.entries()) {
    say(draftText(visible(draft), err, here))
    say(times[index] === undefined ? '' : `  ${await tellTime(times[index], here)}\n`)
  }
  for (const { id, why } of results) say(`Left out: ${shortId(id)}, ${why}`)
  if (options.dryRun) return finish([...wanted.map(({ draft }) => ({ id: draft.id, state: 'dry_run', hold_until: null, why: null })), ...results], here)
  if (wanted.length === 0) return finish(results, here)
  const sure = await ask.confirm(`Sign exactly these, each by itself: ${wanted.map(({ draft }) => shortId(draft.id)).join(', ')}?`)
  if (!sure) return outcome(wanted.map(({ draft: { id, state } }) => ({ id, state })), () => 'Nothing was signed; the drafts still wait.')
  const key = await openKey(home, ask, releaser, { name: options.key, passphraseDescriptor: options.passphraseFd })
  for (const [index, shown] of wanted.entries()) {
    const { draft } = shown
    try {
      const timed = await setTime(releaser, shown, times[index])
      const { id, state, hold_until } = await signDraft(releaser, key, timed.draft, timed.verified)
      results.push({ id, state, hold_until, why: null })
    } catch (error) {
      results.push({ id: draft.id, state: draft.state, hold_until: null, why: toFault(error).message })
    }
  }
  return finish(results, { ...here, now: new Date() })
}

function reasonToLeaveOut({ id, state, document }: DescribedDraft): string | undefined {
  if (state !== 'waiting') return `it is ${state} already`
  if (document.risk >= highRisk) return `its risk is ${document.risk}/10: look at it alone (castellan draft approve ${shortId(id)})`
  return document.label.level === 3 ? `it is P3 local only: look at it alone (castellan draft approve ${shortId(id)})` : undefined
}

function finish(results: readonly Approval[], here: Parameters<typeof distance>[1]): Outcome {
  const left = results.filter(({ why }) => why !== null)
  const failure = left.length === 0 ? undefined : {
    exit: left.length === results.length ? exitCodes.conflict : exitCodes.partial, code: 'draft.left_out',
    message: `${counted(left.length, 'draft')} of ${results.length} ${left.length === 1 ? 'was' : 'were'} not signed: ${left.map(({ id, why }) => `${shortId(id)}, ${why}`).join('; ')}`,
  }
  return outcome([...results], (data) => data.filter(({ why }) => why === null).map(({ id, state, hold_until }) =>
    state === 'dry_run' ? `would sign draft ${shortId(id)}` : `Draft ${shortId(id)} is ${state}${hold_until === null ? '' : ` and leaves ${distance(hold_until, here)}`}.`).join('\n'), failure)
}
