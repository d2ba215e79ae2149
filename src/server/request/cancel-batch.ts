import { Fault } from '../../kernel/fault.ts'
import type { Database } from '../../kernel/database/connect.ts'
import { recordRequest } from './record-request.ts'

/** No line of it is begun any more; its gate ends it within seconds. @throws Fault `batch.missing`, `batch.closed` */
export async function cancelBatch(database: Database, id: string): Promise<{ id: string; state: 'cancelling' }> {
  const name = `batch_${id.replaceAll('-', '')}`
  await database.transaction(async (client) => {
    await recordRequest(client, { request: 'batch.cancel', subject: id })
    const { rows } = await client.query<{ done: { outcome: 'missing' | 'closed' | 'cancelling'; state: string } }>('select batch_cancel($1) as done', [id])
    const { outcome, state } = rows[0]!.done
    if (outcome === 'missing') throw new Fault('missing', 'batch.missing', `there is no batch ${name}`)
    if (outcome === 'closed') throw new Fault('conflict', 'batch.closed', `batch ${name} is already ${state}`, { state })
  })
  return { id: name, state: 'cancelling' }
}
