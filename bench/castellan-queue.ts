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
        const { rows } = await owner.pool.query<{ job: string }>({ name: 'pull', text: 'select job from queue_pull($1, $2)', values: ['runs_private', batch] })
        await owner.pool.query({ name: 'done', text: 'select queue_done($1, $2)', values: ['runs_private', rows.map(({ job }) => job)] })
        return rows.length
      }),
    close: owner.close,
  }
}
