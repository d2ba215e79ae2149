import type { Database } from '../../kernel/database/connect.ts'
import { recordRequest } from './record-request.ts'

/** The operator has seen it; what goes on is counted on, and asks again when it becomes worse. One that is over stays so. */
export async function acknowledgeAlert(database: Database, id: string): Promise<{ id: string; state: 'acknowledged' | 'closed' }> {
  return database.transaction(async (client) => {
    await recordRequest(client, { request: 'alert.acknowledge', subject: id })
    const { rows } = await client.query<{ state: 'acknowledged' | 'closed' }>('select alert_acknowledge($1) as state', [id])
    return { id, state: rows[0]!.state }
  })
}
