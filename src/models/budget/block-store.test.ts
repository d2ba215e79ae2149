import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { gateDatabase, openRun } from '../../../test/support/gate.ts'
import { newId } from '../../kernel/ids.ts'
import { createBlockStore, type BlockStore } from './block-store.ts'
import { anyHistory, playHistory, type CallBook } from './history.arbitrary.ts'
import { createRateOfDay } from './exchange.ts'

const database = await gateDatabase(['cloud'])
const { owner } = database
const gate = database.as('castellan_gate_cloud')
const { run } = await openRun(database, 'open')
const session = (await owner.pool.query<{ id: string }>('select id from session where run_id = $1', [run])).rows[0]!.id
let now = new Date('2026-03-28T12:00:00Z')
const store = createBlockStore(gate, () => 'Europe/Berlin', () => now)
const eur = 1_000_000_000
const daily = [{ name: 'day', per: 'day', limit: 2 }] as const

async function clear(): Promise<void> {
  await owner.pool.query('delete from model_call; delete from budget_block; delete from budget_account; delete from budget_alert')
}

const book: CallBook = {
  async open(block, reserved) {
    const id = newId()
    await owner.pool.query(`insert into model_call (id, session_id, run_id, gate, task, zone, cost_eur, block_id) values ($1, $2, $3, 'cloud', 't', 'cloud', $4::numeric / 1e9, $5)`, [id, session, run, reserved, block])
    return id
  },
  async close(id, cost) {
    await owner.pool.query(`update model_call set state = 'succeeded', cost_eur = $2::numeric / 1e9 where id = $1`, [id, cost])
  },
  async sweep() {
    await owner.pool.query(`update model_call set state = 'abandoned' where state = 'open'`)
  },
  async account(name) {
    const { rows } = await owner.pool.query<{ spent: string; counted: string }>(
      `select coalesce(sum(c.cost_eur) * 1e9, 0)::bigint as spent, (select coalesce(sum(counted_eur) * 1e9, 0)::bigint from budget_account where ceiling = $1) as counted
       from model_call c join budget_block_account a on a.block_id = c.block_id where a.ceiling = $1`, [name])
    return { spent: Number(rows[0]!.spent), counted: Number(rows[0]!.counted) }
  },
}

const both = (blocks: BlockStore): BlockStore & CallBook => ({ ...blocks, ...book })
const spend = async (block: string, cost: number) => book.close(await book.open(block, cost), cost)
const alerts = async () => (await owner.pool.query<{ percent: number; ceiling: string }>('select ceiling, percent from budget_alert order by at, percent')).rows.map(({ ceiling, percent }) => `${ceiling} ${percent}`)

test('the functions of the database keep what the model of them keeps, over 60 histories', async () => {
  await fc.assert(fc.asyncProperty(anyHistory, async (history) => {
    await clear()
    const played = await playHistory(history, both(store), 1_000)
    for (const { name, limit, spent, reported, counted } of played.accounts) {
      assert.ok(spent <= limit + history.blockSize * 1_000, name)
      assert.deepEqual([spent, counted], [reported, reported], name)
    }
    assert.equal(played.heldBackWithRoom, 0)
    const { rows } = await owner.pool.query(`select 1 from budget_block where state = 'open'`)
    assert.equal(rows.length, 0)
  }), { numRuns: 60 })
})

test('a block is reserved under every ceiling or under none', async () => {
  await clear()
  const tight = [...daily, { name: 'month lane open', per: 'month', limit: 0.1 }] as const
  const refused = await store.reserve(newId(), tight, eur, eur)
  assert.ok(refused.outcome === 'exceeded')
  assert.deepEqual([refused.ceiling, refused.limit, refused.counted, refused.room], ['month lane open', eur / 10, 0, eur / 10])
  assert.deepEqual(await book.account('day'), { spent: 0, counted: 0 })
})

test('days and months begin at midnight of the house, also when the clock is changed', async () => {
  await clear()
  now = new Date('2026-03-28T23:30:00Z')
  const reserved = await store.reserve(newId(), daily, eur, 2 * eur)
  assert.deepEqual(reserved, { outcome: 'reserved', amount: 2 * eur, validMs: 22.5 * 3_600_000 })
  now = new Date('2026-03-29T21:59:59Z')
  const refused = await store.reserve(newId(), daily, 1, 1)
  assert.ok(refused.outcome === 'exceeded')
  assert.equal(new Date(refused.resetsAt).toISOString(), '2026-03-29T22:00:00.000Z')
  now = new Date('2026-03-29T22:00:00Z')
  assert.equal((await store.reserve(newId(), daily, 1, 1)).outcome, 'reserved')
})

