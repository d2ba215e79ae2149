import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { testDatabase } from '../../test/support/database.ts'
import type { Role } from '../kernel/database/roles.ts'
import { alertKinds } from './alert-kinds.ts'
import { countOpenAlerts, listAlerts, settleAlerts } from './alert-store.ts'

const minute = 60_000
const start = Date.parse('2026-03-02T09:00:30Z')
const at = (minutes: number) => new Date(start + minutes * minute)

async function alerts(t: TestContext) {
  const db = await testDatabase(t)
  const server = db.as('castellan_server')
  return {
    db, server,
    report: async (kind: string, subject: string, minutes: number, { count = 1, as = 'castellan_server' as Role | 'owner', code = null as string | null } = {}) => {
      const { pool } = as === 'owner' ? db.owner : db.as(as)
      const { rows } = await pool.query<{ said: { outcome: string; level?: string } }>('select alert_report($1, $2, $3, $4, $5) as said', [kind, subject, count, at(minutes), code])
      return rows[0]!.said.outcome
    },
    ack: async () => (await server.pool.query<{ state: string }>('select alert_acknowledge(id) as state from alert')).rows.map(({ state }) => state),
    settle: (minutes: number) => settleAlerts(server, at(minutes)),
    states: async () => (await listAlerts(server, 'all', 1_000)).map(({ kind, subject, level, state, count, times_opened }) => [kind, subject, level, state, count, times_opened]),
    events: async () => (await db.owner.pool.query<{ kind: string; subject: string }>(`select kind, subject from audit_event where kind like 'alert.%' order by id`)).rows.map(({ kind, subject }) => `${kind} ${subject}`),
  }
}

test('five failures within five minutes are watched, the sixth opens one alert, and all that follow are counted in it', async (t) => {
  const { report, states, events } = await alerts(t)
  for (const n of [0, 1, 2, 3, 4]) assert.equal(await report('signin.failed', 'dashboard', n / 2), 'watched')
  assert.deepEqual(await states(), [])
  assert.equal(await report('signin.failed', 'dashboard', 3), 'opened')
  assert.equal(await report('signin.failed', 'dashboard', 4, { count: 3 }), 'counted')
  assert.deepEqual(await states(), [['signin.failed', 'dashboard', 'warning', 'open', 9, 1]])
  assert.deepEqual(await events(), ['alert.opened signin.failed'])
})

test('six failures within an hour open nothing, and neither do five at each of two doors', async (t) => {
  const { report, states } = await alerts(t)
  for (const n of [0, 1, 2, 3, 4, 5]) assert.equal(await report('signin.failed', 'dashboard', n * 12), 'watched')
  await report('signin.failed', 'one', 0, { count: 5 })
  await report('signin.failed', 'other', 0, { count: 5 })
  assert.deepEqual(await states(), [])
})

test('a warning ends by silence and is opened again by what comes after it; the row is the same', async (t) => {
  const { report, settle, states, events } = await alerts(t)
  await report('signin.failed', 'dashboard', 0, { count: 6 })
  assert.equal(await settle(14), 0)
  assert.equal(await settle(16), 1)
  assert.equal(await report('signin.failed', 'dashboard', 20), 'watched', 'what was before the silence counts no more')
  assert.equal(await report('signin.failed', 'dashboard', 21, { count: 7 }), 'opened')
  assert.deepEqual(await states(), [['signin.failed', 'dashboard', 'warning', 'open', 8, 2]])
  assert.deepEqual(await events(), ['alert.opened signin.failed', 'alert.closed signin.failed', 'alert.opened signin.failed'])
})

test('a critical one is not ended by silence, which an attacker could make, until the operator has seen it', async (t) => {
  const { report, settle, ack, states } = await alerts(t)
  await report('nonce.replayed', 'post', 0, { as: 'castellan_releaser' })
  assert.equal(await settle(7 * 24 * 60), 0)
  assert.deepEqual(await ack(), ['acknowledged'])
  assert.equal(await settle(23 * 60), 0)
  assert.equal(await settle(25 * 60), 1)
  assert.deepEqual(await ack(), ['closed'], 'what is over needs no more')
  assert.equal((await states())[0]![3], 'closed')
})

