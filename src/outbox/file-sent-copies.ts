import { Fault, toFault } from '../kernel/fault.ts'
import { faultPoint } from '../kernel/fault-point.ts'
import type { OutboxDeps } from './change.ts'
import { readDocument, sha256 } from './document.ts'
import { isSwept } from './draft.ts'
import { findDraft } from './draft-queries.ts'
import { closeSentCopy, dueSentCopies, postponeSentCopy } from './sent-copy-store.ts'

/** How long after each try that failed the next one comes, in milliseconds. */
export const copyRetryAfterMs: readonly number[] = [60_000, 600_000, 3_600_000, 6 * 3_600_000]

/**
 * Files copies of what was sent in the mailboxes of the senders. Whatever comes of it, what was sent stays sent; a copy that
 * was filed before a crash is found by its name and not filed again.
 */
export async function fileSentCopies(deps: Pick<OutboxDeps, 'database' | 'clock' | 'log' | 'connectors'>, signal?: AbortSignal): Promise<void> {
  const { pool } = deps.database
  for (const { draft, tries } of await dueSentCopies(pool, deps.clock.now())) {
    if (signal?.aborted) return
    try {
      const state = await fileCopy(deps, draft)
      faultPoint('sent_copy.filed')
      await closeSentCopy(pool, draft, state, null, deps.clock.now())
    } catch (error) {
      const fault = toFault(error)
      deps.log.warn({ err: fault, draft }, 'a copy of what was sent was not filed')
      const now = deps.clock.now()
      const next = new Date(now.getTime() + (copyRetryAfterMs[tries] ?? Number.NaN))
      if (fault.kind === 'invalid' || Number.isNaN(next.getTime())) await closeSentCopy(pool, draft, 'failed', fault.message, now)
      else await postponeSentCopy(pool, draft, fault.message, next)
    }
  }
}

async function fileCopy({ database, connectors }: Pick<OutboxDeps, 'database' | 'connectors'>, id: string): Promise<'filed' | 'present'> {
  const draft = (await findDraft(database.pool, id))!
  if (isSwept(draft)) throw new Fault('invalid', 'sent_copy.gone', 'its time was over before a copy could be filed')
  const document = readDocument(draft.document)
  if (sha256(draft.wire) !== document.wire.sha256) throw new Fault('invalid', 'sent_copy.altered', 'the stored bytes are not those that were sent')
  const connector = connectors().find(draft.connector)
  if (!connector?.sent) throw new Fault('invalid', 'sent_copy.unwanted', `the connector ${draft.connector} files no copies any more`)
  if (connector.account !== document.account) {
    throw new Fault('invalid', 'sent_copy.elsewhere', `the connector ${draft.connector} leads elsewhere now (${connector.account}); the draft names ${document.account}`)
  }
  return connector.sent.file(draft.wire)
}
