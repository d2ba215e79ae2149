import { PgBoss } from 'pg-boss'
import { newId } from '../src/kernel/ids.ts'
import { keepBusy } from './keep-busy.ts'
import type { OpenSide } from './side.ts'

const batch = 500

/** pg-boss as its manual says: a batch in, the same number out, completed. */
export const open: OpenSide = async (database) => {
  const boss = new PgBoss({ ...database, max: 4, supervise: false, schedule: false })
  boss.on('error', (error) => console.error(error))
  await boss.start()
  await boss.createQueue('bench', { partition: true })
  return {
    measure: (concurrency, milliseconds) =>
      keepBusy(concurrency, milliseconds, async () => {
        await boss.insert('bench', Array.from({ length: batch }, () => ({ data: { run_id: newId() } })))
        const jobs = await boss.fetch('bench', { batchSize: batch })
        await boss.complete('bench', jobs.map(({ id }) => id))
        return jobs.length
      }),
    close: () => boss.stop({ graceful: false }),
  }
}