test('what goes on after it was acknowledged is counted, and asks again only when it becomes worse', async (t) => {
  const { report, ack, states, events } = await alerts(t)
  await report('command.refused', 'job', 0, { as: 'castellan_worker_open' })
  await ack()
  assert.equal(await report('command.refused', 'job', 1, { count: 10, as: 'castellan_worker_open' }), 'counted')
  assert.deepEqual(await states(), [['command.refused', 'job', 'warning', 'acknowledged', 11, 1]])
  assert.equal(await report('command.refused', 'job', 2, { count: 10, as: 'castellan_worker_open' }), 'raised')
  assert.deepEqual(await states(), [['command.refused', 'job', 'critical', 'open', 21, 1]])
  await report('command.refused', 'job', 20, { as: 'castellan_worker_open' })
  assert.equal((await states())[0]![2], 'critical', 'it does not fall')
  assert.deepEqual(await events(), ['alert.opened command.refused', 'alert.acknowledged command.refused', 'alert.raised command.refused'])
})

test('what lasts until it is mended is over when its reporter says so, and not before', async (t) => {
  const { db, report, settle, states } = await alerts(t)
  await report('audit.broken', 'batch 7', 0, { as: 'castellan_releaser' })
  assert.equal(await settle(1e6), 0)
  const over = async (kind: string, subject: string) => (await db.as('castellan_releaser').pool.query('select alert_over($1, $2) as over', [kind, subject])).rows[0].over
  assert.equal(await over('audit.broken', 'batch 8'), false)
  assert.equal(await over('audit.broken', 'batch 7'), true)
  assert.equal(await over('audit.broken', 'batch 7'), false)
  await report('nonce.replayed', 'post', 0, { as: 'castellan_releaser' })
  await assert.rejects(over('nonce.replayed', 'post'), { code: '42501' })
  assert.deepEqual((await states()).map(([kind, , , state]) => [kind, state]), [['nonce.replayed', 'open'], ['audit.broken', 'closed']])
})

test('two that see the same are not twice as many', async (t) => {
  const { report, states } = await alerts(t)
  await report('database.refused', 'castellan_worker_open', 0, { as: 'castellan_worker_open', count: 3 })
  await report('database.refused', 'castellan_worker_open', 0, { as: 'owner', count: 4 })
  await report('database.refused', 'castellan_worker_open', 1, { as: 'castellan_worker_open' })
  assert.deepEqual(await states(), [['database.refused', 'castellan_worker_open', 'warning', 'open', 4, 1]])
})

test('a clock that runs ahead closes nothing before its time, and one that jumps back loses nothing', async (t) => {
  const { server, db, report, states } = await alerts(t)
  await db.as('castellan_server').pool.query(`select alert_report('signin.failed', 'door', 6, now() + interval '3 days')`)
  assert.equal(await settleAlerts(server, new Date(Date.now() + 10 * 86_400_000)), 0)
  await report('signin.failed', 'door', -60)
  assert.deepEqual(await states(), [['signin.failed', 'door', 'warning', 'open', 7, 1]])
  const { rows } = await db.owner.pool.query('select last_seen <= now() as past, last_seen > now() - interval \'1 minute\' as kept from alert')
  assert.deepEqual(rows, [{ past: true, kept: true }])
})

test('ten thousand reports of a hundred and fifty names make a hundred rows and one for the rest', async (t) => {
  const { db, report, states } = await alerts(t)
  await db.as('castellan_worker_open').pool.query(`select alert_report('command.refused', 'made up ' || n % 150, 1, $1) from generate_series(1, 10000) n`, [at(0)])
  const found = await states()
  assert.equal(found.length, 101)
  assert.ok(found.some(([, subject]) => subject === 'others'))
  const { rows } = await db.owner.pool.query('select count(*) as n, sum(count) as seen from alert_signal')
  assert.deepEqual(rows, [{ n: 101, seen: 10_000 }])
  for (let n = 0; n < 50; n++) await report('command.refused', 'made up 1', n, { as: 'castellan_worker_open' })
  assert.ok((await db.owner.pool.query<{ n: number }>('select count(*) as n from alert_signal')).rows[0]!.n < 110, 'minutes that no rule looks at are gone')
})

