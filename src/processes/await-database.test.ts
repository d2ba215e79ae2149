import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testDatabase } from '../../test/support/database.ts'
import { awaitDatabase } from './await-database.ts'

test('a process starts only on a schema that its program can work with, whatever its role', async (t) => {
  const db = await testDatabase(t)
  const start = () => awaitDatabase(db.connection('castellan_gate_cloud'))
  await start()
  await db.owner.pool.query(`insert into schema_meta (version, file, digest, min_app) values (1000, '1000_kind.sql', '', 1)`)
  await start()
  await db.owner.pool.query(`insert into schema_meta (version, file, digest, min_app) values (1001, '1001_unkind.sql', '', 1001)`)
  await assert.rejects(start(), { code: 'database.newer' })
  await db.owner.pool.query('delete from schema_meta where version > 1')
  await assert.rejects(start(), { code: 'database.not_migrated' })
  await db.owner.pool.query('drop table schema_meta')
  await assert.rejects(start(), { code: 'database.not_migrated' }, 'waiting for a migration that nobody makes would be for ever')
})
