import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { pino } from 'pino'
import { testDatabase } from '../../test/support/database.ts'
import { createManualClock } from '../kernel/clock.ts'
import type { Role } from '../kernel/database/roles.ts'
import { Fault } from '../kernel/fault.ts'
import { listAlerts } from './alert-store.ts'
import { createReporter } from './reporter.ts'

async function reporter(t: TestContext, role: Role, restMs = 1_000) {
  const db = await testDatabase(t)
  const { pool } = db.as(role)
  const lines: { level: string; msg: string; alert?: string }[] = []
  const log = pino({ formatters: { level: (level) => ({ level }) } }, { write: (line) => lines.push(JSON.parse(line)) })
  let writes = 0
  let broken: Error | undefined
  const counted = { query: (...args: Parameters<typeof pool.query>) => (writes++, broken ? Promise.reject(broken) : pool.query(...args)) } as unknown as typeof pool
  const made = createReporter({ database: { pool: counted }, clock: createManualClock(new Date('2026-03-02T09:00:00Z')), log, restMs })
  t.after(made.close)
  return {
    ...made, lines,
    writes: () => writes,
    breakDown: (error?: Error) => (broken = error),
    alerts: async () => (await listAlerts(db.as('castellan_server'), 'all', 100)).map(({ kind, subject, count, code }) => [kind, subject, count, code]),
  }
}

test('a million failures are one row with a count, and one statement', async (t) => {
  const { note, flush, alerts, writes } = await reporter(t, 'castellan_server')
  for (let n = 0; n < 1_000_000; n++) note('signin.failed', 'dashboard', { code: 'signin.refused' })
  await flush()
  assert.deepEqual(await alerts(), [['signin.failed', 'dashboard', 1_000_000, 'signin.refused']])
  assert.equal(writes(), 1)
})

test('names that are made up fill neither memory nor table', async (t) => {
  const { note, flush, alerts, writes } = await reporter(t, 'castellan_worker_open')
  for (let n = 0; n < 10_000; n++) note('command.refused', `made up ${n}`)
  await flush()
  assert.ok(writes() <= 33, String(writes()))
  const found = await alerts()
  assert.equal(found.reduce((sum, [, , count]) => sum + Number(count), 0), 10_000)
  assert.ok(found.some(([, subject]) => subject === 'others'))
})

test('what could not be written is written later, whole', async (t) => {
  const { note, flush, alerts, breakDown, lines } = await reporter(t, 'castellan_releaser')
  breakDown(new Fault('unavailable', 'database.unavailable', 'gone'))
  note('nonce.replayed', 'post')
  for (let n = 0; n < 5; n++) await flush()
  breakDown()
  note('nonce.replayed', 'post')
  await flush()
  assert.deepEqual(await alerts(), [['nonce.replayed', 'post', 2, null]])
  assert.equal(lines.filter(({ msg }) => /could not be reported/.test(msg)).length, 3, 'the first, second and fourth time')
})

test('a database that does not answer is asked once a round, however much there is to write', async (t) => {
  const { note, over, flush, alerts, breakDown, writes } = await reporter(t, 'castellan_releaser')
  breakDown(new Fault('unavailable', 'database.unavailable', 'gone'))
  for (let n = 0; n < 20; n++) note('injection.stopped', `way-${n}`)
  over('audit.broken', 'chain')
  await flush()
  assert.equal(writes(), 1)
  breakDown()
  await flush()
  assert.deepEqual([writes(), (await alerts()).length], [22, 20])
})

test('what the database will never take is given up, and does not keep the rest', async (t) => {
  const { note, flush, alerts } = await reporter(t, 'castellan_worker_open')
  note('audit.broken', 'forged')
  note('command.refused', 'job')
  await flush()
  assert.deepEqual(await alerts(), [['command.refused', 'job', 1, null]])
})

test('the log says what happened and what to do, as loud as it is, once', async (t) => {
  const { note, flush, lines } = await reporter(t, 'castellan_releaser')
  note('injection.stopped', 'post')
  note('nonce.replayed', 'post')
  await flush()
  note('nonce.replayed', 'post')
  await flush()
  assert.deepEqual(lines.map(({ level, alert }) => [level, alert]), [['warn', 'injection.stopped'], ['error', 'nonce.replayed']])
  assert.match(lines[1]!.msg, /castellan audit verify/)
})

test('a name that a terminal or a log could trip over is made harmless', async (t) => {
  const { note, flush, alerts } = await reporter(t, 'castellan_server')
  note('page.stranger', `two\nlines\u001b[2J${'x'.repeat(300)}`, { code: 'not a code' })
  await flush()
  const [[, subject, , code]] = (await alerts()) as [[string, string, number, string | null]]
  assert.deepEqual([subject, code], [`two lines [2J${'x'.repeat(87)}`, null])
})

test('by itself it writes soon, and what is over is said after what was seen', async (t) => {
  const { note, over, close, alerts } = await reporter(t, 'castellan_releaser')
  note('audit.broken', 'the chain')
  over('audit.broken', 'the chain')
  note('audit.broken', 'the chain')
  await close()
  assert.deepEqual(await alerts(), [['audit.broken', 'the chain', 2, null]])
})
