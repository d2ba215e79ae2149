import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { testDatabase } from '../../../test/support/database.ts'
import { declareSources, httpSource } from '../../../test/support/sources.ts'
import { openTestRun, takeOver } from '../../../test/support/tool-run.ts'
import { newId } from '../ids.ts'

const leads = httpSource('leads', 'https://api.example.org/leads')
const stages = httpSource('stages', 'https://api.example.org/{stage}', {
  params: [{ name: 'stage', values: ['open', 'won'] }, { name: 'id', form: 'id' }, { name: 'day', form: 'date' }, { name: 'page', form: 'number' }], paramsUpTo: 1,
})
const asked = { stage: 'won', id: 'a-1', day: '2026-11-20', page: '7' }

async function house(t: TestContext, sources: readonly ReturnType<typeof httpSource>[] = [leads, stages]) {
  const db = await testDatabase(t)
  await declareSources(db, sources)
  const reader = db.as('castellan_reader').pool
  const one = async <T>(text: string, values: unknown[]) => (await reader.query<{ it: T }>(`select ${text} as it`, values)).rows[0]!.it
  return {
    db, owner: db.owner.pool,
    ask: async (run: { id: string; fence: string }, source: string, params: object = {}, worker: 'open' | 'private' = 'private') => {
      const id = newId()
      const { rows } = await db.as(`castellan_worker_${worker}`).pool.query<{ outcome: string }>('select source_ask($1, $2, $3, $4, $5) as outcome', [id, run.id, run.fence, source, JSON.stringify(params)])
      return { id, outcome: rows[0]!.outcome }
    },
    take: (id: string) => one<{ source: string; params: object } | null>('source_take($1)', [id]),
    store: (id: string, body = '{}') => one('source_store($1, 200, $2, $3)', [id, 'application/json', Buffer.from(body)]),
    fail: (id: string, reason: string) => one('source_fail($1, $2, 503, 17)', [id, reason]),
    recover: (open = true) => one<number>('source_recover($1)', [open]),
  }
}

test('what was asked is taken once, stored once, and labelled by the house', async (t) => {
  const { db, owner, ask, take, store } = await house(t)
  const { run } = await openTestRun(db, { level: 3, readsUpTo: 3 })
  const { id, outcome } = await ask(run, 'leads')
  assert.deepEqual([outcome, await take(id), await take(id)], ['asked', { source: 'leads', params: {} }, null])
  await store(id, '[1]')
  await assert.rejects(store(id, '[2]'), { code: 'CA409' })
  const { rows } = await db.as('castellan_worker_private').pool.query('select source, body, label_level, label_integrity, label_lanes from source_snapshot')
  assert.deepEqual(rows, [{ source: 'leads', body: Buffer.from('[1]'), label_level: 2, label_integrity: 'untrusted', label_lanes: ['private'] }])
  assert.deepEqual((await db.as('castellan_worker_open').pool.query('select source from source_snapshot')).rows, [])
  const fetches = await owner.query('select source, run_id, job, state, status, bytes, label_level from source_fetch')
  assert.deepEqual(fetches.rows, [{ source: 'leads', run_id: run.id, job: run.job, state: 'fetched', status: 200, bytes: 3, label_level: 3 }])
  const events = await owner.query(`select actor, kind, subject, detail - 'ms' - 'sha256' as detail from audit_event where kind like 'source.%'`)
  assert.deepEqual(events.rows, [{ actor: 'castellan_reader', kind: 'source.fetched', subject: id, detail: { source: 'leads', run: run.id, job: run.job, status: 200, bytes: 3 } }])
})

test('only who holds the run asks on its behalf, for a source that is declared', async (t) => {
  const { db, ask, owner } = await house(t)
  const { run } = await openTestRun(db)
  await assert.rejects(ask({ ...run, fence: newId() }, 'leads'), { code: 'CA409' })
  await assert.rejects(ask(run, 'elsewhere'), { code: 'CA404' })
  await takeOver(db.owner, run.id)
  await assert.rejects(ask(run, 'leads'), { code: 'CA409' })
  assert.deepEqual((await owner.query('select * from source_fetch')).rows, [])
})

test('parameters are those that are declared, in their forms, and nothing else is written down', async (t) => {
  const { db, owner, ask, take } = await house(t)
  const { run } = await openTestRun(db)
  assert.equal((await ask(run, 'stages', asked, 'open')).outcome, 'asked')
  const wrong: object[] = [
    {}, { ...asked, more: 'x' }, { stage: 'won', id: 'a', day: '2026-11-20' }, { ...asked, stage: 'lost' }, { ...asked, stage: ['won'] }, { ...asked, page: 7 }, { ...asked, page: null }, { ...asked, page: '-7' }, { ...asked, page: '7\n' },
    { ...asked, id: '' }, { ...asked, id: '..' }, { ...asked, id: '../x' }, { ...asked, id: '--all' }, { ...asked, id: 'a/b' }, { ...asked, id: 'a b' }, { ...asked, id: 'a\nb' }, { ...asked, id: 'ä' }, { ...asked, id: 'x'.repeat(101) }, { ...asked, day: '2026-11-2' }, ['won'],
  ]
  for (const params of wrong) {
    const { id, outcome } = await ask(run, 'stages', params, 'open')
    assert.deepEqual([outcome, await take(id)], ['params', null], JSON.stringify(params))
  }
  assert.equal((await ask(run, 'leads', { stage: 'won' })).outcome, 'params')
  const { rows } = await owner.query(`select distinct params from source_fetch where state = 'refused'`)
  assert.deepEqual(rows, [{ params: {} }])
})

