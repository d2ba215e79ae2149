import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { gateDatabase, openRun, raise } from '../../test/support/gate.ts'
import { hashOfBody, recordRedaction, useDeclassification } from './declassification.ts'
import { findSession, hashOfKey } from './session.ts'
import { isFault } from './upstream.contract.ts'

const database = await gateDatabase(['cloud'])
const [local, cloud] = [database.as('castellan_gate_local'), database.as('castellan_gate_cloud')]
const { pool } = database.owner
const body = { messages: [{ role: 'user', content: 'Write to [[MAIL_1]]' }] }
const letRedact = (...lanes: string[]) => pool.query('update lane set redacts = name = any ($1)', [lanes])

async function runOf(lane: 'open' | 'client' | 'private', level: 0 | 1 | 2 | 3) {
  const { key, run } = await openRun(database, lane, level)
  const session = (await findSession(local, hashOfKey(key)))!
  const record = (output: unknown = body) =>
    recordRedaction(local, { session, level, redactor: 'test', input: { text: 'before' }, output, kinds: { mail: 1 }, keepMs: 60_000 })
  const use = (id: string, of: unknown = body) => useDeclassification(cloud, session, { id, bodyHash: hashOfBody(of) })
  return { run, session, record, use }
}

const refused = isFault('refused', 'declassification_refused')

test('a redacted body counts as one level lower, once, and the audit says what was taken out and not what it said', async () => {
  await letRedact('open')
  const { run, record, use } = await runOf('open', 2)
  const id = await record()
  assert.equal(await use(id), 1)
  await assert.rejects(use(id), refused)
  const { rows } = await pool.query(`select detail from audit_event where kind = 'redaction' and subject = $1`, [id])
  assert.deepEqual(rows.map(({ detail }) => detail), [{ run, redactor: 'test', from: 2, to: 1, kinds: { mail: 1 }, output: hashOfBody(body).toString('hex') }])
})

test('of two that use a record at once, one does', async () => {
  await letRedact('open')
  const { record, use } = await runOf('open', 2)
  const id = await record()
  const used = await Promise.allSettled(Array.from({ length: 8 }, () => use(id)))
  assert.equal(used.filter(({ status }) => status === 'fulfilled').length, 1)
})

test('P3 is never redacted down, nor what a lane does not let be redacted, nor by a lane that reaches no cloud at all', async () => {
  await letRedact('open', 'private')
  for (const [lane, level] of [['open', 3], ['client', 2], ['private', 1], ['private', 2]] as const) {
    const { record } = await runOf(lane, level)
    await assert.rejects(record(), isFault('refused', 'label_refused'), `${lane} P${level}`)
  }
})

test('of two lanes both must allow it', async () => {
  await letRedact('open')
  const { run, record } = await runOf('open', 2)
  await pool.query(`update run set label_lanes = '{client,open}' where id = $1`, [run])
  await assert.rejects(record(), isFault('refused', 'label_refused'))
})

test('a record is good for its own bytes, its own run, and no longer than its lane and label allow', async () => {
  await letRedact('open')
  const mine = await runOf('open', 2)
  const other = await runOf('open', 2)
  const id = await mine.record()
  await assert.rejects(mine.use(id, { messages: [{ role: 'user', content: 'Write to eve@example.org' }] }), refused)
  await assert.rejects(other.use(id), refused)
  await assert.rejects(mine.use(randomUUID()), refused)
  await letRedact()
  await assert.rejects(mine.use(id), refused)
  await letRedact('open')
  await raise(database.owner, mine.run, 3)
  await assert.rejects(mine.use(id), refused)
  const late = await other.record()
  await pool.query(`update declassification set made_at = made_at - interval '6 minutes' where id = $1`, [late])
  await assert.rejects(other.use(late), refused)
})

test('gate local cannot use what it records, gate cloud cannot record what it uses, and nobody writes the table', async () => {
  await letRedact('open')
  const { session, record } = await runOf('open', 2)
  const id = await record()
  const denied = (error: unknown) => (error as { code?: string }).code === '42501'
  const make = 'select declassify($1, $2, $3, $4, $4, 2::smallint, $5, $6)'
  const values = [randomUUID(), session.keyHash, 'x', hashOfBody(body), '{}', '1 hour']
  await assert.rejects(cloud.pool.query(make, values), denied)
  await assert.rejects(local.pool.query('select declassification_use($1, $2, $3)', [id, session.keyHash, hashOfBody(body)]), denied)
  for (const role of ['castellan_gate_local', 'castellan_gate_cloud', 'castellan_server', 'castellan_worker_open', 'castellan_worker_private', 'castellan_releaser'] as const) {
    await assert.rejects(database.as(role).pool.query(`update declassification set used_at = null`), denied, role)
    await assert.rejects(database.as(role).pool.query(`insert into declassification select * from declassification`), denied, role)
    if (role.includes('gate')) continue
    await assert.rejects(database.as(role).pool.query(make, values), denied, role)
    await assert.rejects(database.as(role).pool.query('select declassification_use($1, $2, $3)', [id, session.keyHash, hashOfBody(body)]), denied, role)
  }
})
