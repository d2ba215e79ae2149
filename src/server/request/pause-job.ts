import { Fault } from '../../kernel/fault.ts'
import type { Database } from '../../kernel/database/connect.ts'
import { recordRequest } from './record-request.ts'

/** Holds a job's schedule or lets it go on; slots that pass meanwhile are recorded as skipped. @throws Fault `job.missing` */
export async function pauseJob(database: Database, job: string, paused: boolean): Promise<{ name: string; state: 'paused' | 'active' }> {
  await database.transaction(async (client) => {
    await recordRequest(client, { request: paused ? 'job.pause' : 'job.resume', subject: job })
    const { rows } = await client.query<{ found: boolean }>('select job_pause($1, $2) as found', [job, paused])
    if (!rows[0]!.found) throw new Fault('missing', 'job.missing', `there is no job "${job}"; \`castellan job list\` shows those that are declared`)
  })
  return { name: job, state: paused ? 'paused' : 'active' }
}
