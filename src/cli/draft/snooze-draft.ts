import { Fault } from '../../kernel/fault.ts'
import type { Invocation } from '../command/add-command.ts'
import { outcome, type Outcome } from '../command/outcome.ts'
import { moment, shortId, type Here } from '../terminal/wording.ts'
import { findDraft } from './releaser-draft.ts'

/** Takes a draft out of the usual list until then, or back into it. */
export async function snoozeDraft({ releaser, args, options, here }: Invocation<{ until: string }>): Promise<Outcome> {
  const until = await readMoment(options.until, here)
  const client = await releaser()
  const { id, state } = await findDraft(client, args[0]!)
  const what = until === null ? 'back in the list' : `snoozed until ${moment(until.toISOString(), here)}`
  if (options.dryRun) return outcome({ id, state: 'dry_run', would: `draft ${shortId(id)}, which is ${state}, would be ${what}` }, (data) => data.would)
  const done = await client.post<{ until: string | null }>(`/drafts/${id}/snooze`, { until: until?.toISOString() ?? null })
  return outcome({ id, state, snoozed_until: done.until }, (data) => `Draft ${shortId(data.id)} is ${what}; it expires as before.`)
}

/** `16:00`: the next time that the clock of the house shows it; `2026-12-01T09:00`: as it shows it then; `2h`: from now; a moment with its offset; `none`: not at all. @throws Fault `draft.until`, `time.local` */
export async function readMoment(text: string, { now, timezone }: Here): Promise<Date | null> {
  if (text === 'none') return null
  const { localMoment, nextFires, parseDuration } = await import('../../house/index.ts')
  const zone = timezone ?? Intl.DateTimeFormat().resolvedOptions().timeZone
  const clock = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(text)
  if (clock) return nextFires(`${Number(clock[2])} ${Number(clock[1])} * * *`, zone, now, 1)[0]!
  if (/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?$/.test(text)) return localMoment(text, zone)
  // without its offset it would be one of the clock of this machine
  if (/^\d{4}-\d\d-\d\dT\S*(?:Z|[+-]\d\d:?\d\d)$/.test(text) && !Number.isNaN(Date.parse(text))) return new Date(text)
  try {
    return new Date(now.getTime() + parseDuration(text))
  } catch {
    throw new Fault('invalid', 'draft.until', `"${text}" is no moment: write 16:00, 2026-11-27T16:00, 2h, a moment with its offset such as 2026-11-27T16:00:00+01:00, or none`)
  }
}
