import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fastFolder } from '../../../test/support/fast-folder.ts'
import { unprivilegedUser } from '../../../test/support/unprivileged-user.ts'
import { Fault } from '../fault.ts'
import { connect } from './connect.ts'
import { startPostgres } from './embedded.ts'
import { readMigrations } from './migrate.ts'
import { prepareDatabase } from './prepare.ts'
import { ensureRoles, roles, type Passwords, type Role } from './roles.ts'

// roles belong to a whole server, so this file has one of its own
test('roles get their passwords anew, connect to one database only, and are refused when they may too much', async (t) => {
  const folder = mkdtempSync(join(fastFolder(), 'castellan-roles-'))
  chmodSync(folder, 0o711)
  const user = process.getuid?.() === 0 ? unprivilegedUser() : undefined
  const server = await startPostgres({ folder: join(folder, 'database'), socketFolder: join(folder, 's'), user, unsafeInit: true, settings: { fsync: 'off', dynamic_shared_memory_type: 'mmap' } })
  const owner = connect(server.connection)
  t.after(async () => {
    await owner.close()
    await server.stop('immediate')
    rmSync(folder, { recursive: true, force: true })
  })
  const passwords = (suffix: string) => Object.fromEntries(roles.map((role) => [role, `it's \\ ${role} ${suffix}`])) as Passwords
  const enter = async (role: Role, password: string, database = 'castellan') => {
    const entered = connect({ ...server.connection, user: role, password, database }, { max: 1 })
    try {
      return (await entered.pool.query<{ who: string }>('select session_user as who')).rows[0]!.who
    } finally {
      await entered.close()
    }
  }

  const newest = readMigrations().length
  assert.deepEqual(await prepareDatabase(owner, passwords('first')), { from: 0, to: newest })
  assert.deepEqual(await prepareDatabase(owner, passwords('second')), { from: newest, to: newest })
  for (const role of roles) {
    assert.equal(await enter(role, passwords('second')[role]), role)
    await assert.rejects(enter(role, passwords('first')[role]), (error: Fault) => error.code === 'database.refused')
  }
  await owner.pool.query('create database other')
  await owner.pool.query('revoke connect on database other from public')
  await assert.rejects(enter('castellan_server', passwords('second').castellan_server, 'other'), (error: Fault) => error.code === 'database.refused')

  for (const [strength, weakness] of [['bypassrls', 'nobypassrls'], ['superuser', 'nosuperuser'], ['replication', 'noreplication']]) {
    await owner.pool.query(`alter role castellan_gate_cloud with ${strength}`)
    await assert.rejects(ensureRoles(owner, passwords('third')), (error: Fault) => error.code === 'database.role_too_strong' && /castellan_gate_cloud/.test(error.message), strength)
    await owner.pool.query(`alter role castellan_gate_cloud with ${weakness}`)
  }
  await owner.pool.query('grant pg_read_all_data to castellan_worker_open')
  await assert.rejects(ensureRoles(owner, passwords('third')), (error: unknown) => error instanceof Fault && /castellan_worker_open/.test(error.message))
})
