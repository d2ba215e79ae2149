import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import fc from 'fast-check'
import { testDatabase, type TestDatabase } from '../../../test/support/database.ts'
import { declareJobs, jobDefinition, stepDefinition } from '../../../test/support/jobs.ts'
import { newId } from '../ids.ts'
import type { Role } from './roles.ts'

const jobs = [
  jobDefinition({ name: 'plain' }),
  jobDefinition({ name: 'two-steps', lane: 'open', steps: [stepDefinition('one'), stepDefinition('two')] }),
  jobDefinition({ name: 'skips', overlap: 'skip' }),
  jobDefinition({ name: 'queues', overlap: 'queue', tries: 1 }),
  jobDefinition({ name: 'replaces', overlap: 'replace', lane: 'open' }),
]

interface Request { readonly run: string; readonly occurrence: string; readonly job: string; readonly slot: Date; readonly key: string | null }
interface Claim { readonly run: string; readonly fence: string; readonly next: { readonly id: string }; readonly label: object }

type Ending = 'succeeded' | 'skipped' | 'failed' | 'parked' | 'raised' | 'without model' | 'stale'
const endings: readonly Ending[] = ['succeeded', 'skipped', 'failed', 'parked', 'raised', 'without model', 'stale']

/** What both ways of writing runs have in common. */
interface Writer {
  open(requests: readonly Request[]): Promise<{ outcome: string }[]>
  take(queue: string): Promise<Claim[]>
  advance(results: readonly { claim: Claim; result: object }[]): Promise<{ outcome: string }[]>
}

/** Each run belongs to one worker. */
const takerOf = (queue: string): Role => (queue === 'runs_open' ? 'castellan_worker_open' : 'castellan_worker_private')

function oneByOne(db: TestDatabase): Writer {
  const ask = async (role: Role, call: string, values: unknown[]) =>
    (await db.as(role).pool.query(`select ${call} as answer`, values)).rows[0]!.answer
  return {
    open: (requests) => inTurn(requests, ({ run, occurrence, job, slot, key }) => ask('castellan_server', `run_open($1, $2, $3, $4, 'manual', $5, '{}')`, [run, occurrence, job, slot, key])),
    async take(queue) {
      const waiting = async () => (await db.owner.pool.query(`select 1 from pgboss.job where name = $1 and state < 'active' and start_after <= now()`, [queue])).rows.length
      const claims: Claim[] = []
      while ((await waiting()) > 0) claims.push(...((await ask(takerOf(queue), `runs_take($1, 1, 'x', 1000)`, [queue])) as Claim[]))
      return claims
    },
    advance: (results) => inTurn(results, ({ claim, result }) => ask('castellan_worker_private', 'run_advance($1, $2, $3)', [claim.run, claim.fence, JSON.stringify(result)])),
  }
}

function together(db: TestDatabase): Writer {
  const byPlace = <T>(rows: { place: number; answer: T }[]) => rows.sort((a, b) => a.place - b.place).map(({ answer }) => answer)
  return {
    async open(requests) {
      const column = <K extends keyof Request>(key: K) => requests.map((request) => request[key])
      const { rows } = await db.as('castellan_server').pool.query(
        'select place, opened as answer from runs_open($1, $2, $3, $4, $5, $6, $7)',
        [column('run'), column('occurrence'), column('job'), column('slot'), requests.map(() => 'manual'), column('key'), requests.map(() => '{}')],
      )
      return byPlace(rows)
    },
    take: async (queue) => (await db.as(takerOf(queue)).pool.query(`select runs_take($1, 100, 'x', 1000) as taken`, [queue])).rows[0]!.taken,
    async advance(results) {
      const { rows } = await db.as('castellan_worker_private').pool.query('select place, outcome as answer from runs_advance($1, $2, $3, $4)', [
        results.map(({ claim }) => claim.run), results.map(({ claim }) => claim.fence), results.map(({ result }) => JSON.stringify(result)), results.map(() => '[]'),
      ])
      return byPlace(rows)
    },
  }
}

async function inTurn<I, O>(items: readonly I[], work: (item: I) => Promise<O>): Promise<O[]> {
  const results: O[] = []
  for (const item of items) results.push(await work(item))
  return results
}