test('all of a block that a dead gate had counts as spent until its calls are closed, then the difference is given back', async () => {
  await clear()
  const block = newId()
  await store.reserve(block, daily, eur, eur)
  await spend(block, eur / 5)
  await book.open(block, eur / 10)
  assert.equal((await book.account('day')).counted, eur)
  await book.sweep()
  assert.equal(await store.recover(), 1)
  assert.deepEqual(await book.account('day'), { spent: (eur * 3) / 10, counted: (eur * 3) / 10 })
  assert.equal(await store.recover(), 0)
})

test('a block that was open when the database went down too stays counted as spent: a call of the last moment may be forgotten', async () => {
  await clear()
  const block = newId()
  await store.reserve(block, daily, eur, eur)
  await spend(block, eur / 5)
  await database.owner.pool.query(`update budget_block set opened_at = pg_postmaster_start_time() - interval '1 s' where id = $1`, [block])
  assert.equal(await store.recover(), 0)
  assert.equal((await book.account('day')).counted, eur)
  const { rows } = await database.owner.pool.query(`select b.state, detail ->> 'amount_eur' as kept from audit_event join budget_block b on b.id::text = subject where kind = 'budget.kept'`)
  assert.deepEqual(rows, [{ state: 'closed', kept: '1.000000000' }])
})

test('a block with a call that is still open stays open, and so does what the call may cost', async () => {
  await clear()
  const block = newId()
  await store.reserve(block, daily, eur, eur)
  const call = await book.open(block, eur / 10)
  await store.giveBack(block)
  assert.equal((await book.account('day')).counted, eur / 10)
  await book.close(call, eur / 20)
  await store.giveBack(block)
  assert.equal((await book.account('day')).counted, eur / 20)
})

test('each mark is told of once in a period', async () => {
  await clear()
  const block = newId()
  await store.reserve(block, daily, eur, 2 * eur)
  await store.look(block)
  assert.deepEqual(await alerts(), [])
  await spend(block, eur)
  await store.look(block)
  await store.look(block)
  assert.deepEqual(await alerts(), ['day 50'])
  await spend(block, eur - 10)
  await store.giveBack(block)
  assert.deepEqual(await alerts(), ['day 50', 'day 80'])
  const refused = await store.reserve(newId(), daily, eur, eur)
  assert.ok(refused.outcome === 'exceeded')
  await store.reached(refused.ceiling, refused.startsAt)
  await store.reached(refused.ceiling, refused.startsAt)
  assert.deepEqual(await alerts(), ['day 50', 'day 80', 'day 100'])
  const { rows } = await owner.pool.query(`select detail ->> 'percent' as percent from audit_event where kind = 'budget.alert' and subject = 'day' and at > clock_timestamp() - interval '1 minute' order by id desc limit 3`)
  assert.deepEqual(rows.map(({ percent }) => percent), ['100', '80', '50'])
})

test('a gate gives back its own blocks only, and nobody else reserves', async () => {
  await clear()
  const block = newId()
  await store.reserve(block, daily, eur, eur)
  const local = createBlockStore(database.as('castellan_gate_local'), () => 'UTC')
  await local.giveBack(block)
  assert.equal(await local.recover(), 0)
  assert.equal((await book.account('day')).counted, eur)
  for (const role of ['castellan_server', 'castellan_worker_open', 'castellan_worker_private', 'castellan_releaser'] as const) {
    await assert.rejects(createBlockStore(database.as(role), () => 'UTC').reserve(newId(), daily, 1, 1), { code: '42501' }, role)
  }
  await assert.rejects(gate.pool.query('update budget_account set counted_eur = 0'), { code: '42501' })
  await assert.rejects(gate.pool.query('delete from budget_block'), { code: '42501' })
})

test('the rate of a day is that of its first call', async () => {
  let configured = 900_000
  const deps = { database: gate, timezone: () => 'UTC', configured: () => configured, now: Date.now }
  assert.equal(await createRateOfDay(deps)(), 900_000)
  configured = 800_000
  assert.equal(await createRateOfDay(deps)(), 900_000)
})
