import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { testDatabase } from '../../../test/support/database.ts'
import { Fault } from '../fault.ts'
import type { Database } from './connect.ts'
import { checkSchema, migrate, readMigrations, type Migration } from './migrate.ts'

/** Migrations from texts; a text may begin with its `min_app` line. */
function migrations(...texts: string[]): Migration[] {
  return read(texts.map((text, index) => [`${String(index + 1).padStart(4, '0')}_step.sql`, text]))
}

function read(files: readonly (readonly [name: string, text: string])[]): Migration[] {
  const folder = mkdtempSync(join(tmpdir(), 'castellan-migrations-'))
  try {
    for (const [name, text] of files) writeFileSync(join(folder, name), text)
    return readMigrations(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function emptyDatabase(t: TestContext): Promise<Database> {
  const { owner } = await testDatabase(t)
  await owner.pool.query('drop schema castellan cascade')
  return owner
}

const fails = (code: string, says: RegExp) => (error: unknown) => {
  assert.ok(error instanceof Fault, String(error))
  assert.equal(error.code, code, error.message)
  assert.match(error.message, says)
  return true
}

const one = 'create table one (n int)'
const two = '-- min_app: 1\ncreate table two (n int)'

describe('migrate', () => {
  test('applies what is missing, in order, once, and asks for a backup only when there is something to lose', async (t) => {
    const owner = await emptyDatabase(t)
    const asked: object[] = []
    const beforeMigration = async (change: object) => void asked.push(change)
    assert.deepEqual(await migrate(owner, { migrations: migrations(one), beforeMigration }), { from: 0, to: 1 })
    assert.deepEqual(await migrate(owner, { migrations: migrations(one), beforeMigration }), { from: 1, to: 1 })
    assert.deepEqual(asked, [])
    assert.deepEqual(await migrate(owner, { migrations: migrations(one, two), beforeMigration }), { from: 1, to: 2 })
    assert.deepEqual(asked, [{ from: 1, to: 2 }])
    await owner.pool.query('insert into two values (1)')
  })

  test('a backup that fails stops the migration before it began', async (t) => {
    const owner = await emptyDatabase(t)
    await migrate(owner, { migrations: migrations(one) })
    const beforeMigration = async () => {
      throw new Error('no room for the backup')
    }
    await assert.rejects(migrate(owner, { migrations: migrations(one, two), beforeMigration }), /no room/)
    await assert.rejects(owner.pool.query('select * from two'), /does not exist/)
  })

  test('a file that fails changes nothing, names its line, and can be tried again', async (t) => {
    const owner = await emptyDatabase(t)
    const broken = migrations(one, 'create table half (n int);\ncreate table half (n int)', two)
    await assert.rejects(migrate(owner, { migrations: broken }), fails('database.migration_failed', /0002_step\.sql.*half.*stays at the version before/))
    assert.deepEqual((await owner.kysely.selectFrom('schema_meta').select('version').execute()).map((row) => row.version), [1])
    await assert.rejects(migrate(owner, { migrations: migrations(one, 'create table half (n int);\nselect nonsense') }), fails('database.migration_failed', /line 2/))
    assert.deepEqual(await migrate(owner, { migrations: migrations(one, 'create table half (n int)') }), { from: 1, to: 2 })
  })

  test('two that start at once migrate once', async (t) => {
    const owner = await emptyDatabase(t)
    const files = migrations(one, two)
    const both = await Promise.all([migrate(owner, { migrations: files }), migrate(owner, { migrations: files })])
    assert.deepEqual(both.map((change) => change.from).sort(), [0, 2])
  })

  test('a migration that was changed afterwards is refused', async (t) => {
    const owner = await emptyDatabase(t)
    await migrate(owner, { migrations: migrations(one) })
    await assert.rejects(migrate(owner, { migrations: migrations(`${one} -- harmless`) }), fails('database.migration_changed', /0001_step\.sql/))
  })

  test('a database of a newer program is refused, unless it says that this one can live with it', async (t) => {
    const owner = await emptyDatabase(t)
    await migrate(owner, { migrations: migrations(one, two) })
    assert.deepEqual(await migrate(owner, { migrations: migrations(one) }), { from: 2, to: 2 })
    await checkSchema(owner, 1)
    await migrate(owner, { migrations: migrations(one, two, 'drop table one') })
    await assert.rejects(migrate(owner, { migrations: migrations(one, two) }), fails('database.newer', /schema 3.*knows 2/))
    await assert.rejects(checkSchema(owner, 2), fails('database.newer', /schema 3/))
    await assert.rejects(checkSchema(owner, 4), fails('database.not_migrated', /castellan up/))
  })

  test('a schema of the same name that is not ours is left alone', async (t) => {
    const owner = await emptyDatabase(t)
    await owner.pool.query('create schema castellan; create table castellan.theirs (n int)')
    await assert.rejects(migrate(owner, { migrations: migrations(one) }), fails('database.foreign_schema', /database of its own/))
  })

  test('a gap in the numbers is a defect that is found when they are read', () => {
    assert.throws(() => read([['0002_late.sql', one]]), fails('database.migration_order', /0002_late\.sql/))
  })

  test('every role can see which schema this is', async (t) => {
    const db = await testDatabase(t)
    for (const role of ['castellan_worker_open', 'castellan_gate_cloud'] as const) await checkSchema(db.as(role))
  })
})
