import assert from 'node:assert/strict'
import { generateKeyPairSync, sign } from 'node:crypto'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { testDatabase, type TestDatabase } from '../../../test/support/database.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import type { Fault } from '../fault.ts'
import { readHeadFile, sealAudit, verifyAudit, verifyAuditSince, writeHeadFile, type KnownHead, type SealDeps } from './index.ts'

const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const keys = new Map([['seal-1', publicKey]])
const signHead = (head: Buffer) => sign(null, head, privateKey)

function sealer(db: TestDatabase, more: Partial<SealDeps> = {}): SealDeps {
  return { database: db.as('castellan_releaser'), sign: signHead, keyId: 'seal-1', batchSize: 4, ...more }
}

const verify = (db: TestDatabase, known?: KnownHead) => verifyAudit({ database: db.as('castellan_server'), keys, known })

async function append(db: TestDatabase, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    await db.as('castellan_server').pool.query(`select audit_append('operator.request', $1, $2)`, [`subject ${n}`, JSON.stringify({ n, word: 'Zürich 🏛', half: 0.5 })])
  }
}

/** Seals everything in full batches. Other test files share the server, and their open transactions hold events back. */
async function sealAll(db: TestDatabase, deps: SealDeps): Promise<void> {
  const { pool } = db.owner
  while (!(await pool.query<{ over: boolean }>('select max(xid) < pg_snapshot_xmin(pg_current_snapshot()) as over from audit_event')).rows[0]!.over) await turn()
  await sealAudit(deps)
  assert.equal((await verify(db)).unsealed.count, 0)
}

async function sealedDatabase(t: TestContext): Promise<TestDatabase> {
  const db = await testDatabase(t)
  await append(db, 10)
  await sealAll(db, sealer(db))
  return db
}

