import type { Verification, Verified } from '../kernel/audit/index.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Reporter } from './reporter.ts'

export interface AuditWatchDeps {
  readonly clock: Clock
  readonly reporter: Pick<Reporter, 'note' | 'over'>
  /** Verifies what is behind `since`, or all of it. */
  verify(since: Verified | undefined): Promise<{ readonly problem?: Verification['problem']; readonly verified: Verified }>
  readonly newMs?: number
  readonly wholeMs?: number
}

const chain = 'chain'

/**
 * The work of a loop: verifies what was sealed since the last look, and once a day all of it; answers when it wants to look again.
 * A batch that is wrong is found again with every look until it is right, because none goes on behind it.
 */
export function createAuditWatch({ clock, reporter, verify, newMs = 60_000, wholeMs = 24 * 3_600_000 }: AuditWatchDeps): () => Promise<number> {
  let verified: Verified | undefined
  let wholeAt: number | undefined
  let broken = false
  return async () => {
    const now = clock.now().getTime()
    // a clock that jumps back must not put the whole look off
    const isWhole = wholeAt === undefined || now - wholeAt >= wholeMs || now < wholeAt
    const found = await verify(isWhole ? undefined : verified)
    verified = found.verified
    if (isWhole) wholeAt = now
    if (found.problem !== undefined) reporter.note('audit.broken', chain, { code: `batch.${found.problem.batch}` })
    else if (broken || isWhole) reporter.over('audit.broken', chain)
    broken = found.problem !== undefined
    return newMs
  }
}
