import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { testDatabase } from '../../test/support/database.ts'
import { sampleRows } from '../../test/support/sample-rows.ts'
import { sweepRetention } from './retention.ts'

const now = new Date('2030-01-01T00:00:00Z')
const before = new Date(now.getTime() - 1)

test('what was kept long enough goes, hashes and everything younger stay', async (t) => {
  const db = await testDatabase(t)
  const { open, secret } = await sampleRows(db)
  const { pool } = db.owner
  const nothing = { logLines: 0, sessions: 0, contents: 0, messages: 0, outputs: 0 }
  assert.deepEqual(await sweepRetention(db.owner, new Date()), nothing, 'nothing is old yet')

  await pool.query('update session set expires_at = $1', [now])
  await pool.query(`insert into run_log (run_id, at, level, message, retain_until) select $1, now(), 'info', 'line ' || n, case when n <= 12000 then $2::timestamptz else $3::timestamptz end from generate_series(1, 12003) n`, [open.run, before, now])
  await pool.query(`insert into run_log (run_id, at, level, message, retain_until) values ($1, now(), 'info', 'for ever', null)`, [open.run])
  for (const [key, expires] of [['old', '1 day 1 minute'], ['young', '1 hour']]) {
    await pool.query(`insert into session (id, key_hash, run_id, fence, expires_at) values ($1, $2, $3, $4, $5::timestamptz - $6::interval)`, [randomUUID(), key, open.run, open.fence, now, expires])
  }
  const body = Buffer.from('a letter')
  const hash = createHash('sha256').update(body).digest()
  await pool.query('insert into content (hash, body, retain_until) values ($1, $2, $3)', [hash, body, before])
  await pool.query(`update mail_message set envelope = '{"subject": "x"}', body_text = 'text', retain_until = $1`, [before])
  await pool.query(`update step set output = '{"a": 1}', output_hash = sha256('x'), retain_until = $2 where run_id = $1`, [secret.run, before])

  assert.deepEqual(await sweepRetention(db.owner, now), { logLines: 12_000, sessions: 1, contents: 1, messages: 1, outputs: 1 })
  assert.deepEqual(await sweepRetention(db.owner, now), nothing, 'and a second sweep finds nothing')

  assert.deepEqual((await pool.query('select count(*) as lines from run_log')).rows, [{ lines: 4 }])
  assert.deepEqual((await pool.query('select hash, body from content where hash = $1', [hash])).rows, [{ hash, body: null }])
  assert.deepEqual((await pool.query('select count(body) as bodies from content')).rows, [{ bodies: 1 }], 'the raw message has its own time')
  assert.deepEqual((await pool.query('select envelope, body_text, size > 0 as known from mail_message')).rows, [{ envelope: null, body_text: null, known: true }])
  const { rows: steps } = await pool.query('select output, output_hash from step where run_id = $1', [secret.run])
  assert.deepEqual(steps, [{ output: null, output_hash: createHash('sha256').update('x').digest() }])
  assert.deepEqual((await pool.query('select count(*) as sessions from session')).rows, [{ sessions: 3 }], 'the young one and those that calls refer to')
})