const lanesOf = new Map(jobs.map(({ name, lane }) => [name, lane]))

function resultOf(claim: Claim & { job?: string }, ending: Ending): object {
  const lanes = [lanesOf.get(claim.job!)!]
  const label = { level: ending === 'raised' ? 2 : 1, integrity: ending === 'raised' ? 'untrusted' : 'trusted', lanes }
  const state = ending === 'raised' || ending === 'without model' || ending === 'stale' ? 'succeeded' : ending
  return {
    step: ending === 'stale' ? 'no such step' : claim.next.id, state, label, output: { ending },
    ...(ending === 'without model' && { without_model: true }), ...(ending === 'failed' && { error: { code: 'test', message: 'test' } }),
  }
}

/** The same wishes, taken and ended in the same way. Returns what was answered and what stands in the tables, without what differs by nature. */
async function story(db: TestDatabase, writer: Writer, wishes: readonly { job: number; slot: number }[], ends: readonly number[]): Promise<unknown> {
  // ids in the order of the wishes, so that both ways end the same runs in the same way
  const opened = await writer.open(wishes.map(({ job, slot }, index) => (
    { run: newId(index), occurrence: newId(index), job: jobs[job]!.name, slot: new Date(1_000_000 + slot * 1000), key: slot < 9 ? `key ${slot % 5}` : null })))
  const advanced: string[] = []
  for (let round = 0; round < 3; round += 1) {
    for (const queue of ['runs_private', 'runs_open']) {
      const claims = (await writer.take(queue)).sort((a, b) => (a.run < b.run ? -1 : 1))
      const outcomes = claims.length === 0 ? [] : await writer.advance(claims.map((claim, index) => ({ claim, result: resultOf(claim, endings[ends[(round * 7 + index) % ends.length]!]!) })))
      advanced.push(...outcomes.map(({ outcome }) => outcome))
    }
  }
  const { rows } = await db.owner.pool.query(`
    select o.job, o.slot, o.state as slot_state, o.idempotency_key, o.reason ~ 'same idempotency' as same_key, r.state, r.label_level, r.label_integrity, r.label_lanes,
      r.made_without_model, r.error ->> 'code' as code, r.fence is null as free, r.queue_job is null as unqueued,
      (select jsonb_agg(jsonb_build_array(s.id, s.position, s.state, s.attempt, s.failures, s.output, s.label_level, encode(s.output_hash, 'hex')) order by s.position) from step s where s.run_id = r.id) as steps,
      (select jsonb_agg(jsonb_build_array(e.kind, e.detail - 'run' - 'replaced_by') order by e.id) from audit_event e where e.subject = r.id::text) as told
    from occurrence o left join run r on r.occurrence_id = o.id order by o.job, o.slot, o.id`)
  const queued = await db.owner.pool.query(`select name, state::text, count(*)::int as jobs from pgboss.job group by 1, 2 order by 1, 2`)
  return { opened: opened.map(({ outcome }) => outcome), advanced: advanced.sort(), rows, queued: queued.rows }
}

async function emptied(t: TestContext): Promise<() => Promise<TestDatabase>> {
  const db = await testDatabase(t)
  await declareJobs(db.owner, jobs)
  return async () => {
    await db.owner.pool.query('truncate occurrence, run, step, run_log, proposal, audit_event cascade; delete from pgboss.job')
    return db
  }
}

test('a batch leaves behind what the same runs leave behind one by one', async (t) => {
  const fresh = await emptied(t)
  const wish = fc.record({ job: fc.nat(jobs.length - 1), slot: fc.nat(14) }) // a key follows from the slot, as in jobs
  await fc.assert(
    fc.asyncProperty(fc.array(wish, { minLength: 2, maxLength: 14 }), fc.array(fc.nat(endings.length - 1), { minLength: 1, maxLength: 9 }), async (wishes, ends) => {
      const ordered = wishes.toSorted((a, b) => a.job - b.job) // a batch takes the jobs in one order
      const single = await fresh()
      const expected = await story(single, oneByOne(single), ordered, ends)
      const batch = await fresh()
      assert.deepEqual(await story(batch, together(batch), ordered, ends), expected)
    }),
    { numRuns: 25 },
  )
})
