import { Fault } from '../../kernel/fault.ts'
import type { SocketClient } from '../connection/socket-client.ts'
import type { Here } from '../terminal/wording.ts'
import { describeDraft, type DescribedDraft } from './draft-text.ts'
import type { ReleaserDraft } from './releaser-draft.ts'
import { verifyDraft, type VerifiedDraft } from './verify-draft.ts'

export interface TimeOptions {
  readonly at?: string
  readonly every?: string
  readonly from?: string
}

/** What is to stand in the document; undefined: what stands there. */
export type SetTime = string | null | undefined

/**
 * When each of so many drafts is to leave: all at one time, or one after the other, so much real time apart, whatever clocks do in between.
 * @throws Fault `usage` for options that do not go together, `time.*` for what is no time
 */
export async function readTimes({ at, every, from }: TimeOptions, count: number, here: Here): Promise<SetTime[]> {
  if (at !== undefined && every !== undefined) throw new Fault('invalid', 'usage', '--at sets one time for all, and --every one for each: use one of them')
  if (from !== undefined && every === undefined) throw new Fault('invalid', 'usage', '--from is where --every begins: say --every too, or --at')
  if (at !== undefined) return Array<SetTime>(count).fill(await readTime(at, here))
  if (every === undefined) return Array<SetTime>(count).fill(undefined)
  const { parseDuration } = await import('../../house/index.ts')
  const apart = parseDuration(every)
  if (apart < 1_000) throw new Fault('invalid', 'usage', `--every ${every} is no time between two drafts: write e.g. 2h`)
  const first = from === undefined ? null : await readTime(from, here)
  const begin = first === null ? here.now.getTime() : Date.parse(first)
  return Array.from({ length: count }, (_, index) => (index === 0 && first === null ? null : new Date(begin + index * apart).toISOString()))
}

/** `now`: without a set time. `2026-12-01T09:00`: as the clock of the house shows it then. `16:00`: the next time it does. `2h`: from now. Or a moment with its offset. */
async function readTime(text: string, here: Here): Promise<string | null> {
  if (text === 'now') return null
  if (text === 'none') throw new Fault('invalid', 'time.local', '"none" is no time: write now for right after the hold')
  const { readMoment } = await import('./snooze-draft.ts')
  return (await readMoment(text, here))!.toISOString()
}

export function zoneOf({ timezone }: Here): string {
  return timezone ?? Intl.DateTimeFormat().resolvedOptions().timeZone
}

/** The words that say when it leaves: as the clock shows it, and as it is signed. */
export async function tellTime(time: SetTime, here: Here): Promise<string> {
  return time ? `it leaves at ${(await import('../../house/index.ts')).bothTimes(new Date(time), zoneOf(here))}, and not before` : 'it leaves right after its hold'
}

export interface Shown {
  readonly verified: VerifiedDraft
  readonly draft: DescribedDraft
}

/**
 * Has the time put into the document, which makes it a new draft, and looks whether that is the one that was shown with nothing else changed.
 * @throws Fault `draft.mismatch`, and what the releaser says
 */
export async function setTime(releaser: SocketClient, shown: Shown, time: SetTime): Promise<Shown> {
  const { document, challenge } = shown.verified
  if (time === undefined || time === document.not_before) return shown
  const answer = await releaser.post<ReleaserDraft>(`/drafts/${document.id}/schedule`, { challenge: challenge.toString('hex'), not_before: time })
  const verified = await verifyDraft(answer)
  const kept = ({ id: _id, nonce: _nonce, replaces: _replaces, frozen_at: _frozen, expires_at: _expires, not_before: _time, ...rest }: typeof document) => JSON.stringify(rest)
  const { document: fresh } = verified
  if (kept(fresh) !== kept(document) || fresh.replaces !== document.id || fresh.not_before !== time) {
    throw new Fault('refused', 'draft.mismatch', `draft ${fresh.id} cannot be signed: more than its time is other than what was shown. Deny it, and look into the releaser's log`)
  }
  return { verified, draft: describeDraft(answer, verified) }
}