test('many at once open one alert, and none of them is lost', async (t) => {
  const { report, states, events } = await alerts(t)
  const outcomes = await Promise.all(Array.from({ length: 60 }, (_, n) => report('signin.failed', 'dashboard', n / 100)))
  assert.equal(outcomes.filter((outcome) => outcome === 'opened').length, 1)
  assert.deepEqual(await states(), [['signin.failed', 'dashboard', 'warning', 'open', 60, 1]])
  assert.deepEqual(await events(), ['alert.opened signin.failed'])
})

test('what is no signal is refused: strange kinds, names, codes and numbers', async (t) => {
  const { report, states } = await alerts(t)
  await assert.rejects(report('made.up', 'x', 0), { code: 'CA404' })
  for (const [subject, more] of [['two\nlines', {}], ['', {}], ['x'.repeat(101), {}], ['x', { count: 0 }], ['x', { count: -5 }], ['x', { code: 'some words' }]] as const) {
    await assert.rejects(report('signin.failed', subject, 0, more), { code: 'CA400' })
  }
  assert.deepEqual(await states(), [])
})

test('every kind of the database has its words and its row in the recipe, with the level that it has, and the other way round', async (t) => {
  const { db } = await alerts(t)
  const { rows } = await db.as('castellan_server').pool.query<{ kind: string; level: string; critical_at: number | null }>('select kind, level, critical_at from alert_rule order by kind')
  assert.deepEqual(rows.map(({ kind }) => kind), alertKinds.map(({ kind }) => kind).sort())
  const recipe = readFileSync(join(import.meta.dirname, '../../docs/recipes/security-alerts.md'), 'utf8')
  for (const { kind, level, critical_at: grave } of rows) {
    const { summary } = alertKinds.find((one) => one.kind === kind)!
    const row = `| \`${kind}\` | ${level}${grave === null ? '' : `; critical above ${grave}`} | ${summary}`
    assert.ok(recipe.includes(row), row)
  }
})

test('what nobody has acknowledged is counted by kind and level, what waits stands before what is over', async (t) => {
  const { server, report, settle, ack } = await alerts(t)
  await report('page.stranger', 'dashboard', 0)
  await settle(120)
  await report('signin.failed', 'a', 120, { count: 6 })
  await report('signin.failed', 'b', 121, { count: 101 })
  assert.deepEqual((await listAlerts(server, 'all', 10)).map(({ subject, level, state }) => [subject, level, state]), [['b', 'critical', 'open'], ['a', 'warning', 'open'], ['dashboard', 'warning', 'closed']])
  assert.equal((await listAlerts(server, 'now', 10)).length, 2)
  assert.deepEqual(await countOpenAlerts(server), [{ kind: 'signin.failed', level: 'critical', open: 1 }, { kind: 'signin.failed', level: 'warning', open: 1 }])
  await ack()
  assert.deepEqual(await countOpenAlerts(server), [])
})

test('whoever closes alerts locks them in the order of their ids, so that of two that lock several neither waits for ever', async (t) => {
  const { db, server, report, states } = await alerts(t)
  const ids = ['22222222-0000-4000-8000-000000000000', '11111111-0000-4000-8000-000000000000', '33333333-0000-4000-8000-000000000000']
  for (const id of ids) {
    await report('page.stranger', id, 0)
    await db.owner.pool.query('update alert set id = $1 where subject = $2', [id, id])
  }
  for (const late of ids) {
    await db.owner.pool.query(`update alert set state = 'open', closed_at = null`)
    const [other, closing] = [await db.owner.pool.connect(), await server.pool.connect()]
    const lock = (id: string) => other.query('select from alert where id = $1 for update', [id])
    // one row after the other, as a job that is opened for alerts does; the one that is closing comes in between
    await other.query('begin')
    const held = ids.toSorted().filter((id) => id <= late)
    for (const id of held) await lock(id)
    const { rows: [its] } = await closing.query<{ pid: number }>('select pg_backend_pid() as pid')
    const closed = closing.query(`select alerts_settle($1) as closed`, [at(120)])
    while ((await db.owner.pool.query('select from pg_locks where pid = $1 and not granted', [its!.pid])).rowCount === 0);
    for (const id of ids.toSorted().filter((id) => id > late)) await lock(id)
    await other.query('commit')
    assert.deepEqual((await closed).rows, [{ closed: 3 }])
    other.release()
    closing.release()
  }
  assert.deepEqual((await states()).map(([, , , state]) => state), ['closed', 'closed', 'closed'])
})
