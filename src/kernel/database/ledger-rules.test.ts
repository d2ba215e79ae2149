import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { testDatabase } from '../../../test/support/database.ts'
import { declareJobs, jobDefinition, stepDefinition } from '../../../test/support/jobs.ts'
import { sampleRows } from '../../../test/support/sample-rows.ts'

describe('a label', () => {
  test('only rises, on every table that guards it, for the owner too', async (t) => {
    const db = await testDatabase(t)
    await sampleRows(db)
    for (const table of ['run', 'content', 'mail_message']) {
      const update = (set: string) => db.owner.pool.query(`update ${table} set ${set}`)
      await update(`label_level = 2, label_integrity = 'untrusted', label_lanes = '{open,private}'`)
      for (const fall of ['label_level = 1', `label_integrity = 'trusted'`, `label_lanes = '{open}'`, `label_lanes = '{}'`, `label_level = 3, label_lanes = '{private}'`]) {
        await assert.rejects(update(fall), { code: 'CA001' }, `${table}: ${fall}`)
      }
      await update(`label_level = 3, label_lanes = '{more,open,private}'`)
    }
  })

  test('joins in SQL as the algebra says: lanes are a set, untrusted wins, the clearance is the lowest of the lanes', async (t) => {
    const db = await testDatabase(t)
    await db.owner.pool.query(`insert into lane (name, worker, cloud_clearance) values ('none', 'private', -1), ('low', 'open', 0), ('client', 'open', 1)`)
    const clearances: Record<string, number> = { none: -1, low: 0, client: 1 }
    const lanes = fc.uniqueArray(fc.constantFrom('none', 'low', 'client', 'undeclared'))
    await fc.assert(
      fc.asyncProperty(lanes, lanes, fc.constantFrom('trusted', 'untrusted'), fc.constantFrom('trusted', 'untrusted'), async (a, b, c, d) => {
        const { rows } = await db.as('castellan_server').pool.query('select lanes_join($1, $2) as lanes, integrity_join($3, $4) as integrity, cloud_clearance($1) as clearance', [a, b, c, d])
        assert.deepEqual(rows[0], {
          lanes: [...new Set([...a, ...b])].sort(),
          integrity: c === 'untrusted' || d === 'untrusted' ? 'untrusted' : 'trusted',
          clearance: a.length === 0 ? 1 : Math.min(...a.map((lane) => clearances[lane] ?? -1)),
        })
      }),
      { numRuns: 60 },
    )
  })
})

describe('an occurrence', () => {
  test('is P1 trusted in the lane of its job, and with a key of the operator as secret as the job', async (t) => {
    const db = await testDatabase(t)
    const secret = { label: { level: 2, integrity: 'untrusted', lanes: [] } } as const
    await declareJobs(db.owner, [jobDefinition({ name: 'open-job', lane: 'open' }), jobDefinition({ name: 'secret-job', lane: 'open', ...secret }), jobDefinition({ name: 'private-job' })])
    const server = db.as('castellan_server').pool
    const open = (job: string, origin: string, slot: number, key: string | null = null) =>
      server.query(`select run_open($1, $2, $3, to_timestamp($4), $5, $6, '{}')`, [randomUUID(), randomUUID(), job, slot, origin, key])
    await open('open-job', 'schedule', 1, 'made from the slot')
    await open('open-job', 'schedule', 2, 'made from the slot')
    await open('open-job', 'manual', 3, 'the operator said')
    await open('secret-job', 'schedule', 1, 'made from the slot')
    await open('secret-job', 'manual', 2, 'the operator said')
    await open('secret-job', 'manual', 3)
    for (const job of ['open-job', 'private-job']) await server.query(`select occurrences_close($1, $2, $3, 'missed', 'down')`, [job, [randomUUID()], [new Date(9_000)]])
    const { rows } = await db.owner.pool.query<{ said: string }>(
      `select concat_ws(' ', job, extract(epoch from slot)::int, 'P' || label_level, label_integrity, label_lanes::text) as said from occurrence order by job, slot`,
    )
    assert.deepEqual(rows.map(({ said }) => said), [
      'open-job 1 P1 trusted {open}', 'open-job 2 P1 trusted {open}', 'open-job 3 P1 trusted {open}', 'open-job 9 P1 trusted {open}',
      'private-job 9 P1 trusted {private}',
      'secret-job 1 P1 trusted {open}', 'secret-job 2 P2 untrusted {open}', 'secret-job 3 P1 trusted {open}',
    ])
    const seen = await db.as('castellan_worker_open').pool.query<{ said: string }>(`select job || ' ' || extract(epoch from slot)::int as said from occurrence order by 1`)
    assert.deepEqual(seen.rows.map(({ said }) => said), ['open-job 1', 'open-job 2', 'open-job 3', 'open-job 9', 'secret-job 1', 'secret-job 3'])
  })
})

