import { randomBytes } from 'node:crypto'
import { connect } from '../src/kernel/database/connect.ts'
import { newId } from '../src/kernel/ids.ts'
import { prepareDatabase } from '../src/kernel/database/prepare.ts'
import { roles, type Passwords } from '../src/kernel/database/roles.ts'
import { createQueue } from '../src/jobs/index.ts'
import { keepBusy } from './keep-busy.ts'
import type { OpenSide } from './side.ts'

const batch = 500

/** Our queue alone, under the worker's role: a batch in, the same number out, completed, each in a transaction. */
export const open: OpenSide = async (database) => {
  const passwords = Object.fromEntries(roles.map((role) => [role, randomBytes(12).toString('hex')])) as Passwords
  const owner = connect(database, { max: 1 })
  await prepareDatabase(owner, passwords)
  await owner.close()
  const user = 'castellan_worker_private'
  const worker = connect({ ...database, user, password: passwords[user] }, { max: 4 })
  const queue = await createQueue(worker.pool)
  return {
    measure: (concurrency, milliseconds) =>
      keepBusy(concurrency, milliseconds, async () => {
        await worker.transaction((client) => queue.enqueue(client, Array.from({ length: batch }, () => ({ run: newId(), queue: 'runs_private' as const }))))
        const jobs = await worker.transaction((client) => queue.fetch(client, 'runs_private', batch))
        await worker.transaction((client) => queue.complete(client, 'runs_private', jobs.map(({ id }) => id)))
        return jobs.length
      }),
    async close() {
      await queue.close()
      await worker.close()
    },
  }
}
