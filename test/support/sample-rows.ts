import { createHash, randomUUID } from 'node:crypto'
import type { TestDatabase } from './database.ts'
import { declareJobs, jobDefinition } from './jobs.ts'

export interface SampleRows {
  /** Of lane open, P1: claimed by the open worker. */
  readonly open: { run: string; fence: string; session: string }
  /** Of lane private, P2: claimed by the private worker. */
  readonly secret: { run: string; fence: string; session: string }
  readonly proposal: string
  readonly draft: string
  readonly message: string
}

/** One row of everything that roles may fight over, made the way the processes make it. */
export async function sampleRows(db: TestDatabase): Promise<SampleRows> {
  await declareJobs(db.owner, [
    jobDefinition({ name: 'open-job', lane: 'open' }),
    jobDefinition({ name: 'secret-job', lane: 'private', label: { level: 2, integrity: 'untrusted', lanes: [] } }),
  ])
  const open = await claimedRun(db, 'open-job', 'castellan_worker_open')
  const secret = await claimedRun(db, 'secret-job', 'castellan_worker_private')
  const proposal = randomUUID()
  await db.as('castellan_worker_private').pool.query(`select proposal_open($1, $2, $3, 'only', 'item', 'mail', 'file', '{"to": "x"}')`, [proposal, secret.run, secret.fence])
  const draft = randomUUID()
  const message = randomUUID()
  const releaser = db.as('castellan_releaser').pool
  await releaser.query(
    `insert into draft (id, proposal_id, kind, connector, account, document, wire, nonce, risk, summary, frozen_at, expires_at, label_level)
     values ($1, $2, 'mail', 'file', '', '{}', '\\x00', 'nonce', 5, '{}', now(), now() + interval '1 hour', 2)`,
    [draft, proposal],
  )
  await releaser.query(`insert into decision (id, draft_id, verdict, decided_at) values ($1, $2, 'deny', now())`, [randomUUID(), draft])
  await releaser.query(`select mail_store($1, 'sample', 'inbox', '1', 'raw mail', now(), 2::smallint, 'untrusted', '{private}')`, [message])
  await db.owner.pool.query(`insert into house (digest, settings) values ('house', '{}')`)
  for (const [gate, run, level] of [['local', secret, 2], ['cloud', open, 1]] as const) {
    await db.as(`castellan_gate_${gate}`).pool.query(
      `insert into model_call (id, session_id, run_id, gate, task, label_level, label_lanes) values ($1, $2, $3, $4, 'summarize', $5, $6)`,
      [randomUUID(), run.session, run.run, gate, level, gate === 'local' ? ['private'] : ['open']],
    )
  }
  return { open, secret, proposal, draft, message }
}

async function claimedRun(db: TestDatabase, job: string, worker: 'castellan_worker_open' | 'castellan_worker_private') {
  const run = randomUUID()
  await db.as('castellan_server').pool.query(`select run_open($1, $2, $3, now(), 'manual', null, '{}')`, [run, randomUUID(), job])
  const { pool } = db.as(worker)
  const { rows } = await pool.query<{ fence: string }>(`select run_claim($1, 'test', 1000) ->> 'fence' as fence`, [run])
  const { fence } = rows[0]!
  const { rows: keys } = await pool.query<{ key: string }>('select session_open($1, $2) as key', [run, fence])
  const { rows: found } = await db.as('castellan_gate_local').pool.query<{ session: string }>(`select session_find($1) ->> 'id' as session`, [
    createHash('sha256').update(keys[0]!.key).digest(),
  ])
  return { run, fence, session: found[0]!.session }
}
