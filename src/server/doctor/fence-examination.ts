import type { Database } from '../../kernel/database/connect.ts'
import { readFence } from '../read/fence.ts'
import type { Examination } from './doctor.ts'

/** Does what is signed leave, or did an older copy of the database come back? */
export function fenceExamination({ database }: { readonly database: Pick<Database, 'pool'> }): Examination {
  return {
    id: 'outbox',
    mend: 'castellan outbox resume',
    async look() {
      const fence = await readFence(database)
      return fence ? { status: 'fail', what: `nothing leaves since ${fence.at.toISOString()}: ${fence.why}` } : { status: 'ok', what: 'what is signed leaves' }
    },
  }
}