describe('an idempotency key', () => {
  test('stays with the run that was opened for it; what was skipped leaves it to the next', async (t) => {
    const db = await testDatabase(t)
    await declareJobs(db.owner, [jobDefinition({ name: 'job', overlap: 'skip' })])
    const open = async (slot: number, key: string | null) => {
      const { rows } = await db.as('castellan_server').pool.query(`select run_open($1, $2, 'job', to_timestamp($3), 'schedule', $4, '{}') as opened`, [randomUUID(), randomUUID(), slot, key])
      return rows[0].opened as { outcome: string; run: string | null }
    }
    const first = await open(1, null)
    assert.equal((await open(2, 'a')).outcome, 'skipped')
    await db.as('castellan_server').pool.query('select run_cancel($1)', [first.run])
    const second = await open(3, 'a')
    assert.equal(second.outcome, 'opened')
    assert.deepEqual(await open(4, 'a'), { outcome: 'duplicate', run: second.run })
    assert.deepEqual(await open(2, null), { outcome: 'duplicate', run: null })
  })
})

describe('a draft', () => {
  const states = ['waiting', 'signed', 'held', 'releasing', 'released', 'failed', 'unknown', 'denied', 'expired', 'undone', 'replaced'] as const
  const moves: Record<string, readonly string[]> = {
    waiting: ['signed', 'denied', 'expired', 'replaced', 'unknown'],
    signed: ['held', 'expired', 'undone', 'unknown'],
    held: ['releasing', 'undone', 'failed', 'unknown'],
    releasing: ['released', 'failed', 'unknown', 'held'],
    unknown: ['released', 'failed'],
  }

  test('moves from state to state as drawn, and nowhere else, for the releaser', async (t) => {
    const db = await testDatabase(t)
    const { draft } = await sampleRows(db)
    const releaser = db.as('castellan_releaser').pool
    for (const from of states) {
      for (const to of states) {
        const client = await db.owner.pool.connect()
        await client.query(`alter table draft disable trigger draft_state_moves`)
        await client.query('update draft set state = $1', [from])
        await client.query(`alter table draft enable trigger draft_state_moves`)
        client.release()
        const move = releaser.query('update draft set state = $2 where id = $1', [draft, to])
        if (from === to || moves[from]?.includes(to)) await move
        else await assert.rejects(move, { code: 'CA002' }, `${from} -> ${to}`)
      }
    }
  })

  test('is approved or denied once, an approval is signed, and a nonce is used once', async (t) => {
    const db = await testDatabase(t)
    const { draft } = await sampleRows(db) // already denied
    const { pool } = db.as('castellan_releaser')
    const decide = (verdict: string, key: string | null) =>
      pool.query('insert into decision (id, draft_id, verdict, key_id, signature, decided_at) values ($1, $2, $3, $4, $5, now())', [randomUUID(), draft, verdict, key, key && Buffer.from('signature')])
    await assert.rejects(decide('approve', 'key'), { code: '23505' })
    await assert.rejects(decide('approve', null), { code: '23514' })
    const deliver = () => pool.query(`insert into delivery (id, draft_id, nonce, started_at) values ($1, $2, 'nonce', now())`, [randomUUID(), draft])
    await deliver()
    await assert.rejects(deliver(), { code: '23505' })
  })
})

