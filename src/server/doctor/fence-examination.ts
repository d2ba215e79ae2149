import type { Clock } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/database/connect.ts'
import { readFence } from '../read/fence.ts'
import type { Examination } from './doctor.ts'

/** Does what is signed leave, and count, or did an older copy of the database come back? */
export function fenceExamination({ database, clock }: { readonly database: Pick<Database, 'pool'>; readonly clock: Clock }): Examination {
  return {
    id: 'outbox',
    mend: 'castellan outbox resume',
    async look() {
      const fence = await readFence(database, clock.now())
      if (fence) {
        const waiting = fence.waiting.length > 0 ? `, nor does this count: ${fence.waiting.join(', ')}` : ''
        return { status: 'fail', what: `nothing leaves since ${fence.at.toISOString()}${waiting}; ${fence.why}` }
      }
      const { rows } = await database.pool.query<{ why: string | null }>('select acts_wait() as why')
      return rows[0]!.why === null
        ? { status: 'ok', what: 'what is signed leaves' }
        : { status: 'fail', what: 'nothing leaves, and no clearance or key of a program counts: the releaser has not looked yet whether this database is an older copy', mend: 'castellan status' }
    },
  }
}