describe('audit', () => {
  test('what was appended is sealed in batches, once, and verifies', async (t) => {
    const db = await testDatabase(t)
    await append(db, 10)
    assert.deepEqual((await verify(db)).unsealed.count, 10)
    await sealAll(db, sealer(db))
    const found = await verify(db)
    assert.equal(found.problem, undefined)
    assert.deepEqual({ ok: found.ok, sealed: found.sealed, unsealed: found.unsealed }, { ok: true, sealed: 10, unsealed: { count: 0, oldest: null } })
    assert.equal(found.batches, 3)
    assert.deepEqual(await sealAudit(sealer(db)), { outcome: 'nothing' })
  })

  test('an event waits while an older transaction is open, since that one may still append', async (t) => {
    const db = await testDatabase(t)
    const client = await db.owner.pool.connect()
    await client.query('begin')
    await client.query('select pg_current_xact_id()')
    await append(db, 1)
    assert.deepEqual(await sealAudit(sealer(db)), { outcome: 'nothing' })
    const { unsealed } = await verify(db)
    assert.equal(unsealed.count, 1)
    assert.ok(unsealed.oldest instanceof Date)
    await client.query(`select audit_write('late.event', 'x', '{}')`)
    await client.query('commit')
    client.release()
    await sealAll(db, sealer(db))
    assert.equal((await verify(db)).sealed, 2)
  })

  test('two sealers at once do no harm', async (t) => {
    const db = await testDatabase(t)
    const other = sealer({ ...db, as: () => db.owner })
    for (let round = 0; round < 5; round++) {
      await append(db, 6)
      await Promise.all([sealAudit(sealer(db)), sealAudit(other), sealAudit(sealer(db))])
    }
    await sealAll(db, sealer(db))
    const found = await verify(db)
    assert.deepEqual([found.problem, found.sealed], [undefined, 30])
  })

  const event = '(select xid from audit_event order by xid, id offset 5 limit 1)'
  const tamperings: [what: string, sql: string, batch: number, says: RegExp][] = [
    ['a changed detail', `update audit_event set detail = detail || '{"n": 99}' where xid = ${event}`, 2, /altered/],
    ['a changed actor', `update audit_event set actor = 'castellan_releaser' where xid = ${event}`, 2, /altered/],
    ['a time moved by a microsecond', `update audit_event set at = at + interval '1 microsecond' where xid = ${event}`, 2, /altered/],
    ['a changed label', `update audit_event set label_level = 0 where xid = ${event}`, 2, /altered/],
    ['a removed event', `delete from audit_event where xid = ${event}`, 2, /removed or inserted/],
    ['an inserted event', `insert into audit_event (xid, actor, kind, subject) select ${event}, 'castellan_server', 'operator.request', 'forged'`, 2, /removed or inserted/],
    ['an event put in the place of a removed one', `update audit_event set kind = 'draft.decided' where xid = ${event}`, 2, /altered/],
    ['two events exchanged', `with two as (select array_agg(xid order by xid) as x, array_agg(subject order by xid) as s from (select xid, subject from audit_event order by xid, id offset 4 limit 2) t)
      update audit_event e set subject = case e.xid when two.x[1] then two.s[2] else two.s[1] end from two where e.xid = any (two.x)`, 2, /altered/],
    ['a seal that claims fewer events', `update audit_seal set events = 3 where batch = 2`, 2, /removed or inserted/],
    ['a seal with another time', `update audit_seal set sealed_at = sealed_at + interval '1 microsecond' where batch = 2`, 2, /altered/],
    ['a seal with another head', `update audit_seal set head = sha256(head) where batch = 2`, 2, /signature/],
    ['a seal with another signature', `update audit_seal set signature = set_byte(signature, 0, get_byte(signature, 0) # 1) where batch = 2`, 2, /signature/],
    ['a seal under an unknown key', `update audit_seal set key_id = 'mine' where batch = 2`, 2, /not known/],
    ['a seal that reaches less far', `update audit_seal set upto_xid = ${event} where batch = 2`, 2, /removed or inserted/],
    ['a removed seal in the middle', 'delete from audit_seal where batch = 2', 2, /missing/],
    ['a removed first seal', 'delete from audit_seal where batch = 1', 1, /missing/],
    ['a seal from nowhere', `insert into audit_seal select -1, '1', 1, 1, previous, head, signature, key_id from audit_seal limit 1`, 1, /missing/],
  ]
  for (const [what, sql, batch, says] of tamperings) {
    test(`${what} is noticed, by whoever owns the database too`, async (t) => {
      const db = await sealedDatabase(t)
      const { rowCount } = await db.owner.pool.query(sql)
      assert.ok(rowCount! > 0, 'the attempt changed nothing')
      const { ok, problem } = await verify(db)
      assert.equal(ok, false)
      assert.equal(problem?.batch, batch, problem?.what)
      assert.match(problem.what, says)
    })
  }

  test('a chain rewritten from the beginning and sealed with another key is noticed', async (t) => {
    const db = await sealedDatabase(t)
    await db.owner.pool.query('delete from audit_seal')
    await db.owner.pool.query(`update audit_event set subject = 'something else'`)
    const other = generateKeyPairSync('ed25519').privateKey
    await sealAll(db, sealer(db, { sign: (head) => sign(null, head, other) }))
    assert.match((await verify(db)).problem!.what, /signature/)
  })

  test('a removed end is noticed by the head file, with and without its events', async (t) => {
    const db = await sealedDatabase(t)
    const headFile = join(temporaryFolder(t), 'audit.head')
    await append(db, 1)
    await sealAll(db, sealer(db, { headFile }))
    const known = readHeadFile(headFile)!
    assert.equal((await verify(db, known)).ok, true)

    await db.owner.pool.query('delete from audit_seal where batch = (select max(batch) from audit_seal)')
    assert.equal((await verify(db)).ok, true, 'without the head file it looks whole: that is why there is one')
    assert.match((await verify(db, known)).problem!.what, /missing/)
    await assert.rejects(sealAudit(sealer(db, { headFile })), (error: Fault) => error.code === 'audit.head_mismatch')
    assert.deepEqual(readHeadFile(headFile), known, 'what this machine knew is not overwritten')

    await sealAll(db, sealer(db))
    const { problem } = await verify(db, known)
    assert.deepEqual([problem?.batch, /rewritten/.test(problem!.what)], [known.batch, true])
  })

  test('a head file that cannot be read stops the sealer instead of being replaced', async (t) => {
    const db = await sealedDatabase(t)
    const headFile = join(temporaryFolder(t), 'audit.head')
    writeHeadFile(headFile, { batch: 1, head: 'not a head' })
    await assert.rejects(sealAudit(sealer(db, { headFile })), (error: Fault) => error.code === 'audit.head_file')
  })

  test('a database restored into a PostgreSQL whose counter is behind is not sealed in silence', async (t) => {
    const db = await sealedDatabase(t)
    await db.owner.pool.query(`update audit_seal set upto_xid = '9000000000' where batch = (select max(batch) from audit_seal)`)
    await assert.rejects(sealAudit(sealer(db)), (error: Fault) => error.code === 'audit.counter_behind')
  })

  test('what is new is verified by itself, and an altered seal that it follows is noticed at once', async (t) => {
    const db = await sealedDatabase(t)
    const since = (verified: Parameters<typeof verifyAuditSince>[1]) => verifyAuditSince({ database: db.as('castellan_server'), keys }, verified)
    const first = await since(undefined)
    assert.deepEqual([first.problem, first.verified.batches, first.verified.sealed], [undefined, 3, 10])
    await append(db, 6)
    await sealAll(db, sealer(db))
    const second = await since(first.verified)
    assert.deepEqual([second.problem, second.verified.batches, second.verified.sealed], [undefined, 5, 16])
    assert.deepEqual((await since(second.verified)).verified, second.verified, 'nothing is new')

    await db.owner.pool.query(`update audit_event set subject = 'altered' where xid = (select max(xid) from audit_event)`)
    assert.equal((await since(second.verified)).problem, undefined, 'what was verified before is not looked at again')
    const found = await since(first.verified)
    assert.deepEqual([found.problem?.batch, found.verified.batches], [5, 4])
    assert.equal((await since(found.verified)).problem?.batch, 5, 'it is found again as long as it is there')
    await db.owner.pool.query('update audit_seal set head = sha256(head) where batch = 4')
    assert.equal((await since(found.verified)).problem?.batch, 4)
  })

  test('many events are verified page by page', async (t) => {
    const db = await testDatabase(t)
    await db.owner.pool.query(`select audit_write('bulk.event', n::text, jsonb_build_object('n', n)) from generate_series(1, 12000) n`)
    await sealAll(db, sealer(db, { batchSize: 11_000 }))
    const found = await verify(db)
    assert.deepEqual([found.problem, found.sealed], [undefined, 12_000])
    await db.owner.pool.query(`delete from audit_event where subject = '6000'`)
    assert.equal((await verify(db)).problem?.batch, 1)
  })
})