describe('a run', () => {
  async function house(t: Parameters<typeof testDatabase>[0]) {
    const db = await testDatabase(t)
    await declareJobs(db.owner, [jobDefinition({ name: 'job', lane: 'open', steps: [stepDefinition('one'), stepDefinition('two')] })])
    const open = async (): Promise<string> => {
      const { rows } = await db.as('castellan_server').pool.query(`select run_open($1, $2, 'job', now(), 'manual', null, '{"a": 1}') as opened`, [randomUUID(), randomUUID()])
      assert.deepEqual([rows[0].opened.outcome, rows[0].opened.queue], ['opened', 'runs_open'])
      return rows[0].opened.run
    }
    const call = async (role: 'castellan_worker_open' | 'castellan_worker_private', text: string, values: unknown[]) => (await db.as(role).pool.query(`select ${text} as answer`, values)).rows[0].answer
    const claim = (run: string, executor = 'first') => call('castellan_worker_open', 'run_claim($1, $2, 1000)', [run, executor])
    const advance = (run: string, fence: string, step: string, changes: object = {}) =>
      call('castellan_worker_open', 'run_advance($1, $2, $3)', [run, fence, JSON.stringify({ step, state: 'succeeded', output: { step }, label: { level: 1, integrity: 'trusted', lanes: ['open'] }, ...changes })])
    const state = async (run: string) => (await db.owner.kysely.selectFrom('run').select(['state', 'label_level', 'label_lanes']).where('id', '=', run).executeTakeFirstOrThrow())
    return { db, open, call, claim, advance, state }
  }

  test('goes from step to step under its fence and leaves a record of each', async (t) => {
    const { db, open, claim, advance, state } = await house(t)
    const run = await open()
    const claimed = await claim(run)
    assert.deepEqual([claimed.outcome, claimed.next.id, claimed.input], ['claimed', 'one', { a: 1 }])
    assert.deepEqual(await advance(run, claimed.fence, 'one'), { outcome: 'next', next: { id: 'two', position: 1, attempt: 1, failures: 0, crashes: 0 } })
    assert.deepEqual(await advance(run, claimed.fence, 'two'), { outcome: 'succeeded', next: null })
    assert.equal((await state(run)).state, 'succeeded')
    assert.deepEqual((await db.owner.pool.query('select state, reason from occurrence')).rows, [{ state: 'ran', reason: null }])
    const { rows: events } = await db.owner.pool.query<{ kind: string; actor: string }>('select kind, actor from audit_event order by xid, id')
    assert.deepEqual(events.map(({ kind, actor }) => `${actor.slice(10)} ${kind}`), ['server run.opened', 'worker_open step.closed', 'worker_open step.closed', 'worker_open run.closed'])
  })

  test('obeys the newest fence only: who was replaced writes nothing', async (t) => {
    const { db, open, claim, advance } = await house(t)
    const run = await open()
    const first = await claim(run, 'first')
    const second = await claim(run, 'second')
    assert.notEqual(first.fence, second.fence)
    assert.equal(second.next.attempt, 2)
    assert.deepEqual(await advance(run, first.fence, 'one'), { outcome: 'fence_lost' })
    assert.deepEqual(await advance(run, second.fence, 'two'), { outcome: 'fence_lost' }, 'nor does anybody write a step that has not begun')
    assert.equal((await advance(run, second.fence, 'one')).outcome, 'next')
    assert.deepEqual(await advance(run, second.fence, 'one'), { outcome: 'fence_lost' }, 'a finished step is not written twice')
    assert.deepEqual((await db.owner.pool.query('select id, state, output from step order by position')).rows, [
      { id: 'one', state: 'succeeded', output: { step: 'one' } },
      { id: 'two', state: 'started', output: null },
    ])
  })

  test('moves to the private worker once it has read what no cloud model may see, and never back', async (t) => {
    const { open, claim, advance, call, state } = await house(t)
    const run = await open()
    const { fence } = await claim(run)
    assert.deepEqual(await advance(run, fence, 'one', { label: { level: 2, integrity: 'untrusted', lanes: ['open'] } }), { outcome: 'moved', queue: 'runs_private' })
    assert.deepEqual(await claim(run), { outcome: 'not_cleared', queue: 'runs_private' })
    const taken = await call('castellan_worker_private', 'run_claim($1, $2, 1000)', [run, 'private'])
    assert.deepEqual([taken.outcome, taken.next.id, taken.steps.one.output], ['claimed', 'two', { step: 'one' }])
    const result = JSON.stringify({ step: 'two', state: 'succeeded', output: null, label: { level: 0, integrity: 'trusted', lanes: [] } })
    assert.equal((await call('castellan_worker_private', 'run_advance($1, $2, $3)', [run, taken.fence, result])).outcome, 'succeeded')
    assert.deepEqual(await state(run), { state: 'succeeded', label_level: 2, label_lanes: ['open'] })
  })

  test('is not claimed by a program that is older than the schema allows', async (t) => {
    const { db, open, call, state } = await house(t)
    const run = await open()
    const claim = (schema: number | null) => call('castellan_worker_open', 'run_claim($1, $2, $3)', [run, 'old', schema])
    await db.owner.pool.query(`insert into schema_meta (version, file, digest, min_app) values (900, '', '', 900), (901, '', '', 3)`)
    for (const schema of [899, null]) assert.deepEqual(await claim(schema), { outcome: 'outdated', needs: 900 })
    assert.equal((await state(run)).state, 'queued')
    assert.equal((await claim(900)).outcome, 'claimed')
  })

  test('takes a result without a label for the most secret there is', async (t) => {
    const { open, claim, call, state } = await house(t)
    const run = await open()
    const { fence } = await claim(run)
    assert.equal((await call('castellan_worker_open', 'run_advance($1, $2, $3)', [run, fence, '{"step": "one", "state": "succeeded"}'])).outcome, 'moved')
    assert.equal((await state(run)).label_level, 3)
  })
})