test('the private worker, who could have read everything, chooses from a list and no words of its own', async (t) => {
  const { db, ask, take } = await house(t)
  const { run } = await openTestRun(db)
  const { id, outcome } = await ask(run, 'stages', asked)
  assert.deepEqual([outcome, await take(id)], ['worker', null])
  assert.equal((await ask(run, 'stages', asked, 'open')).outcome, 'asked')
})

test('a run above what a source may be told says no parameters, and may still ask where there are none', async (t) => {
  const { db, ask, take } = await house(t, [leads, { ...stages, params: [{ name: 'stage', values: ['open'] }], paramsUpTo: 0 }])
  const low = await openTestRun(db, { level: 0 })
  const high = await openTestRun(db, { level: 1 })
  assert.equal((await ask(low.run, 'stages', { stage: 'open' })).outcome, 'asked')
  const refused = await ask(high.run, 'stages', { stage: 'open' })
  assert.deepEqual([refused.outcome, await take(refused.id)], ['label', null])
  assert.equal((await ask(high.run, 'leads')).outcome, 'asked')
})

test('what parameters say may come back, so a snapshot that has any has the label of who asked as well', async (t) => {
  const { db, owner, ask, take, store } = await house(t, [{ ...stages, params: [{ name: 'stage', values: ['open'] }], label: { level: 0, integrity: 'untrusted', lanes: [] } }])
  const { run } = await openTestRun(db, { level: 1 })
  await owner.query(`update run set label_lanes = lanes_join(label_lanes, '{client}') where id = $1`, [run.id])
  const { id } = await ask(run, 'stages', { stage: 'open' })
  await take(id)
  await store(id)
  assert.deepEqual((await owner.query('select label_level, label_lanes from source_snapshot')).rows, [{ label_level: 1, label_lanes: ['client', 'private'] }])
})

test('limits count what was asked, of two at once too, and what failed', async (t) => {
  const { db, owner, ask, take, fail } = await house(t, [{ ...leads, limits: { hour: 3, day: 4 } }])
  const { run } = await openTestRun(db)
  const first = await ask(run, 'leads')
  await take(first.id)
  await fail(first.id, 'status')
  const outcomes = (await Promise.all(Array.from({ length: 6 }, () => ask(run, 'leads')))).map(({ outcome }) => outcome).sort()
  assert.deepEqual(outcomes, ['asked', 'asked', 'limit', 'limit', 'limit', 'limit'])
  await owner.query(`update source_fetch set asked_at = asked_at - interval '2 hours'`)
  assert.deepEqual([(await ask(run, 'leads')).outcome, (await ask(run, 'leads')).outcome], ['asked', 'limit'])
})

test('an older answer never takes the place of a newer one, and what was asked a while ago is not taken any more', async (t) => {
  const { db, owner, ask, take, store } = await house(t)
  const { run } = await openTestRun(db)
  const [one, two, late] = [await ask(run, 'leads'), await ask(run, 'leads'), await ask(run, 'leads')]
  await take(one.id)
  await take(two.id)
  await store(two.id, '["new"]')
  await store(one.id, '["old"]')
  assert.deepEqual((await owner.query('select body from source_snapshot')).rows, [{ body: Buffer.from('["new"]') }])
  await owner.query(`update source_fetch set asked_at = asked_at - interval '2 minutes' where id = $1`, [late.id])
  assert.equal(await take(late.id), null)
})

test('a reader that died leaves nothing open', async (t) => {
  const { db, owner, ask, take, recover, store } = await house(t)
  const { run } = await openTestRun(db)
  const [open, waiting] = [await ask(run, 'leads'), await ask(run, 'leads')]
  await take(open.id)
  await db.as('castellan_reader').pool.query(`select source_connect($1, $2, 'api.example.org', 443, '192.0.2.1')`, [newId(), open.id])
  await owner.query(`update source_fetch set asked_at = asked_at - interval '50 seconds' where id = $1`, [waiting.id])
  assert.deepEqual([await recover(false), await recover(), await recover(), await take(waiting.id)], [0, 2, 0, null])
  await assert.rejects(store(open.id), { code: 'CA409' })
  const { rows } = await owner.query('select state, reason, (select outcome from source_connection where fetch_id = f.id) as connection from source_fetch f order by connection nulls last')
  assert.deepEqual(rows, [{ state: 'failed', reason: 'lost', connection: 'lost' }, { state: 'failed', reason: 'lost', connection: null }])
  await assert.rejects(db.as('castellan_reader').pool.query(`select source_connect($1, $2, 'api.example.org', 443, '192.0.2.1')`, [newId(), open.id]), { code: 'CA409' })
})
