import { randomUUID } from 'node:crypto'
import type { Database } from '../src/kernel/database/connect.ts'
import { homeDatabase } from '../test/support/home-database.ts'
import { declareJobs, jobDefinition } from '../test/support/jobs.ts'
import { runningHouse, type RunningHouse } from '../test/support/running-house.ts'
import { fillHouse } from './web-rows.ts'

/** As many as a list holds at most. */
export const listed = 1_000
const job = 'bench'

export interface BusyHouse extends RunningHouse {
  readonly owner: Database
  /** Stops its processes and removes its home. */
  stop(): Promise<void>
}

/**
 * The starter house as it runs, in a home of its own: ten thousand runs behind it, and that many drafts waiting that the
 * releaser froze. Nothing is held after a signature, so that what is measured is no pause.
 */
export async function busyHouse(waiting: number, onProgress: (line: string) => void): Promise<BusyHouse> {
  const ends: (() => unknown)[] = []
  const stop = async () => {
    for (const end of ends.splice(0).reverse()) await end()
  }
  try {
    const scope = { after: (end: () => unknown) => void ends.push(end) } as Parameters<typeof runningHouse>[0]
    const house = await runningHouse(scope, { edit: (yaml) => yaml.replace('hold: 10s', 'hold: 0s') })
    const owner = await homeDatabase(scope, house.home)
    await fillHouse(owner)
    await declareJobs(owner, [jobDefinition({ name: job })])
    await propose(owner, waiting)
    await until(owner, `select count(*) >= ${waiting} as done from draft where state = 'waiting'`)
    await owner.pool.query('analyze')
    // what was written is still being sealed into the audit's chain, which is work that a quiet house does not have
    await until(owner, `select coalesce(max(upto_id), 0) >= (select max(id) from audit_event) as done from audit_seal`)
    onProgress(`web: a house with ${waiting.toLocaleString('en')} waiting drafts runs`)
    return { ...house, owner, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** A run of a job that proposed so many mails, no two alike, and waits for them. */
async function propose(owner: Database, count: number): Promise<void> {
  const run = randomUUID()
  const { rows } = await owner.pool.query<{ id: string }>(`insert into occurrence (id, job, slot, origin) values (gen_random_uuid(), $1, clock_timestamp(), 'manual') returning id`, [job])
  await owner.pool.query(
    `insert into run (id, occurrence_id, job, digest, lane, state, label_level, label_lanes) select $1, $2, name, digest, lane, 'parked', 2, '{private}' from job where name = $3`, [run, rows[0]!.id, job],
  )
  await owner.pool.query(
    `insert into proposal (id, run_id, step_id, item_key, kind, connector, payload, label_level, label_integrity, label_lanes)
     select gen_random_uuid(), $1, 'only', n::text, 'mail', 'file',
       jsonb_build_object('to', 'P' || n || ' <p' || n || '@example.org>', 'subject', 'Termin ' || n, 'text', repeat('Guten Morgen, bis Montag. ', 80)), 2, 'trusted', '{private}'
     from generate_series(1, $2::int) as n`, [run, count],
  )
}

async function until(owner: Database, question: string): Promise<void> {
  for (const deadline = performance.now() + 120_000; performance.now() < deadline; await new Promise((resolve) => setTimeout(resolve, 100))) {
    const { rows } = await owner.pool.query<{ done: boolean }>(question)
    if (rows[0]?.done) return
  }
  throw new Error(`not within two minutes: ${question}`)
}
