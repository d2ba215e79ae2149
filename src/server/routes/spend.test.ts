import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { jobDefinition } from '../../../test/support/jobs.ts'
import { testServer } from '../../../test/support/server.ts'
import { newId } from '../../kernel/ids.ts'
import type { OpenedRun, SpendView, TodayView } from '../api.ts'

/** A house with a ceiling, under which EUR 2.70 were spent today and EUR 1 lie in an open block. */
async function spentHouse(t: TestContext) {
  const server = await testServer(t, [jobDefinition({ name: 'brief' })], {
    spending: { budgets: [{ per: 'day', eur: 5 }, { per: 'month', eur: 20, provider: 'far' }], prices: {}, microEurPerUsd: 900_000, allowUnknownPrice: false },
  })
  server.clock.set(new Date('2026-03-29T12:00:00Z'))
  const { data: opened } = await server.post<OpenedRun>('/api/jobs/brief/run')
  const { owner } = server.database
  const now = () => server.clock.now()
  const gate = server.database.as('castellan_gate_cloud').pool
  const session = newId()
  await owner.pool.query(`insert into session (id, key_hash, run_id, fence) values ($1, $2, $3, $1)`, [session, Buffer.from(session), opened.id])
  const block = newId()
  await gate.query(`select exchange_rate_of('Europe/Berlin', 0.9, $1)`, [now()])
  await gate.query(`select budget_reserve($1, '[{"ceiling": "day", "per": "day", "limit": 5}]', 'Europe/Berlin', 1, 3.7, $2)`, [block, now()])
  const call = (upstream: string, at: string, state: string, eur: number | null, usd: number | null, of: string | null) => owner.pool.query(
    `insert into model_call (id, session_id, run_id, gate, task, upstream, model, zone, state, input_tokens, output_tokens, cached_tokens, cost_eur, cost_usd, block_id, opened_at)
     values ($1, $2, $3, 'cloud', 't', $4, 'm', 'cloud', $5, 100, 10, 60, $6, $7, $8, $9)`, [newId(), session, opened.id, upstream, state, eur, usd, of, at])
  await call('far', '2026-03-29T08:00:00Z', 'succeeded', 2.7, 3, block)
  await call('far', '2026-03-28T08:00:00Z', 'succeeded', 1.8, 2, null)
  await call('other', '2026-03-29T09:00:00Z', 'succeeded', null, null, null)
  await gate.query('select budget_look($1)', [block])
  await owner.pool.query('update budget_alert set at = $1', [now()])
  return server
}

test('what was spent is told for each upstream, with what the ceilings have left', async (t) => {
  const server = await spentHouse(t)
  const { data } = await server.get<SpendView>('/api/spend')
  assert.equal(data.since, '2026-03-28T23:00:00.000Z')
  assert.deepEqual(data.lines.map((line) => [line.name, line.calls, line.cached_tokens, line.cost_eur, line.cost_usd, line.unknown_price]), [['far', 1, 60, 2.7, 3, 0], ['other', 1, 60, 0, 0, 1]])
  assert.deepEqual([data.total_eur, data.total_usd, data.eur_per_usd], [2.7, 3, 0.9])
  assert.deepEqual(data.ceilings, [
    { name: 'day', per: 'day', limit_eur: 5, spent_eur: 2.7, held_eur: 1, left_eur: 2.3, percent: 54, resets_at: '2026-03-29T22:00:00.000Z', state: 'open' },
    { name: 'month provider far', per: 'month', limit_eur: 20, spent_eur: 0, held_eur: 0, left_eur: 20, percent: 0, resets_at: '2026-03-31T22:00:00.000Z', state: 'open' },
  ])
})

test('it is told for other things too, and since when one likes', async (t) => {
  const server = await spentHouse(t)
  const names = async (by: string) => (await server.get<SpendView>(`/api/spend?since=7d&by=${by}`)).data.lines.map((line) => `${line.name} ${line.cost_eur}`)
  assert.deepEqual(await names('day'), ['2026-03-28 1.8', '2026-03-29 2.7'])
  assert.deepEqual(await names('model'), ['far/m 4.5', 'other/m 0'])
  assert.deepEqual(await names('job'), ['brief 4.5'])
  assert.deepEqual(await names('lane'), ['private 4.5'])
  assert.equal((await server.get<SpendView>('/api/spend?since=2026-03-29T08:30:00Z')).data.total_eur, 0)
  const wrong = await server.get('/api/spend?since=yesterday')
  assert.deepEqual([wrong.status, wrong.error.code], [400, 'spend.since'])
  assert.equal((await server.get('/api/spend?by=colour')).status, 400)
})

test('what programs with a key spend counts, and is told by their names', async (t) => {
  const server = await spentHouse(t)
  const key = newId()
  await server.database.owner.pool.query(`insert into client_key (id, name, key_hash, gate, lane, max_level) values ($1, 'editor', $2, 'cloud', 'open', 1)`, [key, Buffer.alloc(32)])
  await server.database.owner.pool.query(
    `insert into model_call (id, key_id, gate, task, upstream, model, zone, state, input_tokens, output_tokens, cost_eur, cost_usd, opened_at)
     values ($1, $2, 'cloud', 't', 'far', 'm', 'cloud', 'succeeded', 100, 10, 0.9, 1, '2026-03-29T10:00:00Z')`, [newId(), key])
  const lines = async (by: string) => (await server.get<SpendView>(`/api/spend?by=${by}`)).data.lines.map((line) => [line.name, line.calls, line.cost_eur])
  assert.deepEqual(await lines('key'), [['no key: jobs of the house', 2, 2.7], ['editor', 1, 0.9]])
  assert.deepEqual(await lines('lane'), [['private', 2, 2.7], ['open', 1, 0.9]])
  assert.equal((await server.get<SpendView>('/api/spend')).data.total_eur, 3.6)
})

test('a mark that was passed is on the morning page', async (t) => {
  const server = await spentHouse(t)
  const { data } = await server.get<TodayView>('/api/today')
  assert.deepEqual(data.alerts.map(({ kind, what }) => [kind, what]), [['budget.alert', '50 % of the budget "day" are spent (EUR 2.70 of EUR 5.00)']])
})
