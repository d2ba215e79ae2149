import { newId } from '../src/kernel/ids.ts'
import { castellanDatabase } from './castellan-database.ts'
import { keepBusy } from './keep-busy.ts'
import type { OpenSide } from './side.ts'

const batch = 500

/** Our queue alone, by the functions that the ledger calls: a batch in, the same number out, completed. */
export const open: OpenSide = async (database) => {
  const { owner } = await castellanDatabase(database)
  return {
    measure: (concurrency, milliseconds) =>
      keepBusy(concurrency, milliseconds, async () => {
        const runs = Array.from({ length: batch }, () => newId())
        await owner.pool.query({ name: 'push', text: 'select queue_push($1, $2)', values: ['runs_private', runs] })
        const { rows } = await owner.pool.query<{ jobs: string[] }>({ name: 'pull', text: 'select jobs from queue_pull($1, $2)', values: ['runs_private', batch] })
        const { jobs } = rows[0]!
        await owner.pool.query({ name: 'done', text: 'select queue_done($1, $2)', values: ['runs_private', jobs] })
        return jobs.length
      }),
    close: owner.close,
  }
}
